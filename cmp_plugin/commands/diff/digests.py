"""What files and directories of a fleet hold, as digests: each is read once.

In: canonical paths and the tree that allows them. Out: texts that are equal only where everything that
helm or kustomize could read there is equal. Links are followed, as the tools do, and count with where
they lead.
"""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

from ...errors import InputError, Location
from ...system.files import MAX_ENTRIES, FileTree

# Git's own files differ between two checkouts of one commit.
_IGNORED = (".git",)


class _Walk(NamedTuple):
    """One look at one path: the tree, the links and all entries that were met, what is left out."""

    tree: FileTree
    links: list[str]
    seen: list[str]
    without: str


class Contents:
    """Digests of one fleet's files. What lies behind links depends on what the tree allows.

    `plain_charts`: directories of charts that are known to name no other directory.
    """

    def __init__(self) -> None:
        self.plain_charts: set[str] = set()
        self._known: dict[tuple[object, ...], str] = {}
        self._files: dict[str, str] = {}

    def of(self, path: str, tree: FileTree, without: str = "") -> str:
        """The digest of what is at `path`, or a word for nothing; of a directory without one of its files.

        Raises InputError, OSError.
        """
        absolute = os.path.join(tree.root, path.lstrip("/")).rstrip("/")
        known = self._known.get((absolute, without)) or self._known.get((absolute, without, tree.allowed))
        if known is None:
            walk = _Walk(tree, [], [], os.path.join(absolute, without))
            known = self._entry(absolute, os.path.realpath(absolute), walk, [])
            self._known[(absolute, without, tree.allowed) if walk.links else (absolute, without)] = known
        return known

    def _entry(self, absolute: str, real: str, walk: _Walk, entered: list[str]) -> str:
        """A file, a link or a directory; `entered`: the real directories around it."""
        walk.seen.append(absolute)
        if len(walk.seen) > 2 * MAX_ENTRIES:
            raise InputError(f"{os.path.basename(absolute)} holds too many files", Location(""))
        if real != absolute:
            walk.links.append(absolute)
            if not walk.tree.is_allowed(real):
                return "outside"
            return f"{os.path.relpath(real, walk.tree.root)} {self._entry(real, real, walk, entered)}"
        if os.path.isdir(real):
            if real in entered:
                return f"back {len(entered) - entered.index(real)}"
            return self._directory(real, walk, [*entered, real])
        if os.path.isfile(real):
            if real not in self._files:
                with open(real, "rb") as file:
                    self._files[real] = f"file {hashlib.file_digest(file, 'sha256').hexdigest()}"
            return self._files[real]
        return "other" if os.path.lexists(real) else "nothing"

    def _directory(self, real: str, walk: _Walk, entered: list[str]) -> str:
        listed = hashlib.sha256()
        with os.scandir(real) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name not in _IGNORED and entry.path != walk.without:
                    leads_to = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    content = self._entry(entry.path, leads_to, walk, entered)
                    listed.update(f"{entry.name!a} {content}\n".encode(errors="surrogatepass"))
        return f"directory {listed.hexdigest()}"
