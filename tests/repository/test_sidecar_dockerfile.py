"""sidecar.Dockerfile without building it; tests/real_argocd/test_sidecar.py does that, where root has an hour for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from program import CHECKOUT

SET_UP = "RUN python3 scripts/set_up.py --tools"


def test_what_is_copied_before_the_tools_are_built_is_enough_to_start(tmp_path: Path) -> None:
    """The stage has only some files of the checkout then, so that a change of the others does not build helm again."""
    before, found, _ = Path(CHECKOUT, "sidecar.Dockerfile").read_text().partition(SET_UP)
    assert found
    for line in re.findall(r"^COPY (.+)$", before, re.MULTILINE):
        *sources, target = line.split()
        for source in (Path(CHECKOUT, name) for name in sources):
            if source.is_dir():
                shutil.copytree(source, tmp_path / target, dirs_exist_ok=True)
            else:
                (tmp_path / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, tmp_path / target)
    # Without site-packages and PYTHONPATH, where this checkout would be found.
    argv = [sys.executable, "-E", "-S", "scripts/set_up.py", "--help"]
    done = subprocess.run(
        argv, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--tools" in done.stdout
