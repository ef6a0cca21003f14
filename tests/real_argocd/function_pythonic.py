"""Installs function-pythonic, which makes the objects of a cluster, in a directory of its own.

    python3 tests/real_argocd/function_pythonic.py    a few seconds the first time, then nothing

In: requirements/function.txt, which pins it and what it needs; other versions than the tests' own
packages, and it wants a newer Python than we do. Out: `directory()`, complete or absent. Standard
library only, as it runs before anything is installed.
"""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from build import HERE, cache, locked, published

from cmp_plugin.errors import CmpError, ToolError
from cmp_plugin.tools.install import Step, pip

NEEDS = (3, 12)
LOCKED = HERE.parents[1] / "requirements" / "function.txt"


def directory() -> Path:
    """Where it is, once installed; another directory for other locked packages."""
    digest = hashlib.sha256(LOCKED.read_bytes()).hexdigest()
    return cache() / f"function-pythonic-{digest[:12]}"


def messages_file() -> Path:
    """Its module with the messages of Crossplane's protocol for functions."""
    (found,) = directory().glob("lib/python3.*/site-packages/crossplane/pythonic/proto/v1/run_function_pb2.py")
    return found


def main() -> int:
    try:
        with locked():
            if not directory().is_dir():
                install(Step(1, 1, "function-pythonic"))
    except CmpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def install(step: Step) -> None:
    python = fitting_python()
    step.say(f"installing it for {python}")
    with published(directory()) as work:
        step.run([python, "-m", "venv", str(work)])
        step.run([*pip(str(work / "bin" / "python")), "--require-hashes", "-r", str(LOCKED)])
    step.say(f"installed in {step.seconds()} s")


def fitting_python() -> str:
    """Path of a Python that is new enough: this one, one on PATH, or one of pyenv's."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    names = [shutil.which(f"python3.{minor}") for minor in range(14, NEEDS[1] - 1, -1)]
    for path in (sys.executable, *names, *sorted(glob.glob(f"{pyenv}/versions/3.*/bin/python"), reverse=True)):
        if path and version_of(path) >= NEEDS:
            return path
    raise ToolError("function-pythonic needs Python 3.12 or newer, and there is none on PATH or of pyenv's")


def version_of(python: str) -> tuple[int, ...]:
    ask = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else ()


if __name__ == "__main__":
    raise SystemExit(main())
