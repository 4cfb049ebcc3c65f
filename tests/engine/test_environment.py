import importlib.metadata

from harness.engine.environment import difference, environment


def test_an_installed_extra_that_computes_is_part_of_the_environment() -> None:
    libraries = environment(1)["libraries"]
    for name in ("numpy", "transformers", "leidenalg"):
        assert libraries[name] == importlib.metadata.version(name)


def test_packages_for_tests_and_for_dask_are_not_part_of_the_environment() -> None:
    assert environment(1)["libraries"].keys().isdisjoint({"pytest", "captum", "distributed"})


def test_another_version_is_reported_as_the_difference() -> None:
    before, now = environment(1), environment(1)
    now["libraries"]["transformers"] = "4.0"
    version = importlib.metadata.version("transformers")
    assert difference(before, now) == f"transformers {version} then, 4.0 now"
    assert difference(before, before) == ""
