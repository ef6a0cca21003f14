"""The installed program as a person or Argo CD runs it: a process with a known environment."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import NamedTuple, NoReturn

import checkout
import needs
import pytest
from set_up import HELM3, HELM4, KUSTOMIZE5

from cmp_plugin.tools import discovery
from cmp_plugin.tools.install import Recipe

CHECKOUT = checkout.CHECKOUT
BIN = os.path.dirname(sys.executable)
PROGRAM = os.path.join(BIN, "cmp-plugin")
AT_START = {"LANG": "C.UTF-8", "TZ": "UTC"}
# No run takes a tenth of these seconds on an idle machine.
TIMEOUT = 300


class Outcome(NamedTuple):
    """What a process printed and how it ended."""

    stdout: bytes
    stderr: bytes
    code: int


@functools.cache
def required(recipe: Recipe, wanted: str) -> discovery.Tool:
    """The tool of that range; its absence is an error of the set-up, never a reason to skip.

    What a test names for itself meanwhile (a fixture of a module may ask late) says nothing about the set-up.
    """
    with pytest.MonkeyPatch.context() as patched:
        for variable in (recipe.kind.variable, "CMP_PLUGIN_CACHE_DIR"):
            patched.delenv(variable, raising=False)
        return discovery.find(recipe.kind, wanted, True, None)


def needed(*programs: str) -> None:
    """Skip the test that asks when Debian's programs are missing, with the line that says what to install."""
    if missing := needs.missing_programs(programs):
        lacking(needs.advice(missing))


def lacking(advice: str) -> NoReturn:
    """Skip the test that asks, with the line that says what this machine lacks.

    In CI, where nothing may be missing, it fails instead.
    """
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(advice)


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
    return {"PATH": path, "HOME": home, "XDG_CACHE_HOME": cache, **AT_START}


def run(args: list[str], cwd: str, env: dict[str, str], *, umask: int = -1) -> Outcome:
    """cmp-plugin with `args`, in `cwd`, with nothing on its standard input.

    A process whose imports are done already (fork_server.py) unless `env` has what Python reads when it starts.
    What is not seen here (the time of a start, what a module forgets to import) is for `run_from_start`.
    """
    if started_by(env) != started_by(AT_START):
        return run_from_start(args, cwd, env, umask=umask)
    asked = {"argv": [PROGRAM, *args], "cwd": cwd, "env": env, "umask": umask}
    ours, theirs = socket.socketpair()
    with ours, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with theirs:
            socket.send_fds(fork_server(), [b"."], [theirs.fileno(), stdout.fileno(), stderr.fileno()])
        ours.settimeout(TIMEOUT)
        with ours.makefile("rwb") as connection:
            connection.write(json.dumps(asked).encode() + b"\n")
            connection.flush()
            process = int(connection.readline())
            try:
                code = int(connection.readline())
            except BaseException:
                os.kill(process, signal.SIGKILL)
                raise
        for output in (stdout, stderr):
            output.seek(0)
        return Outcome(stdout.read(), stderr.read(), code)


def run_from_start(args: list[str], cwd: str, env: dict[str, str], *, umask: int = -1) -> Outcome:
    """The same by the installed command, as a person starts it."""
    done = subprocess.run(
        [PROGRAM, *args],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT,
        umask=umask,
        check=False,
    )
    return Outcome(done.stdout, done.stderr, done.returncode)


def started_by(env: dict[str, str]) -> dict[str, str]:
    """What of `env` Python reads when it starts."""
    return {key: value for key, value in env.items() if key.startswith(("PYTHON", "LANG", "LC_", "TZ"))}


@functools.cache
def fork_server() -> socket.socket:
    """The socket of this process's fork server, which ends when this process does."""
    ours, theirs = socket.socketpair()
    script = os.path.join(CHECKOUT, "tests", "support", "fork_server.py")
    with theirs:
        server = subprocess.Popen([sys.executable, script], stdin=theirs.fileno(), env=AT_START, start_new_session=True)
    atexit.register(server.wait, 10)
    atexit.register(ours.close)
    return ours
