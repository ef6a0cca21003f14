"""Files and directories that appear whole or not at all, whenever the process that writes them dies.

In: a path and its new content. Out: nothing; an OSError leaves what was at the path before, and nothing
beside it. Everything is written beside its place, as a rename works within one file system only. The only
place that writes what somebody else may read (`tools/install` moves the programs that it built); files in a
private directory (`workdir`) are written with `open`. What a killed process leaves has a name that begins
with `LEFTOVER`, and nobody reads it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator

LEFTOVER = ".cmp-plugin-new-"


def replace_file(path: str, data: bytes, mode: int = 0o666) -> None:
    """Write `data` to the file `path`, whose directory exists: readers see the old content or the new one.

    A file that was there keeps its permissions; a new one has `mode`, less the umask. A link is replaced, not
    followed.
    """
    with file_beside(path, data, mode) as move:
        move()


@contextlib.contextmanager
def file_beside(path: str, data: bytes, mode: int = 0o666) -> Iterator[Callable[[], None]]:
    """The same in two steps, for several files of which none is to change when one of them cannot be written.

    The data is written when the block begins; the function that the block gets moves it to `path`.
    """
    beside = _beside(path)
    try:
        try:
            # No fsync: what a power failure takes of a fleet is seen in git, and of our cache when it is read. With
            # it, a command that writes a whole fleet's files would wait for the disk at each.
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                with contextlib.suppress(FileNotFoundError):
                    before = os.lstat(path).st_mode
                    if stat.S_ISREG(before):
                        os.fchmod(file.fileno(), stat.S_IMODE(before))
                file.write(data)
        except OSError as error:
            error.filename = path  # what a person knows, not the name beside it
            raise
        yield lambda: os.replace(beside, path)
    finally:
        remove(beside)


@contextlib.contextmanager
def new_directory(path: str, mode: int = 0o777, *, durable: bool = False) -> Iterator[str]:
    """A directory for the block to fill, which is then moved to `path`, where nothing is, in one step.

    OSError when something is there by then. `durable`: for what is believed by its name ever after; the content
    is on the disk before the name is (fsync), so that not even a power failure leaves a part of it.
    """
    beside = _beside(path)
    try:
        os.mkdir(beside, mode)
        yield beside
        if durable:
            for parent, _, names in os.walk(beside):
                for name in names:
                    descriptor = os.open(os.path.join(parent, name), os.O_RDONLY)
                    os.fsync(descriptor)
                    os.close(descriptor)
        os.rename(beside, path)
    finally:
        remove(beside)


def write_directory(path: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Write all `files` (path below the directory, content) or, when `files` raises, none.

    A new directory appears in one step, with those above it that are missing. One that is there keeps its
    other files; ours are moved into it, each in one step, when all have been written.
    """
    path = top = os.path.abspath(path)
    if not os.path.isdir(path):
        while not os.path.lexists(os.path.dirname(top)):
            top = os.path.dirname(top)
        with new_directory(top) as new:
            _fill(os.path.join(new, os.path.relpath(path, top)), files)
        return
    new = _beside(os.path.join(path, ""))  # inside of it, as beside it may be another file system
    try:
        _fill(new, files)
        for parent, _, names in os.walk(new):
            target = os.path.join(path, os.path.relpath(parent, new))
            os.makedirs(target, exist_ok=True)
            for name in names:
                os.replace(os.path.join(parent, name), os.path.join(target, name))
    finally:
        remove(new)


def _fill(directory: str, files: Iterable[tuple[str, bytes]]) -> None:
    os.makedirs(directory, exist_ok=True)
    for name, content in files:
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def _beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f"{LEFTOVER}{os.urandom(8).hex()}")


def remove(path: str) -> None:
    """Remove a file, or a directory with all that is in it, if it is there; no link is followed.

    What refuses stays: this is for what is of no use to anybody.
    """
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        for _, directories, files, parent in os.fwalk(path, topdown=False):
            for name in files:
                os.unlink(name, dir_fd=parent)
            for name in directories:
                try:
                    os.rmdir(name, dir_fd=parent)
                except NotADirectoryError:  # a link to a directory
                    os.unlink(name, dir_fd=parent)
        os.rmdir(path)
