"""Starts the programs under test as processes of this machine, and ends every one of them.

Loopback only, free ports, one directory per program for HOME and TMPDIR, output to a log file.
A program that dies early or is not ready in time fails the test with the end of its log.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"


class Program:
    """A started program. `home` is its HOME and holds its TMPDIR and its log."""

    def __init__(self, name: str, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.home = home
        self.process = process

    @property
    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def wait_until(self, ready: Callable[[], object], seconds: float = 60) -> None:
        """Waits until `ready()` is true; fails when the program ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} is not ready after {seconds} s:\n{self.log[-3000:]}")
            time.sleep(0.05)


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
    try:
        yield Program(name, home, process)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience: float = 2) -> None:
    """SIGTERM, then SIGKILL to the whole group: argocd-cmp-server does not stop on SIGTERM."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now; taken all at once, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
