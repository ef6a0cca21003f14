"""The version board as tables for a terminal or a pipe.

In: a board. Out: text. A small fleet is a matrix, whichever way round it fits; a large one has a row for
each version of a service, with the clusters that run it. Below stands what lags, with the line to change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

from ..terminal import Cell, columns, painter, table
from .board import BEHIND, Board
from .wording import Group, by_label, catalogue, cell, cells, groups, legend, place_of, role, word

PAGE = 100  # characters in a line where nobody says how many there are
GAP = 3
NAMES = 3  # clusters named in one row on a terminal; a pipe gets all


def tables(board: Board, stream: TextIO, details: bool) -> str:
    """The board and what it comes to; with `details` a row for each service on each cluster."""
    paint = painter(stream)
    if details:
        parts = [_rows(board, stream)]
    elif matrix := _matrix(board, stream):
        parts = [matrix, _behind(board, stream)]
    else:
        parts = [_versions(board, stream)]
    unused = [name for name in board.services if not board.used(name)]
    if unused and not details:
        parts.append(f"{paint('nobody uses', 'head')}  {', '.join(unused)}\n")
    if explained := legend(board.deployments):
        parts.append(f"{paint(explained, 'note')}\n")
    return "\n".join(filter(None, parts))


def _matrix(board: Board, stream: TextIO) -> str:
    """Services x clusters, or the other way round; nothing when neither fits."""
    by_cell = cells(board)

    def at(cluster: str, service: str) -> Cell:
        here = by_cell.get((cluster, service), [])
        return cell(here), role(here)

    own: dict[str, Cell] = {name: (catalogue(entry), "note") for name, entry in board.services.items()}
    wide: list[list[Cell]] = [
        [(service, "name"), own[service], *(at(cluster, service) for cluster in board.clusters)]
        for service in board.services
    ]
    tall: list[list[Cell]] = [[("catalogue", "note"), *own.values()]]
    tall += [[(cluster, "name"), *(at(cluster, service) for service in board.services)] for cluster in board.clusters]
    for head, rows in ((["service", "catalogue", *board.clusters], wide), (["cluster", *board.services], tall)):
        if _width(head, rows) <= (columns(stream) or PAGE):
            return table(head, rows, stream)
    return ""


def _width(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> int:
    texts = [head, *([entry if isinstance(entry, str) else entry[0] for entry in row] for row in rows)]
    return sum(max(map(len, column)) + GAP for column in zip(*texts, strict=True)) - GAP


def _versions(board: Board, stream: TextIO) -> str:
    """A row for each version of each service, and for each place where one is written."""
    name = _namer(board, stream)
    rows: list[list[Cell]] = [
        [
            (service, "name"),
            (group.word, role([group.first])),
            str(len(group.clusters)),
            (place_of(group), "place"),
            name(group),
        ]
        for service, versions in groups(board).items()
        for group in versions
    ]
    return table(["service", "version", "on", "set at", "clusters"], rows, stream, ["set at", "clusters"])


def _behind(board: Board, stream: TextIO) -> str:
    """The pins that lag, each with the line to change."""
    name = _namer(board, stream)
    rows: list[list[Cell]] = [
        [
            (service, "name"),
            (group.first.version, "warning"),
            group.first.newest,
            (place_of(group), "place"),
            name(group),
        ]
        for service, versions in groups(board).items()
        for group in versions
        if group.first.pin == BEHIND
    ]
    return (
        table(["behind", "version", "newest", "set at", "clusters"], rows, stream, ["set at", "clusters"])
        if rows
        else ""
    )


def _namer(board: Board, stream: TextIO) -> Callable[[Group], str]:
    """Says which clusters a group is on: all, those with a label, or their names, on a terminal only some."""
    labelled = by_label(board)
    most = NAMES if columns(stream) else len(board.clusters)

    def names(group: Group) -> str:
        if len(group.clusters) <= 1:
            return ", ".join(group.clusters)
        known = labelled.get(frozenset(group.clusters))
        more = f" and {len(group.clusters) - most} more" if len(group.clusters) > most else ""
        return known or ", ".join(group.clusters[:most]) + more

    return names


def _rows(board: Board, stream: TextIO) -> str:
    """Every service on every cluster, each with the line that says so."""
    one_cluster, one_service = len(board.clusters) == 1, len(board.services) == 1
    named = any(deployment.key != deployment.service for deployment in board.deployments)
    head = ["cluster"] * (not one_cluster) + ["service"] * (not one_service) + ["key"] * named
    rows: list[list[Cell]] = []
    for deployment in board.deployments:
        names = (
            [deployment.cluster] * (not one_cluster)
            + [deployment.service] * (not one_service)
            + [deployment.key] * named
        )
        newest = deployment.newest if deployment.pin else ""
        rows.append(
            [
                *((name, "name") for name in names),
                (word(deployment), role([deployment])),
                newest,
                (str(deployment.at), "place"),
            ]
        )
    return table([*head, "version", "newest", "set at"], rows, stream, ["set at"])
