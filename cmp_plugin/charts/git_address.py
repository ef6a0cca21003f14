"""A kustomize base on another machine, as `resources` names it: a git repository, a commit, a directory.

In: an entry's text. Out: `Remote`. The forms are Kustomize's (api 0.21.2, git.NewRepoSpecFromURL), and of
its revisions only a full commit: anything else can be another thing tomorrow.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import InputError, Location

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_URL = re.compile(r"(https?://|ssh://(?:[A-Za-z0-9_.+-]+@)?)([A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?)/([^?\s]+)")
_SCP = re.compile(r"([A-Za-z0-9_.+-]+@)([A-Za-z0-9][A-Za-z0-9.-]*):([^?\s]+)")
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*|\.[A-Za-z0-9_][A-Za-z0-9._+-]*")


class Remote(NamedTuple):
    """`url`: for git. `path`: the directory in the repository, "" for its top. `text`: as written."""

    url: str
    commit: str
    path: str
    host: str
    repository: str
    text: str
    at: Location

    @property
    def directory(self) -> str:
        """Where it lies below `bases/`: one place for a repository's commit, however it is addressed."""
        host = self.host.replace(":", "-")
        return f"{host}/{self.repository.removesuffix('.git')}@{self.commit}"


def parse(text: str, at: Location) -> Remote:
    """What `text` names. InputError: no commit, a file to download, an address nobody should use."""
    address, _, query = text.removeprefix("git::").partition("?")
    if address.startswith("github.com/"):
        address = f"https://{address}"
    match = _URL.fullmatch(address) or _SCP.fullmatch(address)
    if match is None:
        shown = "this" if "@" in text else f'"{text}"'  # not what may hold a secret
        hint = "copy it into the repository, or write https://HOST/REPOSITORY//DIRECTORY?ref=COMMIT"
        raise InputError(f"{shown} is no address of a git repository", at, hint)
    prefix, host, rest = match.groups()
    repository, path = _split(rest, host)
    steps = [*repository.split("/"), *(path.split("/") if path else [])]
    if not all(_STEP.fullmatch(step) for step in steps):
        raise InputError(f'"{text}" has a path that no git repository has', at)
    fields = dict(field.partition("=")[::2] for field in query.split("&"))
    commit = fields.get("ref") or fields.get("version") or ""
    if not _COMMIT.fullmatch(commit):
        hint = "copy it into the repository and name it by its path, or write ?ref= and a full commit"
        raise InputError(f'"{text}" is on another machine: a render reads this repository only', at, hint)
    separator = "/" if "://" in prefix else ":"
    return Remote(f"{prefix}{host}{separator}{repository}", commit, path, host, repository, text, at)


def _split(rest: str, host: str) -> tuple[str, str]:
    """Repository and directory, where Kustomize parts them."""
    repository, double, path = rest.partition("//")
    if not double:
        repository, git, path = rest.partition(".git/")
        repository += ".git" if git else ""
        if not git and host == "github.com":
            steps = rest.split("/")
            repository, path = "/".join(steps[:2]), "/".join(steps[2:])
    return repository.strip("/"), path.strip("/")
