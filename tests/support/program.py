"""The installed program as a person or Argo CD runs it: a process with a known environment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import needs
import pytest
import toolchain

CHECKOUT = toolchain.CHECKOUT
BIN = os.path.dirname(sys.executable)
PROGRAM = os.path.join(BIN, "cmp-plugin")


class Outcome(NamedTuple):
    """What a process printed and how it ended."""

    stdout: bytes
    stderr: bytes
    code: int


def required(tool: toolchain.Tool) -> str:
    """The tool's path; its absence is an error of the set-up, never a reason to skip."""
    path = toolchain.find(tool)
    if not path:
        raise FileNotFoundError(f"{tool.name} {tool.series} is missing: make test sets it up")
    return path


def needed(*programs: str) -> None:
    """Skip the test that asks when Debian's programs are missing, with the line that says what to install.

    In CI, where everything can be installed, it fails instead.
    """
    if lacking := needs.missing_programs(programs):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(needs.advice(lacking))


def environment(home: str) -> dict[str, str]:
    """A whole environment below `home`: the tools are found, nothing else of this machine is.

    The tools cache holds links to the tools of the set-up, wherever they are.
    """
    cache = os.path.join(home, "cache")
    for tool in (toolchain.KUSTOMIZE, toolchain.HELM4, toolchain.HELM3):
        link = os.path.join(cache, "cmp-plugin", "tools", f"{tool.name}-{tool.version}", tool.name)
        if not os.path.lexists(link):
            os.makedirs(os.path.dirname(link))
            os.symlink(required(tool), link)
    path = os.pathsep.join([BIN, "/usr/local/bin", "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": home, "XDG_CACHE_HOME": cache, "LANG": "C.UTF-8", "TZ": "UTC"}


def run(args: list[str], cwd: str, env: dict[str, str], *, umask: int = -1) -> Outcome:
    """cmp-plugin with `args`, in `cwd`, with nothing on its standard input."""
    done = subprocess.run(
        [PROGRAM, *args],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        umask=umask,
    )
    return Outcome(done.stdout, done.stderr, done.returncode)
