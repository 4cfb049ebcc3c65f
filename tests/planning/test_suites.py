from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.planning.suites import (
    components_named,
    default_suite,
    execution,
    merge,
    read_suite,
    resolve,
    resolve_run,
)
from harness.plugin import registry

FORGETFUL = """
from dataclasses import dataclass
import harness

@dataclass(frozen=True)
class Forgetful(harness.Extractor):
    name = "forgetful"
    def head_indices(self):
        return [harness.HeadIndex(0, 0)]
    def extract(self, images):
        yield from ()
    def for_images(self, image_sets):
        pass

@harness.hookimpl
def harness_extractors():
    return [Forgetful]
"""


def suite(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def plugins() -> registry.Registry:
    return registry.load()


def changed(**values: Any) -> dict[str, Any]:
    return merge(default_suite(), values)


def test_the_default_suite_is_complete(plugins: registry.Registry) -> None:
    settings = resolve(default_suite(), plugins)

    assert settings.images
    assert settings.clusterers
    assert settings.controls
    assert execution(changed()).workers >= 1


def test_a_run_is_named_like_its_suite_file(tmp_path: Path) -> None:
    path = suite(tmp_path, 'clusterers = "louvain"\nlevels = 4\n')

    *_, named, _ = resolve_run(path, {})
    *_, unnamed, _ = resolve_run(None, {})

    assert read_suite(path) == {"clusterers": "louvain", "levels": 4}
    assert named.name.startswith("mine-")
    assert unnamed.name.startswith("default-")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusterer = 'louvain'", "unknown key 'clusterer'; did you mean 'clusterers'?"),
        ("zzz = 1", "unknown key 'zzz'; a suite has images, extractors"),
        ("levels = ", "not TOML"),
        ("plugins = 3", "plugins: expected a path or a list of paths, not 3"),
        ("plugins = [3]", "plugins: expected a path or a list of paths, not [3]"),
        ("plugins = ['']", "plugins: expected a path or a list of paths, not ['']"),
        ("retry_failed = true", "unknown key 'retry_failed'; a suite has images"),
        (f"levels = {'9' * 5000}", "not TOML"),
        (f"levels = {'[' * 5000}", "not TOML"),
    ],
)
def test_a_suite_with_a_mistake_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        read_suite(suite(tmp_path, text))

    assert message in str(raised.value)


def test_a_suite_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "nowhere.toml", tmp_path, tmp_path / "bytes.toml"):
        with pytest.raises(harness.HarnessError, match=r"the suite (cannot be read|is not UTF-8)"):
            read_suite(path)


def test_plugins_of_a_suite_are_found_next_to_it(tmp_path: Path) -> None:
    read = read_suite(suite(tmp_path, "plugins = ['near.py', 'sub/far.py', '/there/abs.py']"))

    assert execution(merge(default_suite(), read)).plugins == (
        tmp_path / "near.py",
        tmp_path / "sub" / "far.py",
        Path("/there/abs.py"),
    )


def test_one_plugin_needs_no_list() -> None:
    assert execution(changed(plugins="mine.py")).plugins == (Path("mine.py"),)


def test_time_limits_of_clusterers_stay_until_a_later_layer_makes_others(tmp_path: Path) -> None:
    suite_file = read_suite(suite(tmp_path, 'timeout = "90,infomap=30,sdp=40"\n'))

    merged = merge(default_suite(), suite_file, {"timeout": "sdp=5,louvain=6"})

    limits = execution(merged).timeout
    assert limits.seconds == 90
    assert limits.by_clusterer == {"infomap": 30, "sdp": 5, "louvain": 6}
    assert limits.of("sdp[iterations=3]") == 5


def test_a_name_or_a_spec_stands_for_components_of_the_run(plugins: registry.Registry) -> None:
    settings = resolve(changed(clusterers="louvain[resolution=[0.5,1]],infomap"), plugins)

    assert components_named(settings, ["louvain"]) == {"louvain", "louvain[resolution=0.5]"}
    assert components_named(settings, ["louvain[resolution=0.5]", "uniform-noise"]) == {
        "louvain[resolution=0.5]", "uniform-noise",
    }  # fmt: skip
    assert components_named(settings, ["louvain[ resolution=5e-1 ]"]) == {"louvain[resolution=0.5]"}
    assert components_named(settings, []) == set()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"controls": "none"}, "one-layer-vit with a control, and there is no control"),
        (
            {"extractors": "one-layer-vit,arrays[path=maps]", "controls": "uniform-noise"},
            "arrays with a control, and there are no images to draw uniform-noise from",
        ),
    ],
)
def test_a_selector_that_needs_controls_is_refused_for_maps_without_any(
    plugins: registry.Registry, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        resolve(changed(selectors="stable-phase,excess-modularity", **values), plugins)

    assert f"excess-modularity compares {reason}" in str(raised.value)
    assert resolve(changed(selectors="stable-phase", **values), plugins).selectors


@pytest.mark.parametrize(
    ("extractors", "chosen", "controls"),
    [
        ("one-layer-vit", {}, ("uniform-noise", "permuted-residuals")),
        ("planted", {}, ("permuted-residuals",)),
        ("planted,one-layer-vit", {}, ("permuted-residuals", "uniform-noise")),
        ("planted", {"controls": "permuted-rows"}, ("permuted-rows",)),
        ("planted", {"controls": "none", "selectors": "stable-phase"}, ()),
    ],
)
def test_default_controls_suit_images_maps_and_both_unless_controls_are_chosen(
    tmp_path: Path, extractors: str, chosen: dict[str, str], controls: tuple[str, ...]
) -> None:
    text = "".join(f"{key} = {value!r}\n" for key, value in chosen.items())
    for where in ((suite(tmp_path, text), {}), (None, chosen)):
        settings, *_, remark = resolve_run(where[0], {"extractors": extractors, **where[1]})

        assert settings.controls == controls
        assert bool(remark) == (not chosen and "planted" in extractors)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("louvian", "this run has no component 'louvian'; did you mean 'louvain'?"),
        ("excess-modularity", "selectors such as excess-modularity are applied anew in every run"),
        ("max-modularity[a=1]", "this run has no component 'max-modularity[a=1]'"),
        ("", "this run has no component ''; it has edge-dropout, flowers-sample, infomap"),
    ],
)
def test_a_name_that_no_stored_component_has_is_refused(
    plugins: registry.Registry, name: str, line: str
) -> None:
    settings = resolve(changed(), plugins)

    with pytest.raises(harness.HarnessError) as refused:
        components_named(settings, ["louvain", name])

    assert str(refused.value).startswith(f"force: {line}")


@pytest.mark.parametrize(
    ("chosen", "extractors"),
    [
        ({}, ("one-layer-vit[checkpoint=flowers-one-head]",)),
        (
            {"images": "fashion-mnist-sample"},
            ("one-layer-vit[checkpoint=fashion-mnist-one-head]",),
        ),
        (
            {"images": "fashion-mnist-sample", "extractors": "planted,one-layer-vit[heads=mean]"},
            ("planted", "one-layer-vit[checkpoint=fashion-mnist-one-head,heads=[mean]]"),
        ),
        (
            {"extractors": "one-layer-vit,one-layer-vit[checkpoint=flowers-one-head]"},
            ("one-layer-vit[checkpoint=flowers-one-head]",),
        ),
    ],
)
def test_settings_name_what_extractors_choose_for_the_images(
    plugins: registry.Registry, chosen: dict[str, str], extractors: tuple[str, ...]
) -> None:
    assert resolve(changed(**chosen), plugins).extractors == extractors


def test_an_extractor_that_becomes_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "forgetful.py"
    path.write_text(FORGETFUL)

    with pytest.raises(harness.HarnessError) as refused:
        resolve(changed(extractors="forgetful"), registry.load([path]))

    assert str(refused.value) == (
        "forgetful: for_images returned None, not a component of its class"
    )


def test_an_extractor_that_raises_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "forgetful.py"
    path.write_text(FORGETFUL.replace("        pass", "        raise KeyError('side')"))

    with pytest.raises(harness.HarnessError, match=r"^forgetful: for_images: KeyError: 'side'$"):
        resolve(changed(extractors="forgetful"), registry.load([path]))


def test_later_layers_win_and_none_stands_for_not_given() -> None:
    merged = merge({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 2}, {"a": None, "c": 3})

    assert merged == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"levels": "many"}, "levels: expected a whole number from 1 to 10000, not 'many'"),
        ({"levels": None}, "levels: expected a whole number from 1 to 10000, not None"),
        ({"levels": np.ones((2, 2))}, "levels: expected a whole number from 1 to 10000, not array"),
        ({"levels": 10**5000}, "levels: expected a whole number from 1 to 10000, not such a large"),
        ({"pooling": ["group"]}, "pooling: expected group or image, not ['group']"),
        ({"rescore": "no"}, "rescore: expected true or false, not 'no'"),
        ({"resolution": 10**400}, "resolution: expected a positive number, not 1000"),
        ({"levels": 2.0}, "levels: expected a whole number from 1 to 10000, not 2.0"),
        ({"repeats": True}, "repeats: expected a whole number from 1 to 10000, not True"),
        ({"nulls": 0}, "nulls: expected a whole number from 1 to 100000, not 0"),
        ({"pooling": "all"}, "pooling: expected group or image, not 'all'"),
        ({"rescore": 1}, "rescore: expected true or false, not 1"),
        ({"seed": -1}, "seed: expected a whole number from 0 to 9223372036854775808, not -1"),
        ({"resolution": 0}, "resolution: expected a positive number, not 0"),
        ({"resolution": float("inf")}, "resolution: expected a positive number, not inf"),
        ({"resolution": float("nan")}, "resolution: expected a positive number, not nan"),
        ({"resolution": "1"}, "resolution: expected a positive number, not '1'"),
        ({"clusterers": 3}, "clusterers: expected text or a list of texts, not 3"),
        ({"clusterers": ["louvain", 3]}, "clusterers: expected text or a list of texts"),
        ({"clusterers": []}, "clusterers: at least one clusterer is needed"),
        ({"clusterers": "none"}, "there is no clusterer 'none'"),
        ({"clusterers": "louvian"}, "did you mean 'louvain'?"),
        ({"selectors": "louvain"}, "'louvain' is no selector but a clusterer"),
    ],
)
def test_a_wrong_value_of_what_to_compute_is_refused(
    plugins: registry.Registry, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        resolve({**default_suite(), **values}, plugins)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workers": 0}, "workers: expected a whole number from 1 to 1000, not 0"),
        ({"timeout": -1}, "timeout: expected a positive number below 1e+07, not -1"),
        ({"timeout": True}, "timeout: expected a positive number below 1e+07, not True"),
        ({"timeout": [9]}, "timeout: expected a positive number below 1e+07, not [9]"),
        ({"timeout": "9,sdp=soon"}, "timeout of sdp: expected a positive number below 1e+07"),
        ({"timeout": "=9"}, "timeout: the name of a clusterer is missing in '=9'"),
        ({"memory": "4"}, "memory: expected a positive number below 1e+06, not '4'"),
        ({"dask": ""}, "dask: expected an address, or local, not ''"),
        ({"isolation": True}, "isolation: expected process or none, not True"),
        ({"retry_failed": "no"}, "retry_failed: expected true or false, not 'no'"),
        ({"force": [3]}, "force: expected text or a list of texts, not [3]"),
        ({"out": "a\0b"}, "out: expected a path, not 'a\\x00b'"),
        ({"out": 3}, "out: expected a path, not 3"),
        ({"out": ["a", "b"]}, "out: expected a path, not ["),
    ],
)
def test_a_wrong_value_of_how_to_compute_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        execution(changed(**values))

    assert message in str(raised.value)


@pytest.mark.parametrize("controls", ["none", ["none"], []])
def test_a_run_may_have_no_controls(plugins: registry.Registry, controls: Any) -> None:
    values = changed(controls=controls, selectors="stable-phase")

    assert resolve(values, plugins).controls == ()


def test_sweeps_are_expanded_and_repetitions_dropped(plugins: registry.Registry) -> None:
    specs = ["louvain[resolution=[0.5,1]]", "infomap,louvain", "louvain[resolution=1.0]"]

    assert resolve(changed(clusterers=specs), plugins).clusterers == (
        "louvain[resolution=0.5]", "louvain", "infomap",
    )  # fmt: skip


def test_the_name_of_the_folder_depends_on_what_is_computed_not_on_how_it_is_written(
    plugins: registry.Registry,
) -> None:
    def digest(**values: Any) -> str:
        return resolve(changed(**values), plugins).digest()

    assert digest(clusterers="louvain,infomap") == digest(clusterers=["louvain[]", "infomap"])
    assert digest(clusterers="louvain") != digest(clusterers="infomap")
    assert digest(levels=4) != digest(levels=5)
    assert digest(workers=1) == digest(workers=2)


def test_numbers_of_numpy_are_numbers(plugins: registry.Registry) -> None:
    settings = resolve(
        changed(levels=np.int64(4), resolution=np.float32(0.5), rescore=np.True_), plugins
    )
    how = execution(changed(workers=np.uint8(3), timeout=np.float64(9), memory=np.int32(2)))

    assert (settings.levels, settings.resolution, settings.rescore) == (4, 0.5, True)
    assert (how.workers, how.timeout.seconds, how.memory) == (3, 9.0, 2.0)
    assert {type(settings.levels), type(how.workers)} == {int}
    assert (
        settings.digest()
        == resolve(changed(levels=4, resolution=0.5, rescore=True), plugins).digest()
    )
