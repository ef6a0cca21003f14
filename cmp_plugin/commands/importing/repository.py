"""Whether a git source is the repository at hand, at the revision at hand.

In: Applications, the repository. Out: an InputError for what is elsewhere: its files are not here to compare.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from ...errors import InputError, Location
from ...render.manifest import mapping, text
from ...tools import git
from .application_files import Found
from .conversion import ImportRequest


class Repository(NamedTuple):
    """`origin`: its address, "" when it is not known; `revision`: what most sources follow."""

    origin: str
    revision: str


def repository_of(applications: list[Found], request: ImportRequest) -> Repository:
    """The repository that the source lies in."""
    repository = git.repository(request.tree.root, request.context.deadline)
    revisions = [
        _revision(source)
        for application in applications
        for source in sources_of(application)
        if not source.get("chart")
    ]
    revision = Counter(revisions).most_common(1)[0][0] if revisions else "HEAD"
    return Repository(git.origin(repository, request.context.deadline) if repository else "", revision)


def sources_of(application: Found) -> list[dict[str, Any]]:
    """The sources of an Application, one or several."""
    spec = mapping(application.value, "spec")
    listed = spec["sources"] if isinstance(spec.get("sources"), list) else [spec.get("source")]
    return [source for source in listed if isinstance(source, dict)]


def _revision(source: dict[str, Any]) -> str:
    return text(source, "targetRevision") or "HEAD"


def check_repository(source: dict[str, Any], here: Repository, at: Location) -> None:
    """InputError for what is in another repository or follows another revision than the files at hand."""
    if here.origin and _tail(text(source, "repoURL")) != _tail(here.origin):
        raise InputError(f"its source is in another repository, {_tail(text(source, 'repoURL'))}", at)
    if _revision(source) != here.revision:
        hint = "check that revision out and import it by itself"
        raise InputError(f"its source follows {_revision(source)}, most others follow {here.revision}", at, hint)


def _tail(address: str) -> str:
    """The end of an address, which all ways to write it have in common; no login is part of it."""
    location = re.sub(r"^[^@/]*@", "", re.sub(r"^[a-z+]+://", "", address.lower()))
    return "/".join(re.split(r"[/:]", location.rstrip("/").removesuffix(".git"))[-2:])
