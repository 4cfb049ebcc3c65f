"""Makes exhibits one after the other; what one lacks or breaks does not stop the others."""

import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import HarnessError
from harness.command import environment, invocation, source
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Made
from harness_plugins.thesis.reproduction.report import Result, write_exhibit, write_report
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study


def reproduce(
    study: Study, exhibits: Sequence[Exhibit], command: str, tell: Callable[[Result], None]
) -> list[Result]:
    """Make exhibits, write them and the report over them below the study's folder.

    Raises HarnessError if the folder cannot be written to.
    """
    results = []
    for exhibit in exhibits:
        result = _made(study, exhibit)
        write_exhibit(study.folder, result)
        results.append(result)
        tell(result)
    write_report(study.folder, results, command)
    _write_provenance(study, results, command)
    return results


def _made(study: Study, exhibit: Exhibit) -> Result:
    try:
        return Result(exhibit, exhibit.make(study))
    except MissingRequirementError as lacking:
        return Result(exhibit, Made(), lacking=str(lacking))
    except HarnessError as error:
        return Result(exhibit, Made(), failed=str(error))
    except Exception as error:  # one exhibit's defect is no other's
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return Result(exhibit, Made(), failed=f"{type(error).__name__}: {error} ({where})")


def _write_provenance(study: Study, results: Sequence[Result], command: str) -> None:
    told = {
        "command": command,
        "environment": environment(1),
        "source": source(),
        "invocation": invocation(),
        "images": study.images,
        "checkpoints": {
            name: _digest(study, name) for name in (study.checkpoint, study.many_heads)
        },
        "models": [str(folder) for folder in study.models],
        "exhibits": {result.exhibit.name: result.trouble or "made" for result in results},
    }
    path = study.folder / "provenance.json"
    try:
        path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error


def _digest(study: Study, checkpoint: str) -> str:
    import harness
    from harness_plugins.thesis.reproduction.study import extractor_of

    made = harness.make("extractor", extractor_of(checkpoint), study.plugins)
    return str(made.fingerprint())
