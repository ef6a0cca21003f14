"""Starts the programs under test as processes of this machine, and ends every one of them.

Loopback only, free ports, one directory per program for HOME and TMPDIR, output to a log file.
A program that ends early or is not ready in time fails the test with the end of its log. Nothing here
sleeps for a fixed time: `until` waits for a condition, and gives up.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOST = "127.0.0.1"
# Seconds. Ten times what the slowest step takes on two idle processors, as the machine may be busy; more
# than the three minutes that Argo CD pauses at most before it tries a sync again.
PATIENCE = 400


def until(condition: Callable[[], Any], otherwise: Callable[[], Any] = lambda: "", seconds: float = PATIENCE) -> Any:
    """The first true value of `condition()`; AssertionError with `otherwise()` when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s: {otherwise()}"
        time.sleep(0.1)
    return value


class Program:
    """A started program. `home` is its HOME and holds its TMPDIR and its log."""

    def __init__(self, name: str, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.home = home
        self.process = process

    @property
    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def wait_until(self, ready: Callable[[], object]) -> None:
        """Waits until `ready()` is true; fails when the program ends or the time is over."""

        def is_ready() -> object:
            code = self.process.poll()
            assert code is None, f"{self.name} ended with {code}:\n{self.log[-3000:]}"
            return ready()

        until(is_ready, lambda: f"{self.name} is not ready:\n{self.log[-3000:]}")

    def processes(self, name: str = "") -> list[int]:
        """The running processes of this name, or all, that are the program or that it started."""
        found = []
        for entry in Path("/proc").iterdir():
            # One that ends meanwhile is none.
            with suppress(FileNotFoundError, ProcessLookupError):
                if entry.name.isdigit():
                    before, _, after = (entry / "stat").read_text().rpartition(")")
                    state, _, _, session = after.split()[:4]
                    if int(session) == self.process.pid and state != "Z" and name in ("", before.partition("(")[2]):
                        found.append(int(entry.name))
        return found

    def end(self) -> None:
        """Kills it and all that it started: argocd-cmp-server's plugins are in process groups of their own."""

        def nothing_left() -> bool:
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not self.processes()

        until(nothing_left)
        self.process.wait()


@contextmanager
def running(
    name: str, argv: Sequence[str | Path], home: Path, environment: Mapping[str, str] | None = None, path: str = ""
) -> Iterator[Program]:
    """Runs `argv` for the length of the block, in a session of its own that is killed at the end.

    Nothing of our own environment reaches it but PATH, behind `path`. It dies with this process, too.
    """
    (home / "tmp").mkdir(parents=True)
    search = os.pathsep.join(filter(None, (path, os.environ["PATH"])))
    own = {"PATH": search, "HOME": str(home), "TMPDIR": str(home / "tmp")}
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *argv],
            env=own | dict(environment or {}),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    program = Program(name, home, process)
    try:
        yield program
    finally:
        program.end()


_held: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Ports for servers to listen on that nobody else gets as long as this process lives.

    Each is bound here, not listening: a server, which says SO_REUSEADDR, may have it nevertheless, while an
    outgoing connection or another run's `free_ports` cannot take it before the server has started.
    """
    for _ in range(count):
        held = socket.socket()
        held.bind((HOST, 0))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(held)
    return [held.getsockname()[1] for held in _held[-count:]]


def listens(address: int | Path) -> bool:
    """Whether somebody takes connections at this port, or at this socket's path."""
    family, where = (socket.AF_UNIX, str(address)) if isinstance(address, Path) else (socket.AF_INET, (HOST, address))
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex(where) == 0
