from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.errors import HarnessError
from harness.views.figures import files, style

FORMATS = ("png", "pdf", "svg")


def titled(title: str, width: float = 4.0) -> object:
    with style.style():
        figure, ((panel,),) = style.new_figure(1, 1, width, 3, title)
        panel.plot([0, 1], [1, 0])
        return figure


def written(folder: Path, name: str, title: str = "A title") -> list[bytes]:
    folder.mkdir(exist_ok=True)
    return [path.read_bytes() for path in files.save(titled(title), folder, name, FORMATS)]  # type: ignore[arg-type]


def test_the_same_figure_is_the_same_files(tmp_path: Path) -> None:
    assert written(tmp_path / "one", "figure") == written(tmp_path / "two", "figure")


def test_a_figure_is_written_in_the_formats_that_are_asked_for(tmp_path: Path) -> None:
    paths = files.save(titled("A"), tmp_path, "figure", ("pdf", "png"))  # type: ignore[arg-type]

    starts = [path.read_bytes()[:4] for path in paths]
    assert starts == [b"%PDF", b"\x89PNG"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


NAMES = [
    "a",
    "A",
    "a.png",
    ".a",
    "%2Ea",
    "a/b",
    "a-b",
    "a%2Fb",
    "a~b",
    "a@b",
    "..",
    "ä",
    "a\nb",
    "x" * 300,
]
NAMES += ["x" * 299, "ä" * 200, "/" * 90, "\udcff", ""]


def test_every_text_has_a_file_name_of_its_own(tmp_path: Path) -> None:
    names = [files.file_name(text) for text in NAMES]

    for name in names:
        (tmp_path / f"{name}@heads-similarity-of-a-method.png").touch()
    assert len(list(tmp_path.iterdir())) == len(NAMES)
    assert not any("@" in name or "/" in name for name in names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sunflowers/1022552002_2b93faf9e7_n.jpg", "sunflowers~1022552002_2b93faf9e7_n.jpg"),
        ("a~b c.jpg", "a%7Eb%20c.jpg"),
    ],
)
def test_a_name_of_a_file_in_a_folder_stays_readable(text: str, name: str) -> None:
    assert files.file_name(text) == name


@given(st.lists(st.text(max_size=200) | st.text("a/~%27EF.", max_size=200), unique=True))
def test_no_two_texts_share_a_file_name(texts: list[str]) -> None:
    names = {files.file_name(text) for text in texts}

    assert len(names) == len(texts)
    assert all(len(name.encode()) < 150 and not name.startswith(".") for name in names)


def test_names_are_text_whatever_signs_are_in_them(tmp_path: Path) -> None:
    written(tmp_path, "figure", "$x_1$ <b> & %")

    text = "".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert "$x_1$ <b> & %" in text


def test_a_picture_is_written_at_200_dots_an_inch(tmp_path: Path) -> None:
    written(tmp_path, "figure")

    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.width == 800


def test_a_folder_that_cannot_be_written_to_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="nowhere: cannot be written to"):
        files.save(titled("A"), tmp_path / "nowhere", "figure")  # type: ignore[arg-type]


def test_settings_of_the_user_change_no_figure(tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        changed = written(tmp_path / "one", "figure")

    assert changed == written(tmp_path / "two", "figure")
