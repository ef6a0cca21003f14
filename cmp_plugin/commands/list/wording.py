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


def version_of(deployment: Deployment) -> str:
    """The version, or what stands in its place."""
    if not deployment.is_on:
        return OFF
    if deployment.version:
        return deployment.version
    if deployment.revision:
        return f"@{deployment.revision}"
    return DIRECTORY if deployment.chart is not None and deployment.chart.path else NO_CHART


def catalogue(entry: Entry) -> str:
    """The version in a service's own file, or what stands in its place."""
    if entry.version or entry.chart is None:
        return entry.version or NO_CHART
    return DIRECTORY if entry.chart.path else ""


def word(deployment: Deployment) -> str:
    """The version with its mark."""
    return version_of(deployment) + MARKS[deployment.pin]


def cell(deployments: Iterable[Deployment]) -> str:
    """What a service is on a cluster, all instances of it: `1.30.3 ×2, 1.29.0 ↓`."""
    counted = Counter(map(word, deployments))
    return ", ".join(text if count == 1 else f"{text} ×{count}" for text, count in counted.items())


def role(deployments: Iterable[Deployment]) -> str:
    """The terminal's role of such a cell."""
    pins = {deployment.pin if deployment.is_on else OFF for deployment in deployments}
    return "warning" if BEHIND in pins else "added" if AHEAD in pins else "note" if pins == {OFF} else ""


def cells(board: Board) -> dict[tuple[str, str], list[Deployment]]:
    """(cluster, service) -> its deployments; nothing where the service is not on the cluster."""
    by_cell: dict[tuple[str, str], list[Deployment]] = {}
    for deployment in board.deployments:
        by_cell.setdefault((deployment.cluster, deployment.service), []).append(deployment)
    return by_cell


def groups(board: Board) -> dict[str, list[Group]]:
    """Service -> its versions, newest first, each place where one was written on its own."""
    by_service: dict[str, dict[tuple[str, Location | None], list[Deployment]]] = {name: {} for name in board.services}
    for deployment in board.deployments:
        location = deployment.at if deployment.version or not deployment.is_on else None
        by_service[deployment.service].setdefault((word(deployment), location), []).append(deployment)
    return {
        service: sorted(
            (
                Group(service, text, same[0], tuple(dict.fromkeys(deployment.cluster for deployment in same)))
                for (text, _), same in versions.items()
            ),
            key=cmp_to_key(_newest_first),
        )
        for service, versions in by_service.items()
    }


def _newest_first(first: Group, second: Group) -> int:
    first_rank, second_rank = (rank(group.first.version) if group.first.version else None for group in (first, second))
    if first_rank is None or second_rank is None:
        return (first_rank is None) - (second_rank is None)
    return (first_rank < second_rank) - (second_rank < first_rank)


def by_label(board: Board) -> dict[frozenset[str], str]:
    """Sets of clusters that have a name: `all`, or a selector such as `env=prod` or `env!=prod`."""
    everything = frozenset(board.clusters)
    labelled: dict[str, set[str]] = {}
    for name, facts in board.clusters.items():
        for key, value in facts.labels.items():
            labelled.setdefault(f"{key}={value}", set()).add(name)
    selectors = {everything - names: selector.replace("=", "!=", 1) for selector, names in labelled.items()}
    selectors |= {frozenset(names): selector for selector, names in reversed(labelled.items())}
    return selectors | {everything: "all"}


def place_of(group: Group) -> str:
    """Where the version or the switch was written; `catalogue` for the service's own file."""
    deployment = group.first
    if deployment.is_on and not deployment.version:
        return ""
    return (
        "catalogue"
        if deployment.at.file == f"services/{deployment.service}/service.yaml" and deployment.is_on
        else str(deployment.at)
    )


def legend(deployments: Iterable[Deployment]) -> str:
    """What the marks and short words mean that occur."""
    occurring = {text for deployment in deployments for text in (MARKS[deployment.pin], version_of(deployment))}
    return "; ".join(meaning for text, meaning in MEANINGS.items() if text in occurring)
