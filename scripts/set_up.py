"""Make a checkout ready: packages in .venv, then kustomize and helm of the pinned versions.

    python3 scripts/set_up.py          what `make preview` needs
    python3 scripts/set_up.py --tests  what `make test` needs: test packages and a second helm
    python3 scripts/set_up.py --tools DIR  helm and kustomize only, copied to DIR, for an image

Standard library only, as it runs before anything is installed. A tool on PATH is used when it is of
the wanted series; otherwise it is built from its Go module into the tools cache. What it does goes
to stderr, so that the output of a command after it stays clean.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
from typing import IO

from toolchain import CHECKOUT, HELM3, HELM4, KUSTOMIZE, SetUpError, Step, find, pip, provide_all

VENV = os.path.join(CHECKOUT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")


def fingerprint() -> str:
    """Changes whenever .venv has to be made anew: other locks, other metadata, other place."""
    import tomllib  # not before main() has looked at the version of this Python

    digest = hashlib.sha256(os.path.realpath(VENV).encode())
    for name in ("run.txt", "test.txt"):
        with open(os.path.join(CHECKOUT, "requirements", name), "rb") as locked:
            digest.update(locked.read())
    with open(os.path.join(CHECKOUT, "pyproject.toml"), "rb") as project:
        digest.update(json.dumps(tomllib.load(project)["project"]).encode())
    return digest.hexdigest()


def stamp_path(level: str) -> str:
    return os.path.join(VENV, f"installed-{level}")


def installed(level: str) -> bool:
    try:
        with open(stamp_path(level)) as file:
            return file.read() == fingerprint() and os.access(PYTHON, os.X_OK)
    except OSError:
        return False


def install_packages(step: Step, level: str) -> None:
    """The locked packages of requirements/<level>.txt and this checkout itself, editable."""
    if installed(level):
        step.say("already there")
        return
    if not installed("run"):
        step.say("creating .venv")
        require_venv_module()
        if os.path.islink(VENV):
            raise SetUpError(".venv is a link, and what it leads to is not up to date")
        step.run([sys.executable, "-m", "venv", "--clear", VENV])
    step.say(f"installing requirements/{level}.txt")
    locked = os.path.join(CHECKOUT, "requirements", f"{level}.txt")
    step.run([*pip(PYTHON), "--require-hashes", "-r", locked])
    step.run([*pip(PYTHON), "--no-deps", "--no-build-isolation", "--editable", CHECKOUT])
    for stamp in {"run", level}:
        with open(stamp_path(stamp), "w") as file:
            file.write(fingerprint())
    step.say(f"installed in {step.seconds()} s")


def require_venv_module() -> None:
    try:
        __import__("ensurepip")
    except ImportError:
        raise SetUpError("Python's venv module is not complete; on Debian: apt-get install python3-venv") from None


def set_up(level: str) -> None:
    """Packages of requirements/<level>.txt and the tools that go with them."""
    tools = [KUSTOMIZE, HELM4] + ([HELM3] if level == "test" else [])
    install_packages(Step(1, 1 + len(tools), "Python packages"), level)
    provide_all(tools, 2)


def copy_tools(directory: str) -> None:
    """helm and kustomize alone, as files of `directory`."""
    provide_all([KUSTOMIZE, HELM4], 1)
    os.makedirs(directory, exist_ok=True)
    for tool in (KUSTOMIZE, HELM4):
        shutil.copy(find(tool), os.path.join(directory, tool.name))


def alone(lock: IO[str]) -> None:
    """Hold `lock` until it is closed: two calls at once would write one .venv."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another set-up of this checkout", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (whatever python3 a machine has comes here)
        print("Python 3.11 or newer is needed; name one with: make PYTHON=python3.11", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(description="Make a checkout ready.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tests", action="store_true", help="test packages and a second helm too")
    which.add_argument("--tools", metavar="DIR", help="helm and kustomize only, copied to DIR")
    args = parser.parse_args()
    try:
        with open(__file__) as lock:
            alone(lock)
            copy_tools(args.tools) if args.tools else set_up("test" if args.tests else "run")
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
