"""One commit of a git repository elsewhere, by the user's git with their settings and credentials.

In: a `Remote`, a private directory, a deadline. Out: the directories that a kustomization in it needs.
No link, no submodule, no more than the bounds. The repository's own configuration is nobody's.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import InputError, ToolError
from ..specs.kustomizations import read_kustomization
from ..system.files import FileTree, canonical
from ..system.process import Completed, Deadline, run
from ..tools import git
from .git_address import Remote
from .limits import MAX_BYTES, MAX_FILES

_TRIES = 3  # a server's bad moment passes; what is final is not tried again
_REGULAR = ("100644", "100755")  # modes of git; links and submodules have others
_NAMES_AT_ONCE = 500  # paths in one command line, whose length the system bounds
_SAYINGS = (
    (r"could not read Username|Authentication failed|error: 401", "it wants to know who we are"),
    (r"error: 403|Permission denied", "it does not let us read"),
    (r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref", "it has no such commit"),
    (r"not found|error: 404|does not appear to be a git repository", "there is no such repository"),
    (r"Connection refused|Could(n't| not) connect to server", "the connection was refused"),
    (r"Could not resolve host", "there is no such host"),
    (r"Connection timed out|Operation timed out", "there was no answer in time"),
    (r"unexpected disconnect|early EOF|Connection reset|error: 5\d\d", "the connection ended in the middle"),
)
_FINAL = (
    "it wants to know who we are",
    "it does not let us read",
    "it has no such commit",
    "there is no such repository",
)
_COMMANDS = ("init", "ls-tree", "read-tree", "checkout-index")
_SHA1_LENGTH = 40  # hex digits of an id in a repository of git's older object format; the newer has 64
_HINT = "git's own credential helpers and netrc are asked"


class _File(NamedTuple):
    """A file of a commit: git's mode and id, and its size in bytes."""

    mode: str
    blob: str
    size: int


def fetch(remote: Remote, workdir: str, deadline: Deadline) -> str:
    """A new bare repository below `workdir` that holds the commit. ToolError, with the reason."""
    directory = os.path.join(workdir, f"git-{os.urandom(6).hex()}.git")
    for left in reversed(range(_TRIES)):
        _checked(["init", "--quiet", "--bare", directory], remote, workdir, deadline)
        done = _git(
            ["--git-dir", directory, "fetch", "--quiet", "--depth=1", "--no-tags", "--", remote.url, remote.commit],
            workdir,
            deadline,
        )
        if done.code == 0:
            return directory
        reason = _reason(done.stderr.decode(errors="replace"))
        if not left or reason in _FINAL or not deadline.left():
            break
    hint = _HINT if reason in _FINAL[:2] else ""
    raise ToolError(f"base {remote.text} cannot be fetched: {reason}", remote.at, hint)


def _reason(stderr: str) -> str:
    for pattern, reason in _SAYINGS:
        if re.search(pattern, stderr):
            return reason
    last = (stderr.strip().splitlines() or ["git does not say why"])[-1]
    return re.sub(r"'?[a-z+]+://\S+", "its address", last.removeprefix("fatal: "))[:300]


def _git(words: list[str], workdir: str, deadline: Deadline, extra: Mapping[str, str] = {}) -> Completed:
    """Git as the user has it, but for what would tie it to another repository or ask a person."""
    passed = {key: value for key, value in os.environ.items() if not re.match(r"GIT_(?!SSH|SSL)", key)}
    env = {**passed, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh", "LC_ALL": "C", **extra}
    return run([git.find().path, *words], cwd=workdir, env=env, deadline=deadline)


def _checked(
    words: list[str], remote: Remote, workdir: str, deadline: Deadline, extra: Mapping[str, str] = {}
) -> Completed:
    """Git, which must succeed: whatever it left undone would be missing from the base for ever. ToolError otherwise."""
    done = _git(words, workdir, deadline, extra)
    if done.code:
        command = next(word for word in words if word in _COMMANDS)
        reason = _reason(done.stderr.decode(errors="replace"))
        raise ToolError(f"base {remote.text}: git {command} failed: {reason}", remote.at, exit_code=done.code)
    return done


def extract(directory: str, remote: Remote, into: str, workdir: str, deadline: Deadline) -> None:
    """Write the directory that `remote` names, and those of its repository that it needs, into `into`.

    What is written is compared with git's own ids. Raises InputError (no such directory, a link, more than the
    bounds) and ToolError (git fails, or a file is not what the commit holds).
    """
    # Over every other attribute: a commit's own, and a user's filters, would write something else than it holds.
    os.makedirs(f"{directory}/info", exist_ok=True)
    with open(f"{directory}/info/attributes", "w", encoding="utf-8") as file:
        file.write("* -text -eol -ident -filter -working-tree-encoding\n")
    files = _listing(directory, remote, workdir, deadline)
    index = {"GIT_INDEX_FILE": f"{directory}/picked", "GIT_DIR": directory, "GIT_WORK_TREE": into}
    _checked(["read-tree", remote.commit], remote, workdir, deadline, index)
    tree, pending, seen = FileTree(os.path.realpath(into), ("/",)), [f"/{remote.path}".rstrip("/")], set[str]()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        names = [name for name in files if f"/{name}".startswith(f"{path}/")]
        if not names:
            raise InputError(f"base {remote.text}: the commit has no such directory", remote.at)
        odd = [name for name in names if files[name].mode not in _REGULAR]
        if odd:
            raise InputError(f"base {remote.text} holds {odd[0]}, which is no regular file", remote.at)
        if len(names) > MAX_FILES or sum(files[name].size for name in names) > MAX_BYTES:
            bounds = f"{MAX_FILES} files or {MAX_BYTES >> 20} MiB"
            raise InputError(f"base {remote.text} holds more than {bounds}", remote.at)
        for start in range(0, len(names), _NAMES_AT_ONCE):
            words = ["checkout-index", "--quiet", "--force", "--", *names[start : start + _NAMES_AT_ONCE]]
            _checked(words, remote, workdir, deadline, index)
        for name in names:
            if _blob_id(os.path.join(into, name), files[name].blob) != files[name].blob:
                raise ToolError(f"base {remote.text}: {name} was not written as the commit holds it", remote.at)
        kustomization = read_kustomization(tree, path, remote.at)
        if kustomization is None:
            raise InputError(f"base {remote.text}: there is no kustomization.yaml", remote.at)
        texts = [entry.value for entry in kustomization.builds_on() if isinstance(entry.value, str)]
        below = [
            canonical(text, path or "/", remote.at)
            for text in texts
            if text and "://" not in text and "?" not in text and "@" not in text
        ]
        pending += [base for base in below if any(f"/{name}".startswith(f"{base}/") for name in files)]


def _blob_id(path: str, like: str) -> str:
    """Git's id of the file's content, by the hash that the id `like` is made with; "" when it is no regular file."""
    if os.path.islink(path) or not os.path.isfile(path):
        return ""
    with open(path, "rb") as file:
        data = file.read()
    made = hashlib.sha1 if len(like) == _SHA1_LENGTH else hashlib.sha256
    return made(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def _listing(directory: str, remote: Remote, workdir: str, deadline: Deadline) -> dict[str, _File]:
    """Everything in the commit, by path."""
    listed = ["--git-dir", directory, "ls-tree", "-r", "-l", "-z", remote.commit]
    done = _checked(listed, remote, workdir, deadline)
    files: dict[str, _File] = {}
    for row in done.stdout.decode(errors="surrogateescape").split("\0")[:-1]:
        facts, _, name = row.partition("\t")
        mode, _, blob, size = facts.split()
        files[name] = _File(mode, blob, int(size) if size.isdigit() else 0)
    return files
