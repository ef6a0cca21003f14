"""The one place where a process starts.

In: a command line, a directory, a whole environment, a deadline. Out: what it printed and its exit
code. There is no shell, nothing of our own standard input, no open file of ours, no thread. A child
stays in our process group, because that is what Argo CD kills. Whatever ends a run early (deadline,
too much output, Ctrl-C, an error of ours), the child is killed and reaped before the caller knows.
"""

from __future__ import annotations

import math
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..errors import ToolError

# Bytes of stdout: a template can print without an end, and what it prints is held in memory.
OUTPUT_LIMIT = 256 << 20
# Bytes of stderr, its end: tools put the reason there, after any number of warnings.
STDERR_KEPT = 1 << 20
_CHUNK = 256 << 10
# A grandchild may hold the pipes open after the child has ended; how often to look, in seconds.
_LOOK = 0.1


class Deadline:
    """A point in time for a whole render, by the monotonic clock; `Deadline()` never expires."""

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether it has passed."""
        return not self.left()

    def expire(self) -> None:
        """Make it now, for a render in another thread that nobody waits for any more."""
        self._end = 0.0


class Completed(NamedTuple):
    """A process that ended by itself. `code` is negative when a signal ended it.

    `stderr` is the last MiB of what was printed there: tools put the reason at the end.
    """

    stdout: bytes
    stderr: bytes
    code: int


def run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    deadline: Deadline,
    limit: int = OUTPUT_LIMIT,
) -> Completed:
    """Run `argv` (its first word an absolute path) to its end, with an empty standard input.

    `env` is the child's whole environment. Raises `ToolError` when it cannot start, when the
    deadline passes, or when it prints more than `limit` bytes; an exit code is the caller's matter.
    """
    child = _start(argv, cwd, env)
    try:
        stdout, stderr = _read_both(child, deadline, limit)
        code = child.wait(None if deadline.seconds == math.inf else deadline.left())
    except subprocess.TimeoutExpired:
        message = f"was stopped: the render took longer than {deadline.seconds:g} s"
        raise _failed(argv, message) from None
    except OverflowError:
        size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
        raise _failed(argv, f"was stopped: it printed more than {size}") from None
    finally:
        _end(child)
    return Completed(stdout, stderr, code)


def clean_environment(workdir: str) -> dict[str, str]:
    """The whole environment of a tool: a home below `workdir`, no programs, no network.

    The proxy is the way to refuse the network that Go programs understand: a values schema or a
    kustomization may name addresses, and a render reads nothing but its inputs.
    """
    nowhere = "http://127.0.0.1:1"
    return {
        "HOME": os.path.join(workdir, "home"),
        "TMPDIR": workdir,
        "PATH": "",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        # A tool lives for a second: collecting garbage less often saves it a fifth of its work.
        "GOGC": "400",
        "GOMEMLIMIT": "1GiB",
    }


def _start(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        # What is started is a tool that discovery chose; arguments are a list, and no shell sees them.
        return subprocess.Popen(  # noqa: S603
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, bufsize=0
        )
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise _failed(argv, f"cannot be started: {reason}") from None
    except ValueError:
        raise _failed(argv, "cannot be started: an argument is no text that it can get") from None


def _read_both(child: subprocess.Popen[bytes], deadline: Deadline, limit: int) -> tuple[bytes, bytes]:
    """Both outputs, read until they end. When only a grandchild holds them, its output is left."""
    assert child.stdout
    assert child.stderr
    stdout, stderr = bytearray(), bytearray()
    ended = False
    with selectors.DefaultSelector() as selector:
        for stream, kept in ((child.stdout, stdout), (child.stderr, stderr)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream.fileno(), selectors.EVENT_READ, kept)
        while selector.get_map():
            ready = selector.select(0 if ended else min(deadline.left(), _LOOK))
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fd)
            if len(stdout) > limit:
                raise OverflowError
            del stderr[:-STDERR_KEPT]
            if deadline.expired:
                raise subprocess.TimeoutExpired(child.args, deadline.seconds)
            if not ready:
                if ended:
                    break
                ended = child.poll() is not None
    return bytes(stdout), bytes(stderr)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing is left of the child: no process, no zombie, no open pipe."""
    if child.returncode is None:
        child.kill()
        child.wait()
    for stream in (child.stdout, child.stderr):
        if stream:
            stream.close()


def _failed(argv: Sequence[str], message: str) -> ToolError:
    return ToolError(f"{os.path.basename(argv[0])} {message}", argv=argv)
