"""`list`: the version board of a fleet: a table, JSON, or one self-contained page.

In: the fleet's files. Out: what runs where. Nothing is rendered. Every form shows the same board.
"""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Callable

from ...errors import CmpError, InputError, UsageError, there_is
from ...fleet.cluster import Facts
from ...fleet.files import Fleet
from ...render.kustomize.label_selector import parse
from ...system.process import Deadline
from ..arguments import cluster_name, opened_fleet, service_name
from ..progress import waiting
from .board import Board, board_of, selected

SECONDS = 60.0


def run(args: Namespace) -> int:
    """Prints the part of the board that is asked for."""
    wanted = _clusters(args)
    fleet = opened_fleet(args)
    clusters = {cluster_name(fleet, word) for word in args.cluster}
    services = {_service(fleet, word) for word in args.service}
    with waiting("reading the fleet"):
        whole = board_of(fleet)
    board = selected(
        whole,
        lambda facts: wanted(facts) and (not clusters or facts.cluster in clusters),
        lambda service: not services or service in services,
    )
    if not board.clusters:
        raise InputError("no cluster has these labels" if args.selector else "the fleet has no clusters")
    sys.stdout.write(_text(args.output, fleet, board, bool(clusters), bool(services)))
    sys.stdout.flush()
    return 0


def _clusters(args: Namespace) -> Callable[[Facts], bool]:
    try:
        requirements = parse(args.selector or "")
    except ValueError as error:
        raise UsageError(f"--selector: {error}", hint="write one such as env=prod,region!=eu") from None
    return lambda facts: all(requirement.holds(facts.labels) for requirement in requirements)


def _service(fleet: Fleet, word: str) -> str:
    """A catalogue entry's name, whether it was written as such or as its directory."""
    name = service_name(fleet, word)
    if fleet.has("Service", name):
        return name
    raise InputError(f'there is no service "{word}"', None, there_is(name, fleet.names("Service")))


def _text(output: str, fleet: Fleet, board: Board, one_cluster: bool, one_service: bool) -> str:
    if output == "json":
        from .json import text

        return text(board)
    if output == "html":
        from .page import page

        return page(board, _about(fleet))
    from .table import tables

    details = (len(board.services) == 1 and one_service) or (len(board.clusters) == 1 and one_cluster)
    return tables(board, sys.stdout, details)


def _about(fleet: Fleet) -> str:
    """Which fleet, at which commit: a page is read when the fleet has long gone on."""
    address = fleet.spec.get("repoURL")
    name = re.search(r"[^/:@]+/[^/:@]+?(?=(\.git)?/?$)", str(address.value)) if address is not None else None
    return ", ".join(filter(None, [name[0] if name else "", _commit(fleet.root, Deadline(SECONDS))]))


def _commit(root: str, deadline: Deadline) -> str:
    """HEAD and its day; nothing without git, or before the first commit."""
    from ...tools import git

    try:
        repository = git.repository(root, deadline)
        if repository is None:
            return ""
        commit = git.commit(repository, "HEAD", deadline)
        changed = ", with uncommitted changes" if git.is_dirty(repository, deadline) else ""
        return f"commit {commit[:12]} of {git.day(repository, commit, deadline)}{changed}"
    except CmpError:
        return ""
