"""Git, read only: which commit is checked out, whether it is all there is, what another one holds.

In: a directory anywhere in a work tree. Out: commits, files. The repository may be hostile: its
configuration names programs (fsmonitor, hooks, filters, remotes), and none of them is ever started; no
network is used; its index is not written. The user's and the system's configuration are not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import ToolError
from ..system.process import Completed, Deadline, clean_environment, run
from . import discovery

# For a question that git answers out of its own files; more means a dead network file system.
LOOK_SECONDS = 20.0
# Over what a repository says itself; each of these could start a program or change what is read.
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "core.fileMode": "true",
    # The owner may be another user, as in a container; nothing of the repository's is run.
    "safe.directory": "*",
}
# An address that means the same to everybody and holds no login but a user's name.
_ADDRESS = re.compile(r"(https?://[\w.-]+(:\d+)?|ssh://([\w.-]+@)?[\w.-]+(:\d+)?|[\w.-]+@[\w.-]+:)/?[\w./~-]+")
_PROGRAMS = re.compile(r"filter\..*\.(clean|smudge|process|required)", re.DOTALL)


_GIT = discovery.Kind(
    name="git",
    variable="PATH",
    version_arguments=("--version",),
    refusal=lambda _version: "",
    one_major=False,
)


def find() -> discovery.Tool:
    """The git on PATH. ToolError without one; all that needs git works without a repository, too."""
    path = discovery.on_path("git")
    if not path:
        raise ToolError("git is not on PATH")
    return discovery.Tool(path, discovery.version_of(_GIT, path))


class Repository(NamedTuple):
    """`git_dir`: absolute. `prefix`: the directory asked for, below the top, "" or ending in `/`."""

    program: str
    directory: str
    git_dir: str
    prefix: str


def repository(directory: str, deadline: Deadline) -> Repository | None:
    """The repository that `directory` lies in; None without one or without git."""
    program = discovery.on_path("git")
    if not program:
        return None
    repo = Repository(program, directory, "", "")
    done = _git(repo, ["rev-parse", "--absolute-git-dir", "--show-prefix"], deadline)
    if done.code:
        return None
    git_dir, prefix = done.stdout.decode(errors="surrogateescape").split("\n")[:2]
    return repo._replace(git_dir=git_dir, prefix=prefix)


def commit(repo: Repository, revision: str, deadline: Deadline) -> str:
    """The full name of a commit. ToolError when the repository has no such revision."""
    arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    done = _git(repo, arguments, deadline)
    name = done.stdout.decode().strip()
    if done.code or not re.fullmatch(r"[0-9a-f]{40,64}", name):
        raise ToolError(f'git: this repository has no revision "{revision}"')
    return name


def has_commit(repo: Repository, commit: str, deadline: Deadline) -> bool:
    """Whether a commit, by its full name, is in the repository."""
    return not _git(repo, ["cat-file", "-e", f"{commit}^{{commit}}"], deadline).code


def merge_base(repo: Repository, first: str, second: str, deadline: Deadline) -> str:
    """The commit at which two commits' histories part; "" when none is known here."""
    done = _git(repo, ["merge-base", first, second], deadline)
    return "" if done.code else done.stdout.decode().strip()


def is_shallow(repo: Repository, deadline: Deadline) -> bool:
    """Whether the repository lacks the older part of its history."""
    return _git(repo, ["rev-parse", "--is-shallow-repository"], deadline).stdout.strip() == b"true"


def is_partial(repo: Repository, deadline: Deadline) -> bool:
    """Whether the repository was cloned with a filter, so that content may be missing anywhere."""
    arguments = ["config", "--get-regexp", r"^remote\..*\.promisor$"]
    return b"true" in _git(repo, arguments, deadline).stdout


def has_file(repo: Repository, of: str, path: str, deadline: Deadline) -> bool:
    """Whether commit `of` has something at `path`, relative to the directory; its content may be missing."""
    arguments = ["ls-tree", "--full-tree", "--name-only", of, "--", f"{repo.prefix}{path}"]
    return bool(_git(repo, arguments, deadline).stdout)


def branches_and_tags(repo: Repository, deadline: Deadline) -> list[str]:
    """The names that a person could mean."""
    done = _git(repo, ["for-each-ref", "--count=10000", "--format=%(refname:short)"], deadline)
    return done.stdout.decode(errors="replace").split("\n")[:-1]


def submodules(repo: Repository, of: str, deadline: Deadline, only: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(path relative to the directory, commit) of the submodules that the directory holds in commit `of`.

    `only`: those in these directories, if any are given.
    """
    arguments = ["ls-tree", "--full-tree", "-r", "-z", f"{of}:{repo.prefix.rstrip('/')}", "--", *only]
    listed = _checked(repo, arguments, deadline).stdout
    entries = (entry.partition("\t") for entry in listed.decode(errors="surrogateescape").split("\0"))
    return [(path, facts.split()[2]) for facts, _, path in entries if facts.startswith("160000 ")]


def common_directory(repo: Repository, deadline: Deadline) -> str:
    """The absolute directory that all work trees of the repository share."""
    done = _checked(repo, ["rev-parse", "--git-common-dir"], deadline)
    return os.path.join(repo.directory, done.stdout.decode(errors="surrogateescape").removesuffix("\n"))


def day(repo: Repository, of: str, deadline: Deadline) -> str:
    """The day of commit `of`, as its committer's calendar had it: `2026-11-20`."""
    return (
        _checked(repo, ["show", "--no-patch", "--no-show-signature", "--format=%cs", of], deadline)
        .stdout.decode()
        .strip()
    )


def is_dirty(repo: Repository, deadline: Deadline) -> bool:
    """Whether the directory holds anything that HEAD does not; ignored files and submodules apart."""
    arguments = [
        "status",
        "--porcelain=v1",
        "--untracked-files=normal",
        "--ignore-submodules=all",
        "--",
        ".",
    ]
    return bool(_checked(repo, arguments, deadline).stdout)


def origin(repo: Repository, deadline: Deadline) -> str:
    """The address of the remote `origin`; "" when there is none, or one that others could not use.

    A login in it stays out: it may be a secret.
    """
    done = _git(repo, ["config", "--get", "remote.origin.url"], deadline)
    address = done.stdout.decode(errors="replace").strip()
    return address if _ADDRESS.fullmatch(address) else ""


def read_file(repo: Repository, of: str, path: str, deadline: Deadline) -> bytes:
    """A file's content in commit `of`, `path` relative to the directory. ToolError: no such file."""
    done = _git(repo, ["cat-file", "blob", f"{of}:{repo.prefix}{path}"], deadline)
    if done.code:
        raise ToolError(f"git: commit {of[:12]} has no file {path}")
    return done.stdout


def extract(
    repo: Repository, of: str, into: str, workdir: str, deadline: Deadline, only: Sequence[str] | None = None
) -> None:
    """Write what the directory holds in commit `of` into the new directory `into`.

    `only`: no more than these directories, none inside of another. Links come out as links, submodules
    as empty directories, filtered files (LFS) unfiltered.
    """
    os.mkdir(into)
    extra = {"GIT_INDEX_FILE": os.path.join(workdir, "index")}
    _checked(repo, ["read-tree", "--empty"], deadline, extra)
    trees = {directory: f"{of}:{repo.prefix}{directory}" for directory in only or ()}
    kinds = {directory: _git(repo, ["cat-file", "-t", tree], deadline).stdout for directory, tree in trees.items()}
    if only is None or b"blob\n" in kinds.values():  # a link in a directory's place leads anywhere
        _checked(repo, ["read-tree", f"{of}:{repo.prefix.rstrip('/')}"], deadline, extra)
        kinds = {}
    for directory in (name for name, kind in kinds.items() if kind == b"tree\n"):
        _checked(repo, ["read-tree", f"--prefix={directory}/", trees[directory]], deadline, extra)
    _checked(repo, [f"--work-tree={into}", "checkout-index", "--all"], deadline, extra)


def _checked(
    repo: Repository, arguments: list[str], deadline: Deadline, extra: dict[str, str] | None = None
) -> Completed:
    """Git with the repository's filters switched off by name. ToolError when it fails."""
    listed = _git(repo, ["config", "--list", "--name-only", "-z"], deadline)
    names = listed.stdout.decode(errors="surrogateescape").split("\0")
    filters = {name: "" for name in names if _PROGRAMS.fullmatch(name)}
    done = _git(repo, arguments, deadline, extra, filters)
    if done.code:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        reason = reason.replace(repo.directory, ".").replace(repo.git_dir, ".git")
        raise ToolError(f"git: {reason.removeprefix('fatal: ')}", exit_code=done.code)
    return done


def _git(
    repo: Repository,
    arguments: list[str],
    deadline: Deadline,
    extra: dict[str, str] | None = None,
    filters: dict[str, str] | None = None,
) -> Completed:
    located = [f"--git-dir={repo.git_dir}"] if extra else []
    env = _environment({**_SETTINGS, **(filters or {})}) | (extra or {})
    return run([repo.program, *located, *arguments], cwd=repo.directory, env=env, deadline=deadline)


def _environment(settings: dict[str, str]) -> dict[str, str]:
    env = clean_environment("/nonexistent") | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        # A clone may lack objects: what is not there is an error, never fetched.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (name, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env
