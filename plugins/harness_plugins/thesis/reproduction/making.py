"""Makes exhibits one after the other; one that fails does not stop the others."""

import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import harness
from harness import HarnessError
from harness.command import environment, invocation, source
from harness_plugins.thesis.reproduction.deviations import deviations
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Output
from harness_plugins.thesis.reproduction.report import Result, write_exhibit, write_report
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study, extractor_of


def reproduce(
    study: Study, exhibits: Sequence[Exhibit], command: str, report: Callable[[Result], None]
) -> list[Result]:
    """Make exhibits, write them and a report on all of them below the study's folder."""
    results = []
    for exhibit in exhibits:
        result = _made(study, exhibit)
        write_exhibit(study.folder, result, study.formats)
        results.append(result)
        report(result)
    write_report(study.folder, results, command, deviations(study), study.formats)
    _write_provenance(study, results, command)
    return results


def _made(study: Study, exhibit: Exhibit) -> Result:
    try:
        return Result(exhibit, exhibit.make(study))
    except MissingRequirementError as missing:
        return Result(exhibit, Output(), missing=str(missing))
    except HarnessError as error:
        return Result(exhibit, Output(), failed=str(error))
    except Exception as error:  # a defect in one exhibit does not concern the others
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return Result(exhibit, Output(), failed=f"{type(error).__name__}: {error} ({where})")


def _write_provenance(study: Study, results: Sequence[Result], command: str) -> None:
    provenance = {
        "command": command,
        "environment": environment(1),
        "source": source(),
        "invocation": invocation(),
        "images": study.images,
        "checkpoints": {
            name: harness.extractor(extractor_of(name), plugins=study.plugins).fingerprint()
            for name in (study.checkpoint, study.many_heads)
        },
        "models": [str(folder) for folder in study.models],
        "exhibits": {result.exhibit.name: result.trouble or "made" for result in results},
    }
    path = study.folder / "provenance.json"
    try:
        path.write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
