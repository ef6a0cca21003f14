"""What every step of one render is given, and the private directory in which it works.

In: a resolved service, the files it may read, a deadline. Out: the context of its render, for as long as the
render takes; afterwards nothing of it is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import CmpError, labelled
from ..fleet.service import ResolvedService
from ..system.files import FileTree
from ..system.process import Deadline
from ..system.workdir import workdir


class RenderContext(NamedTuple):
    """`directory`: the render's own, absolute; the tools may write in it and nowhere else."""

    service: ResolvedService
    tree: FileTree
    directory: str
    deadline: Deadline


@contextmanager
def render_context(service: ResolvedService, tree: FileTree, deadline: Deadline) -> Iterator[RenderContext]:
    """A context with a directory that is removed at the end; whatever goes wrong names the cluster and the service."""
    try:
        with workdir() as directory:
            yield RenderContext(service, tree, directory, deadline)
    except CmpError as error:
        raise labelled(error, service.label) from error
