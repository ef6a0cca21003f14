"""The code is as ruff's checks and its formatter want it: what `make lint` asks."""

from __future__ import annotations

import os
import subprocess

import pytest
from program import BIN, CHECKOUT


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(words: list[str]) -> None:
    done = subprocess.run(
        [os.path.join(BIN, "ruff"), *words, "--no-cache", "."],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
