"""A planned service as Argo CD renders it, pinned or not.

In: a planned service. With `revision` its directory is as that commit has it, everything else as it is here.
Out: the same, resolved again on files that git wrote into a private directory, or its render. It travels as
`inputs`, the very way on which Argo CD gets it. Nothing is printed: warnings are in the result.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CmpError, InputError, Location
from ..fleet.plan import Planned
from ..fleet.resolve import resolve
from ..render.render import Rendered, render
from ..system.process import Deadline
from ..system.workdir import workdir
from ..tools import git
from .inputs import CannotTravel, decode, encode


@contextmanager
def at_its_revision(
    planned: Planned, deadline: Deadline, repository: git.Repository | None = None
) -> Iterator[Planned]:
    """The service to render: `planned` itself, or what its pinned directory makes of it.

    `repository` is the fleet's, for a fleet that lies outside of it.
    """
    if not planned.resolved.revision:
        yield planned
        return
    with workdir() as private:
        yield _pinned(planned, private, deadline, repository or _repository(planned, deadline))


def render_planned(planned: Planned, deadline: Deadline, repository: git.Repository | None = None) -> Rendered:
    """One service's objects in their order. A chart that is not locked is a warning; `generate` refuses it."""
    with at_its_revision(planned, deadline, repository) as service:
        return render(service.resolved.service._replace(lock_optional=True), service.request.tree, deadline)


def pinned_inputs(planned: Planned, deadline: Deadline, repository: git.Repository) -> tuple[str, str]:
    """What decides the render of a pinned service: the commit of its directory, and its `inputs`."""
    resolved = planned.resolved
    inputs = encode(planned.request, resolved.service, whole=True)
    if isinstance(inputs, CannotTravel):
        message = f"{resolved.service.label}: `revision` cannot pin this service: {inputs.reason}"
        raise InputError(message, _written_at(planned))
    try:
        return git.commit(repository, resolved.revision, deadline), inputs
    except CmpError as error:
        raise _at_revision(planned, error) from error


def _at_revision(planned: Planned, error: CmpError) -> InputError:
    resolved = planned.resolved
    return InputError(f"{resolved.service.label} at revision {resolved.revision}: {error}", _written_at(planned))


def _written_at(planned: Planned) -> Location | None:
    written = planned.resolved.merged.fields.get("revision")
    return written.at if written else None


def _pinned(planned: Planned, private: str, deadline: Deadline, repository: git.Repository) -> Planned:
    request, resolved = planned.request, planned.resolved
    commit, inputs = pinned_inputs(planned, deadline, repository)
    checkout = os.path.join(os.path.realpath(private), "service")
    try:
        directory = repository._replace(prefix=f"{repository.prefix}services/{request.entry}/")
        git.extract(directory, commit, checkout, private, deadline)
        pinned = resolve(decode(inputs, checkout))
    except CmpError as error:
        raise _at_revision(planned, error) from error
    if pinned is None:
        message = f"{resolved.service.label} is switched off at revision {resolved.revision}"
        raise InputError(message, _written_at(planned))
    return planned._replace(request=decode(inputs, checkout), resolved=pinned)


def _repository(planned: Planned, deadline: Deadline) -> git.Repository:
    repository = git.repository(planned.request.tree.root, deadline)
    if repository is None:
        raise InputError("`revision` needs git, and a fleet that is in git")
    return repository
