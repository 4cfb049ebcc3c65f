"""The part of a run in one Slurm job: it computes some cells, and writes each record at once.

submitit pickles the name of `compute_chunk` and one text; all else is JSON.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any, TextIO

from harness.engine.messages import record_message
from harness.engine.pool import CellJob, LocalPool
from harness.engine.remote import Requirements
from harness.engine.worker import WorkerConfig
from harness.errors import RunStoppedError

# Seconds between looks at the file that the coordinator touches, and after how many without a
# change the coordinator is dead.
LOOK_INTERVAL, DEAD = 5.0, 180.0


def compute_chunk(text: str) -> None:
    """Compute the cells of a chunk, given as JSON; submitit calls it in a job.

    Each line of the file `records` is an object with a `record`, or with the reason why the run has
    to stop, as `stopped`. The job ends if the coordinator dies.
    """
    chunk = json.loads(text)
    threading.Thread(target=_watch, args=(Path(chunk["lifeline"]),), daemon=True).start()
    config = WorkerConfig.from_message(chunk["config"])
    with (
        Path(chunk["records"]).open("a", encoding="utf-8") as file,
        LocalPool(chunk["workers"], config, Path(chunk["maps"])) as pool,
    ):
        # If the job was started before, its last line may be incomplete.
        file.write("\n")
        requirements = Requirements.from_message(chunk["requirements"])
        if refusal := pool.use(requirements.refusal, config.extraction_threads):
            _write(file, {"stopped": refusal})
            return
        ended = [pool.submit(CellJob(**cell)) for cell in chunk["cells"]]
        try:
            for future in as_completed(ended):
                _write(file, {"record": record_message(future.result())})
        except RunStoppedError as error:
            _write(file, {"stopped": str(error)})


def _write(file: TextIO, line: Mapping[str, Any]) -> None:
    file.write(json.dumps(line) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _watch(lifeline: Path) -> None:
    """End this process if the file is gone, or is not touched any more.

    Clocks of machines differ, so only changes count.
    """
    touched, since = None, time.monotonic()
    while True:
        now = touched
        try:
            now = lifeline.stat().st_mtime_ns
        except FileNotFoundError:
            os._exit(1)
        except OSError:
            # The file system may come back.
            pass
        if now != touched:
            touched, since = now, time.monotonic()
        elif time.monotonic() - since > DEAD:
            os._exit(1)
        time.sleep(LOOK_INTERVAL)
