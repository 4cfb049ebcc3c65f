from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harness
from harness_plugins.datasets.catalogue import Download
from harness_plugins.datasets.download import download
from support.site import Site

CONTENT = np.random.default_rng(0).bytes(300_000)


def fetched(file: Download, path: Path) -> list[int]:
    """Download, and tell how many bytes were reported to be there."""
    places: list[int] = []
    download(file, path, lambda done, _: places.append(done))
    return places


@pytest.fixture
def file(site: Site) -> Download:
    return site.download("set.tar.gz", CONTENT)


def test_a_file_is_fetched_and_its_growth_reported(file: Download, tmp_path: Path) -> None:
    places = fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT
    assert places[0] == 0
    assert places[-1] == len(CONTENT)
    assert places == sorted(places)


def test_what_is_there_is_gone_on_with(site: Site, file: Download, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(CONTENT[:100_001])

    assert fetched(file, tmp_path / "it")[0] == 100_001

    assert (tmp_path / "it").read_bytes() == CONTENT
    assert site.asked == [("set.tar.gz", "bytes=100001-")]


def test_a_server_without_ranges_sends_the_whole_again(
    site: Site, file: Download, tmp_path: Path
) -> None:
    site.has_ranges = False
    (tmp_path / "it").write_bytes(b"x" * 100_001)

    fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT


def test_a_connection_cut_in_the_middle_is_taken_up_again(
    site: Site, file: Download, tmp_path: Path
) -> None:
    site.cut = 123_456

    with pytest.raises(harness.HarnessError, match=r"stopped after [1-9][0-9]* of 300000 bytes: "):
        fetched(file, tmp_path / "it")
    kept = (tmp_path / "it").stat().st_size
    assert 0 < kept <= 123_456

    fetched(file, tmp_path / "it")
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert site.asked[1] == ("set.tar.gz", f"bytes={kept}-")


def test_what_is_whole_is_not_asked_for_again(site: Site, file: Download, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(CONTENT)

    fetched(file, tmp_path / "it")

    assert site.asked == []


def test_what_is_longer_than_it_should_be_is_fetched_anew(
    site: Site, file: Download, tmp_path: Path
) -> None:
    (tmp_path / "it").write_bytes(CONTENT + b"more")

    fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT
    assert site.asked == [("set.tar.gz", None)]


def test_a_redirection_is_followed(site: Site, file: Download, tmp_path: Path) -> None:
    site.redirects["old"] = file.url

    fetched(replace(file, url=f"{site.address}/old"), tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT


def test_an_md5_will_do(file: Download, tmp_path: Path) -> None:
    wrong = replace(file, checksum=f"md5:{'0' * 32}")

    with pytest.raises(
        harness.HarnessError, match=f"found MD5 [0-9a-f]{{32}}, expected {'0' * 32}"
    ):
        fetched(wrong, tmp_path / "it")


def test_a_wrong_checksum_is_reported_and_the_download_deleted(
    site: Site, file: Download, tmp_path: Path
) -> None:
    site.files["set.tar.gz"] = bytes(len(CONTENT))

    with pytest.raises(harness.HarnessError) as raised:
        fetched(file, tmp_path / "it")

    _, _, expected = file.checksum.partition(":")
    assert f", expected {expected}" in str(raised.value)
    assert "found SHA-256 " in str(raised.value)
    assert not (tmp_path / "it").exists()


def test_a_spoilt_beginning_is_found_out_and_fetched_anew(
    site: Site, file: Download, tmp_path: Path
) -> None:
    (tmp_path / "it").write_bytes(b"spoilt")

    with pytest.raises(harness.HarnessError, match="expected"):
        fetched(file, tmp_path / "it")
    fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT + b"!", CONTENT[:-1], b""])
def test_a_wrong_size_is_refused_before_it_is_fetched(
    site: Site, file: Download, tmp_path: Path, content: bytes
) -> None:
    site.files["set.tar.gz"] = content

    with pytest.raises(
        harness.HarnessError, match=f"sends {len(content)} bytes, expected {len(CONTENT)}"
    ):
        fetched(file, tmp_path / "it")


def test_more_than_the_size_is_refused_where_the_server_says_no_length(
    site: Site, file: Download, tmp_path: Path
) -> None:
    site.says_length = False
    site.files["set.tar.gz"] = CONTENT + b"!"

    with pytest.raises(harness.HarnessError, match="sent more than the 300000 expected bytes"):
        fetched(file, tmp_path / "it")

    assert (tmp_path / "it").stat().st_size <= len(CONTENT)


def test_an_incomplete_download_stays_for_the_next_time(
    site: Site, file: Download, tmp_path: Path
) -> None:
    site.says_length = False
    site.cut = 200_000

    with pytest.raises(harness.HarnessError, match="stopped after 200000 of 300000 bytes"):
        fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT[:200_000]


def test_a_range_with_another_start_is_refused(site: Site, file: Download, tmp_path: Path) -> None:
    site.shift = 7
    (tmp_path / "it").write_bytes(CONTENT[:100])

    with pytest.raises(harness.HarnessError, match=r"sent bytes 107-\S+, not from byte 100"):
        fetched(file, tmp_path / "it")

    assert (tmp_path / "it").read_bytes() == CONTENT[:100]


def test_a_missing_file_is_reported_by_its_address(site: Site, tmp_path: Path) -> None:
    file = Download("no.tgz", f"{site.address}/no.tgz", 5, "md5:0")

    with pytest.raises(harness.HarnessError, match=r"no\.tgz: 404 .*Not Found"):
        fetched(file, tmp_path / "it")


def test_an_unreachable_server_is_reported_in_one_line(tmp_path: Path) -> None:
    file = Download("no.tgz", "http://127.0.0.1:9/no.tgz", 5, "md5:0")

    with pytest.raises(harness.HarnessError, match="after 0 of 5 bytes: Connection refused; "):
        fetched(file, tmp_path / "it")
