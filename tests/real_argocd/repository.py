"""A git repository that Argo CD clones: a copy of the reference fleet to commit to."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bootstrapping import copy_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Repository:
    """A work tree and repository in `root`, with one branch, main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *args: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false"]
        done = subprocess.run(
            ["git", *identity, *args],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout

    def commit(self, files: Mapping[str, str | None] | None = None) -> str:
        """Writes `files` (None removes one), commits all that changed, and returns the commit."""
        for name, text in (files or {}).items():
            path = self.root / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.head

    def replace(self, name: str, old: str, new: str) -> str:
        """Commits `name` with the one occurrence of `old` replaced."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        return self.commit({name: text.replace(old, new)})


def reference_fleet(root: Path) -> Repository:
    """A repository with this checkout's fleet as its first commit."""
    repository = Repository(root)
    copy_fleet(root)
    repository.commit()
    return repository
