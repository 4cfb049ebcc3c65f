"""The suite gives the same result whatever the environment of its caller."""

import os
import subprocess
import sys
from pathlib import Path

from support import REPOSITORY

HOSTILE = {
    "COLUMNS": "200",
    "FORCE_COLOR": "1",
    "HARNESS_DATA": "/",
    "HF_HOME": "/nonexistent",
    "HF_HUB_OFFLINE": "1",
    "LC_ALL": "C",
    "NO_COLOR": "1",
    "OMP_NUM_THREADS": "3",
    "PYTHONWARNINGS": "error",
    "TERM": "dumb",
    "TRANSFORMERS_OFFLINE": "1",
    "TZ": "Pacific/Apia",
}


def test_tests_find_a_known_environment_whatever_the_callers(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    sensitive = [f"tests/{name}.py" for name in ("views/test_tables", "store/test_maps")]

    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *sensitive],
        cwd=REPOSITORY,
        env={**environment, **HOSTILE, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout
    assert list(folder.iterdir())


def test_a_process_of_a_test_has_the_known_environment_too() -> None:
    script = (
        "import os, signal, sys, time\n"
        "print(os.environ['TZ'], time.tzname[0], sys.warnoptions)\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
    )

    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert finished.stdout == "UTC UTC []\nTrue\n"
    assert os.environ.keys().isdisjoint({"FORCE_COLOR", "NO_COLOR", "PYTHONWARNINGS"})
    assert sys.warnoptions == []
