"""Slots for helm and kustomize: as many at once as there are processors, first come, first served.

In: a deadline. Out: a block in which the caller may run one tool. Argo CD starts a `generate` for
every Application of a new commit at once; they meet here, in a directory below `$TMPDIR` with a ticket
for each tool that runs or waits. Its owner holds a lock on it, so the ticket of a dead process counts
for nothing. Where there can be no such directory, or no locks in it, nobody waits: a render matters more
than the order.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator

from ..errors import ToolError
from .locks import ALONE, SHARED, lock_directory, lock_file
from .process import Deadline

VARIABLE = "CMP_PLUGIN_PROCESSES"
# Seconds between two looks at the tickets before ours: well below a tool's run (0.1 s and more), and a look
# costs a listing of a small directory.
_PAUSE = 0.02


@contextlib.contextmanager
def turn(tool: str, deadline: Deadline) -> Iterator[None]:
    """Waits until it is the caller's turn, which lasts as long as the block.

    `tool` is named in the ToolError that is raised when the deadline comes first.
    """
    limit = _limit()
    queue = _queue()
    ticket = _draw(queue) if queue else None
    if ticket is None:
        yield
        return
    name, lock = ticket
    try:
        while _held_before(queue, name, limit) == limit:
            left = deadline.left()
            if not left:
                hint = f"give the sidecar more CPU, or set {VARIABLE}"
                message = f"{tool} had no turn within {deadline.seconds:g} s: {limit} run at a time"
                raise ToolError(message, hint=hint)
            time.sleep(min(left, _PAUSE))
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(queue, name))
        os.close(lock)


def processors() -> int:
    """How many this process may use: the machine's, or fewer by the limit of its container."""
    affinity = getattr(os, "sched_getaffinity", None)
    own = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(own, container_limit() or own))


def _limit() -> int:
    told = os.environ.get(VARIABLE)
    if not told:
        return processors()
    if not told.isdecimal() or int(told) < 1:
        raise ToolError(f"{VARIABLE} must be a whole number from 1")
    return int(told)


def container_limit(cgroup: str = "/sys/fs/cgroup") -> int:
    """The CPU limit of our cgroup (version 2, else 1), rounded up; 0 when there is none."""
    quota, _, period = _line(cgroup, "cpu.max").partition(" ")
    if not period:
        quota = _line(cgroup, "cpu/cpu.cfs_quota_us")
        period = _line(cgroup, "cpu/cpu.cfs_period_us")
    if not quota.isdecimal() or not period.isdecimal() or not int(period):
        return 0
    return -(-int(quota) // int(period))


def _line(directory: str, name: str) -> str:
    try:
        with open(os.path.join(directory, name)) as file:
            return file.readline().strip()
    except OSError:
        return ""


def _queue() -> str:
    """The directory of the tickets: ours, or an empty string."""
    path = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"cmp-turns-{os.geteuid()}")
    with contextlib.suppress(OSError):
        os.mkdir(path, 0o700)
    try:
        facts = os.lstat(path)
    except OSError:
        return ""
    return path if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() else ""


def _draw(queue: str) -> tuple[str, int] | None:
    """A new ticket: its name, which sorts behind all there are, and the descriptor that holds it; None: no locks.

    Tickets are drawn one at a time: whoever sees an earlier one can be sure that it is locked.
    """
    try:
        door = lock_directory(queue, ALONE, wait=True)
        if door is None:
            return None
        try:
            name = f"{time.monotonic_ns():020d}-{os.getpid()}"
            ticket = lock_file(os.path.join(queue, name), ALONE, create=True)
            return (name, ticket) if ticket is not None else None
        finally:
            os.close(door)
    except OSError:
        return None


def _held_before(queue: str, own: str, limit: int) -> int:
    """How many tickets older than `own` have a living owner, counted up to `limit`; those of the dead are removed."""
    held = 0
    for name in sorted(os.listdir(queue)):
        if name >= own or held == limit:
            break
        path = os.path.join(queue, name)
        ticket = lock_file(path, SHARED)  # shared: two that look at once do not take each other for its owner
        if ticket is None:
            held += os.path.exists(path)
            continue
        with contextlib.suppress(OSError):  # the other one that looks has removed it
            os.unlink(path)
        os.close(ticket)
    return held
