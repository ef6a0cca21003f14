"""The files a render may read, by canonical path: fleet-relative with a leading `/`.

On a laptop the whole fleet lies below one directory; in Argo CD's sidecar perhaps only one service's
directory does, and files of other layers come inside the parameter `inputs`. Both look alike from here.
Files come from git and are hostile: nothing outside the allowed directories is read, whatever links say.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from ..errors import InputError, Location, did_you_mean

# Bytes of one file, which is read into memory. Chosen, not measured, as is the next one.
MAX_FILE = 64 * 1024 * 1024
# Entries below one directory that is handed to helm or kustomize; each is looked at before.
MAX_ENTRIES = 100_000
OUTSIDE = "/dev/null/outside"  # exists nowhere
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class FileTree(NamedTuple):
    """`root`: an absolute real directory, standing for the canonical path `mount` (`/`: the fleet).

    `allowed`: canonical directories that specs may refer to; `inline`: files that lie on no disk.
    """

    root: str
    allowed: tuple[str, ...]
    mount: str = "/"
    inline: Mapping[str, bytes] = {}

    def read(self, path: str, at: Location) -> bytes:
        """The content of a file. InputError at `at`: missing, outside, no regular file, too large."""
        if path in self.inline:
            return self.inline[path]
        real = self._existing(path, at)
        if os.path.isdir(real):
            raise InputError(f"{path[1:]} is a directory, a file is needed", at)
        try:
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise InputError(f"{path[1:]} cannot be read: {os.strerror(error.errno or 0)}", at) from None
        with os.fdopen(descriptor, "rb") as handle:
            facts = os.fstat(handle.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise InputError(f"{path[1:]} is no regular file", at)
            if facts.st_size > MAX_FILE:
                raise InputError(f"{path[1:]} is larger than {MAX_FILE >> 20} MiB", at)
            return handle.read(facts.st_size + 1)

    def exists(self, path: str) -> bool:
        """Whether there is something at `path`."""
        return path in self.inline or os.path.exists(self._disk(path))

    def hides(self, path: str) -> bool:
        """Whether something may be at `path` that does not `exist`: behind a link to nothing, or closed to us."""
        try:
            os.stat(self._disk(path))
        except (FileNotFoundError, NotADirectoryError):
            return any(os.path.islink(file) for file in (self._disk(path), self._disk(posixpath.dirname(path))))
        except OSError:
            return True
        return False

    def is_dir(self, path: str) -> bool:
        """Whether a directory is at `path`."""
        return path not in self.inline and os.path.isdir(self._disk(path))

    def kustomization(self, path: str) -> str:
        """The canonical path of the kustomization file in directory `path`, or an empty string."""
        names = [name for name in KUSTOMIZATIONS if self.exists(f"{path.rstrip('/')}/{name}")]
        return f"{path.rstrip('/')}/{names[0]}" if names else ""

    def locate(self, path: str, at: Location) -> str:
        """The absolute real path of a file or directory, for helm and kustomize to open.

        Everything below a directory is looked at: a link that leaves the allowed directories, or
        anything that is neither file nor directory, is an error.
        """
        real = self._existing(path, at)
        if os.path.isdir(real):
            self._check_below(real, path, at)
        return real

    def relative(self, text: str) -> str:
        """`text` with this tree's absolute paths turned into fleet-relative ones."""
        prefix = self.mount.strip("/")
        text = text.replace(self.root + "/", f"{prefix}/" if prefix else "")
        return text.replace(self.root, prefix or ".")

    def is_allowed(self, real: str) -> bool:
        """Whether what lies at the absolute real path `real` may be read."""
        return any(within(real, self._disk(directory)) for directory in self.allowed)

    def _disk(self, path: str) -> str:
        if self.mount != "/" and not f"{path}/".startswith(f"{self.mount}/"):
            return OUTSIDE
        inner = (path if self.mount == "/" else path[len(self.mount) :]).lstrip("/")
        return os.path.join(self.root, inner) if inner else self.root

    def _existing(self, path: str, at: Location) -> str:
        on_disk = self._disk(path)
        real = os.path.realpath(on_disk)
        if on_disk != OUTSIDE and not self.is_allowed(real):
            raise InputError(f"{path[1:]} is a link that leads out of the allowed directories", at)
        if not os.path.exists(real):
            hint = "it is a link to nothing" if os.path.islink(on_disk) else self._nearest(path)
            raise InputError(f"{path[1:]} does not exist", at, hint)
        return real

    def _nearest(self, path: str) -> str:
        parent, name = posixpath.split(path)
        while parent != "/" and not os.path.isdir(self._disk(parent)):
            parent, name = posixpath.split(parent)
        try:
            names = os.listdir(self._disk(parent))
        except OSError:
            return ""
        return did_you_mean(name, sorted(names))

    def _check_below(self, top: str, path: str, at: Location) -> None:
        """Looks at everything that helm and kustomize could reach; they follow links to directories."""
        pending, entered, seen = [top], {top}, 0
        while pending:
            directory = pending.pop()
            try:
                with os.scandir(directory) as opened:
                    entries = list(islice(opened, MAX_ENTRIES + 1))
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                raise InputError(f"{self.relative(directory)} cannot be read: {reason}", at) from None
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    raise InputError(f"{path[1:]} holds more than {MAX_ENTRIES} files", at)
                real = self._checked_entry(entry, at)
                if real not in entered and os.path.isdir(real):
                    entered.add(real)
                    pending.append(real)

    def _checked_entry(self, entry: os.DirEntry[str], at: Location) -> str:
        """The real path of something in a directory, unless it is nothing to read."""
        real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
        name = self.relative(entry.path)
        if not self.is_allowed(real):
            raise InputError(f"{name} is a link that leads out of the allowed directories", at)
        if os.path.exists(real) and not (os.path.isfile(real) or os.path.isdir(real)):
            raise InputError(f"{name} is no regular file", at)
        return real


def within(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or lies below it, by name."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def canonical(path: str, directory: str, at: Location) -> str:
    """The canonical path of `path` as written in a file of canonical directory `directory`.

    A leading `/` is the fleet's root. InputError when `..` climbs above it or the text is no path.
    """
    if "\0" in path or "\\" in path:
        raise InputError("a path has no backslash or NUL", at)
    if "://" in path:
        raise InputError(f'"{path}" is an address, a path in this repository is needed', at)
    steps: list[str] = []
    for step in (path if path.startswith("/") else f"{directory}/{path}").split("/"):
        if step == "..":
            if not steps:
                raise InputError(f'"{path}" leaves the fleet', at)
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/" + "/".join(steps)


def allowed_in(path: str, allowed: tuple[str, ...]) -> bool:
    """Whether canonical `path` lies in one of the canonical directories `allowed`."""
    return any(directory == "/" or within(path, directory) for directory in allowed)
