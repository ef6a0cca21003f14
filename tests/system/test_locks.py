"""Locks: one owner at a time, free when the owner dies however it dies, and on what is still at its path."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmp_plugin.system.locks import ALONE, SHARED, lock_directory, lock_file

# Locks a file or directory, says so, does what the last argument says, and ends when its standard input does.
OWNER = """
import os, subprocess, sys
from cmp_plugin.system.locks import ALONE, SHARED, lock_directory, lock_file
path, kind, then = sys.argv[1], {"shared": SHARED, "alone": ALONE}[sys.argv[2]], sys.argv[3]
lock = lock_directory(path, kind) if os.path.isdir(path) else lock_file(path, kind, create=True)
assert lock is not None
if then == "start":
    print(subprocess.Popen(["/bin/sleep", "60"]).pid, flush=True)
print("locked", flush=True)
sys.stdin.read()
if then == "remove":
    os.unlink(path)
"""


class Owner:
    """Another process that holds a lock."""

    def __init__(self, path: Path, kind: str = "alone", then: str = "") -> None:
        argv, pipe = [sys.executable, "-c", OWNER, str(path), kind, then], subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)
        self.said = [self.line()]
        while self.said[-1] != "locked":
            self.said.append(self.line())

    def line(self) -> str:
        assert self.process.stdout
        text = self.process.stdout.readline().strip()
        assert text, "the other process has ended"
        return text

    def end(self, number: int = 0) -> None:
        if number:
            self.process.send_signal(number)
        self.process.communicate(timeout=20)


def freed(path: Path) -> None:
    """Takes the lock on a file, and lets go of it."""
    lock = lock_file(str(path), ALONE)
    assert lock is not None
    os.close(lock)


def test_a_lock_file_is_its_owners_only(tmp_path: Path) -> None:
    lock = lock_file(str(tmp_path / "lock"), ALONE, create=True)
    assert lock is not None
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    assert not os.get_inheritable(lock)
    os.close(lock)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, 0])
def test_it_is_free_when_the_owner_ends(tmp_path: Path, number: int) -> None:
    path = tmp_path / "lock"
    owner = Owner(path)
    assert lock_file(str(path), ALONE) is None
    assert lock_file(str(path), SHARED) is None
    owner.end(number)
    freed(path)


def test_what_the_owner_started_does_not_hold_it(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "lock", then="start")
    owner.process.kill()
    owner.process.wait(20)
    freed(tmp_path / "lock")
    os.kill(int(owner.said[0]), signal.SIGKILL)
    owner.process.communicate(timeout=20)


def test_many_share_a_directory_and_one_has_it_alone(tmp_path: Path) -> None:
    owner = Owner(tmp_path, "shared")
    lock = lock_directory(str(tmp_path), SHARED)
    assert lock is not None
    os.close(lock)
    assert lock_directory(str(tmp_path), ALONE) is None
    owner.end()
    lock = lock_directory(str(tmp_path), ALONE)
    assert lock is not None
    os.close(lock)


def test_waiting_ends_when_the_owner_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    owner = Owner(path)
    waiting = subprocess.Popen(
        [sys.executable, "-c", ("import sys; from cmp_plugin.system.locks import *; "
         "assert lock_file(sys.argv[1], ALONE, wait=True) is not None"), str(path)]
    )  # fmt: skip
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    owner.end(signal.SIGKILL)
    assert waiting.wait(20) == 0


@pytest.mark.parametrize("create", [True, False])
def test_what_was_removed_meanwhile_is_not_locked(tmp_path: Path, create: bool) -> None:
    """The owner removes the file before it lets go: who waited has a lock on nothing, or on the new file."""
    path = tmp_path / "lock"
    owner = Owner(path, then="remove")
    code = (
        "import os, sys; from cmp_plugin.system.locks import *\n"
        f"lock = lock_file(sys.argv[1], ALONE, create={create}, wait=True)\n"
        "print('nothing' if lock is None else os.path.samestat(os.fstat(lock), os.stat(sys.argv[1])))"
    )
    waiting = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not has_open(waiting.pid, path):
        assert time.monotonic() < deadline
    owner.end()
    assert waiting.communicate(timeout=20)[0].strip() == ("True" if create else "nothing")
    assert path.exists() is create


def has_open(pid: int, path: Path) -> bool:
    """Whether the process has the file open; a descriptor may be closed while its link is looked at."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.path.samefile(descriptor, path):
                return True
    return False


def test_nothing_there(tmp_path: Path) -> None:
    assert lock_file(str(tmp_path / "lock"), ALONE) is None
    assert lock_directory(str(tmp_path / "directory"), ALONE, wait=True) is None
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nothing")
    with pytest.raises(OSError):
        lock_directory(str(tmp_path / "link"), SHARED)
    with pytest.raises(OSError):
        lock_file(str(tmp_path / "dangling"), ALONE, create=True)
    assert not (tmp_path / "nothing").exists()


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "lock")
    before = len(os.listdir("/dev/fd"))
    assert lock_file(str(tmp_path / "lock"), ALONE) is None
    assert lock_file(str(tmp_path / "absent"), ALONE) is None
    assert len(os.listdir("/dev/fd")) == before
    owner.end()
