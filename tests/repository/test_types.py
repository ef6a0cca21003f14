"""The package, the scripts, the tests and the benchmarks hold what mypy --strict asks (settings in pyproject.toml)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from program import CHECKOUT

DIRECTORIES = ["cmp_plugin", "scripts", "tests", "benchmarks"]


def test_types_are_strict() -> None:
    settings = tomllib.loads(Path(CHECKOUT, "pyproject.toml").read_text())["tool"]["mypy"]
    assert (settings["strict"], settings["files"]) == (True, DIRECTORIES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_silenced() -> None:
    """The checks are worth what nobody switches off."""
    silenced = subprocess.run(
        [
            "git",
            "grep",
            "-nE",
            r"(type|pragma): *(ignore|no cover)|except( Exception)?:",  # written so that it does not match itself
            *DIRECTORIES,
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not silenced.stdout
