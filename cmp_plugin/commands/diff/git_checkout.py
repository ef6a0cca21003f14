"""A directory of a commit, whole: as `git checkout` with submodules and Git LFS would make it.

In: a repository and a commit. Out: files in a new directory, and sentences about what is missing. What
lies in other places of this machine (a submodule's own repository, LFS's store) is read there; nothing
is fetched, and no program of the repository's is started.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence

from ...system.process import Deadline
from ...tools import git

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
# Git LFS's own limit (docs/spec.md there): a larger file is content, so it need not be opened.
_LONGEST_POINTER = 1024
# Submodules in submodules: deep enough for any repository, and an end where two name each other.
_MOST_NESTED = 5


def checked_out(
    repo: git.Repository, of: str, into: str, workdir: str, deadline: Deadline, only: Sequence[str] | None = None
) -> list[str]:
    """Write what the directory holds in commit `of` into the new directory `into`; `only` these directories.

    Gives sentences about content that is not on this machine. Raises ToolError as `git.extract` does.
    """
    git.extract(repo, of, into, workdir, deadline, only)
    missing = list(_submodules(repo, git.submodules(repo, of, deadline, only or ()), into, workdir, deadline))
    return [*missing, *_large_files(repo, into, deadline)]


def _submodules(
    repo: git.Repository,
    listed: list[tuple[str, str]],
    into: str,
    workdir: str,
    deadline: Deadline,
    depth: int = 1,
) -> Iterator[str]:
    """Fill the directories of submodules from the repositories that the work tree has for them."""
    for path, commit in listed:
        directory = os.path.join(into, path)
        inner = git.repository(os.path.join(repo.directory, path), deadline) if depth <= _MOST_NESTED else None
        if inner is None or inner.git_dir == repo.git_dir or not git.has_commit(inner, commit, deadline):
            # Two commits of what is not here must not look alike.
            with open(os.path.join(directory, f".commit-{commit}"), "xb"):
                pass
            yield f"submodule {path} is not here at commit {commit[:12]}: git submodule update --init"
            continue
        os.rmdir(directory)
        git.extract(inner, commit, directory, workdir, deadline)
        inside = git.submodules(inner, commit, deadline)
        yield from _submodules(inner, inside, directory, workdir, deadline, depth + 1)


def _large_files(repo: git.Repository, into: str, deadline: Deadline) -> Iterator[str]:
    """Put the content from Git LFS's store where the commit has pointers to it."""
    store = ""
    for path in (os.path.join(parent, name) for parent, _, names in os.walk(into) for name in names):
        if os.path.islink(path) or os.path.getsize(path) > _LONGEST_POINTER:
            continue
        with open(path, "rb") as file:
            pointer = _POINTER.match(file.read())
        if pointer is None:
            continue
        store = store or os.path.join(git.common_directory(repo, deadline), "lfs", "objects")
        oid = pointer[1].decode()
        content = os.path.join(store, oid[:2], oid[2:4], oid)
        if os.path.isfile(content):
            shutil.copyfile(content, path)
        else:
            yield f"{os.path.relpath(path, into)} is in Git LFS, and its content is not here: git lfs fetch"
