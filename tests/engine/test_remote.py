"""What another machine must have in common with the coordinator's."""

from dataclasses import replace
from pathlib import Path

from harness.engine.environment import environment
from harness.engine.inline_worker import open_worker
from harness.engine.remote import Requirements
from harness.engine.worker import Worker, WorkerConfig
from harness.planning.identity import source_digest
from harness.plugin import registry

REQUIREMENTS = Requirements(frozenset({"numpy"}), environment(1, {"numpy"}), "--any-environment")


def refusal(requirements: Requirements, **codes: str) -> str:
    """Why a worker here, which should have these codes, is refused."""
    named = {f"clusterer {name}": code for name, code in codes.items()}
    config = WorkerConfig((), named, source_digest(), 2**30, 1)
    worker: Worker
    with open_worker(config, "none", registry.load()) as worker:
        worker.start()
        return requirements.refusal(worker, 1)


def test_the_same_environment_and_code_are_accepted() -> None:
    assert refusal(REQUIREMENTS) == ""


def test_another_version_is_refused_by_its_name() -> None:
    assert REQUIREMENTS.environment is not None
    libraries = {"numpy": "0.1"}
    other = replace(REQUIREMENTS, environment={**REQUIREMENTS.environment, "libraries": libraries})

    assert "numpy" in refusal(other)
    assert "--any-environment" in refusal(other)
    assert refusal(replace(other, environment=None)) == ""


def test_other_code_is_refused_by_the_component() -> None:
    assert refusal(REQUIREMENTS, louvain="other") == (
        "differs (the code of clusterer louvain); install the same there"
    )


def test_requirements_pass_through_json() -> None:
    assert Requirements.from_message(REQUIREMENTS.to_message()) == REQUIREMENTS


def test_a_config_passes_through_json() -> None:
    config = WorkerConfig((Path("a.py"),), {"clusterer louvain": "code"}, "source", 2**30, 2)

    assert WorkerConfig.from_message(config.to_message()) == config
