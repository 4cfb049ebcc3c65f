import harness
from harness.engine.jobs import Context
from harness.plugin.registry import load


def test_a_component_that_no_loaded_plugin_has_is_found_among_all_plugins() -> None:
    context = Context(load(names=["threshold"]), {}, load)
    assert not context.registry.components["clusterer"]

    made = context.make(harness.Clusterer, "clusterer", "louvain[resolution=2]")

    assert made.name == "louvain"
