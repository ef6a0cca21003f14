"""The package and the scripts hold what mypy --strict asks (settings in pyproject.toml)."""

from __future__ import annotations

import subprocess
import sys

from program import CHECKOUT


def test_types_are_strict() -> None:
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
            r"type: ignore|pragma: no cover|except:|except Exception:",
            "cmp_plugin",
            "scripts",
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not silenced.stdout
