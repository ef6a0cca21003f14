"""A service pinned to a git revision: its directory as that revision has it, everything else as it is here.

In: a planned service with `revision`. Out: the same, resolved anew on files that git wrote into a private
directory. It travels as `inputs`, the very way on which Argo CD gets it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CmpError, InputError
from ..inputs import Unfit, decode, encode
from ..plan import Planned
from ..resolve import resolve
from ..specrules import value_of
from ..tools import git
from ..tools.process import Deadline
from ..workdir import workdir


@contextmanager
def at_its_revision(planned: Planned, deadline: Deadline) -> Iterator[Planned]:
    """The service to render: `planned` itself, or what its pinned directory makes of it."""
    if not planned.resolved.revision:
        yield planned
        return
    with workdir() as private:
        yield _pinned(planned, private, deadline)


def _pinned(planned: Planned, private: str, deadline: Deadline) -> Planned:
    request, resolved = planned.request, planned.resolved
    written = value_of(resolved.merged.fields, "revision")
    at = written.at if written else None
    label = resolved.service.label
    inputs = encode(request, resolved.service, whole=True)
    if isinstance(inputs, Unfit):
        raise InputError(f"{label}: `revision` cannot pin this service: {inputs.reason}", at)
    try:
        found = resolve(decode(inputs, _checked_out(request.tree.root, request.entry, resolved.revision, private, deadline)))
    except CmpError as error:
        raise InputError(f"{label} at revision {resolved.revision}: {error}", at) from error
    if found is None:
        raise InputError(f"{label} is switched off at revision {resolved.revision}", at)
    return planned._replace(request=decode(inputs, os.path.join(private, "service")), resolved=found)


def _checked_out(root: str, entry: str, revision: str, private: str, deadline: Deadline) -> str:
    """Writes services/<entry> of a revision below `private` and returns that directory."""
    repository = git.repository(os.path.join(root, "services", entry), deadline)
    if repository is None:
        raise InputError("`revision` needs git, and a fleet that is in git")
    place = os.path.join(private, "service")
    git.extract(repository, git.commit(repository, revision, deadline), place, private, deadline)
    return os.path.realpath(place)
