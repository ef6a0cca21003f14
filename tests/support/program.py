"""The installed program as a person or Argo CD runs it: a process with a known environment."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import NamedTuple

import checkout
import needs
import pytest
from set_up import HELM3, HELM4, KUSTOMIZE5

from cmp_plugin.tools import discovery
from cmp_plugin.tools.install import Recipe

CHECKOUT = checkout.CHECKOUT
BIN = os.path.dirname(sys.executable)
PROGRAM = os.path.join(BIN, "cmp-plugin")


class Outcome(NamedTuple):
    """What a process printed and how it ended."""

    stdout: bytes
    stderr: bytes
    code: int


@functools.cache
def required(recipe: Recipe, wanted: str) -> discovery.Tool:
    """The tool of that range; its absence is an error of the set-up, never a reason to skip."""
    return discovery.find(recipe.kind, wanted, True, None)


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
    for recipe, wanted in (KUSTOMIZE5, HELM4, HELM3):
        tool, name = required(recipe, wanted), recipe.kind.name
        link = os.path.join(cache, "cmp-plugin", "tools", f"{name}-{tool.version}", name)
        if not os.path.lexists(link):
            os.makedirs(os.path.dirname(link))
            os.symlink(tool.path, link)
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
