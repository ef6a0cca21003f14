"""How the version board is said in few words, in a terminal's table as on the page.

In: deployments. Out: short texts, and which of them belong together. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cmp_to_key
from typing import NamedTuple

from ...errors import Location
from ...tools.versions import rank
from .board import AHEAD, BEHIND, Board, Deployment, Entry

MARKS = {BEHIND: " ↓", AHEAD: " ↑", "": ""}
OFF, DIRECTORY, NO_CHART = "off", "dir", "-"
MEANINGS = {
    " ↓": "↓ older than the catalogue or most clusters",
    " ↑": "↑ newer than both",
    OFF: "off: `enabled: false`",
    DIRECTORY: "dir: a chart in this repository",
    NO_CHART: "-: no chart",
}


class Group(NamedTuple):
    """Deployments of one service that say the same, and where that was written, if in one place."""

    service: str
    word: str
    first: Deployment
    clusters: tuple[str, ...]


def version_of(one: Deployment) -> str:
    """The version, or what stands in its place."""
    if not one.is_on:
        return OFF
    if one.version:
        return one.version
    if one.revision:
        return f"@{one.revision}"
    return DIRECTORY if one.chart is not None and one.chart.path else NO_CHART


def catalogue(entry: Entry) -> str:
    """The version in a service's own file, or what stands in its place."""
    if entry.version or entry.chart is None:
        return entry.version or NO_CHART
    return DIRECTORY if entry.chart.path else ""


def word(one: Deployment) -> str:
    """The version with its mark."""
    return version_of(one) + MARKS[one.pin]


def cell(deployments: Iterable[Deployment]) -> str:
    """What a service is on a cluster, all instances of it: `1.30.3 ×2, 1.29.0 ↓`."""
    counted = Counter(map(word, deployments))
    return ", ".join(text if count == 1 else f"{text} ×{count}" for text, count in counted.items())


def role(deployments: Iterable[Deployment]) -> str:
    """The terminal's role of such a cell."""
    pins = {one.pin if one.is_on else OFF for one in deployments}
    return "warning" if BEHIND in pins else "added" if AHEAD in pins else "note" if pins == {OFF} else ""


def cells(board: Board) -> dict[tuple[str, str], list[Deployment]]:
    """(cluster, service) -> its deployments; nothing where the service is not on the cluster."""
    found: dict[tuple[str, str], list[Deployment]] = {}
    for one in board.deployments:
        found.setdefault((one.cluster, one.service), []).append(one)
    return found


def groups(board: Board) -> dict[str, list[Group]]:
    """Service -> its versions, newest first, each place where one was written on its own."""
    found: dict[str, dict[tuple[str, Location | None], list[Deployment]]] = {name: {} for name in board.services}
    for one in board.deployments:
        place = one.at if one.version or not one.is_on else None
        found[one.service].setdefault((word(one), place), []).append(one)
    return {
        service: sorted(
            (
                Group(service, text, same[0], tuple(dict.fromkeys(deployment.cluster for deployment in same)))
                for (text, _), same in said.items()
            ),
            key=cmp_to_key(_newest_first),
        )
        for service, said in found.items()
    }


def _newest_first(one: Group, other: Group) -> int:
    mine, others = (rank(group.first.version) if group.first.version else None for group in (one, other))
    if mine is None or others is None:
        return (mine is None) - (others is None)
    return (mine < others) - (others < mine)


def by_label(board: Board) -> dict[frozenset[str], str]:
    """Sets of clusters that have a name: `all`, or a selector such as `env=prod` or `env!=prod`."""
    everything = frozenset(board.clusters)
    labelled: dict[str, set[str]] = {}
    for name, facts in board.clusters.items():
        for key, value in facts.labels.items():
            labelled.setdefault(f"{key}={value}", set()).add(name)
    found = {everything - names: selector.replace("=", "!=", 1) for selector, names in labelled.items()}
    found |= {frozenset(names): selector for selector, names in reversed(labelled.items())}
    return found | {everything: "all"}


def place_of(group: Group) -> str:
    """Where the version or the switch was written; `catalogue` for the service's own file."""
    one = group.first
    if one.is_on and not one.version:
        return ""
    return "catalogue" if one.at.file == f"services/{one.service}/service.yaml" and one.is_on else str(one.at)


def legend(deployments: Iterable[Deployment]) -> str:
    """What the marks and short words mean that occur."""
    occurring = {text for one in deployments for text in (MARKS[one.pin], version_of(one))}
    return "; ".join(meaning for text, meaning in MEANINGS.items() if text in occurring)
