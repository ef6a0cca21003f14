"""Overrides that change nothing, and overrides that every cluster writes down again.

In: everything that is planned in a fleet. Out: warnings. Pure. Compared is what was written, before
interpolation. Versions, revisions and images are left out: a pin that equals what lies below it is there to
stay when that moves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...errors import Location
from ...fleet.plan import Planned
from ...goyaml.load import Node, plain
from .findings import Finding, warning

PINS = ("version", "revision", "images", "chart")
FEWEST = 3  # clusters of which one could say that all of them repeat something
Path = tuple[str, ...]


def redundant(services: Iterable[Planned]) -> Iterator[Finding]:
    """Leaves that equal what they override wherever they do, on every cluster."""
    same: dict[Location, Location | None] = {}
    for planned in services:
        lifted = "redundant" in planned.resolved.service.allow
        for _, leaf in _written(planned):
            chain = (leaf, *leaf.over)
            for high, low in itertools.pairwise(chain):
                if lifted or not _equal(high, low) or high.at == low.at:
                    same[high.at] = None
                else:
                    same.setdefault(high.at, low.at)
            same[chain[-1].at] = None
    for at, below in same.items():
        if below is not None:
            yield warning("redundant", f"this says what {below} says already", at, "one of them can go")


def _equal(high: Node, low: Node) -> bool:
    above, below = high.value, low.value
    if isinstance(above, list | dict):
        return type(above) is type(below) and bool(plain(high) == plain(low))
    return type(above) is type(below) and above == below


def _written(planned: Planned) -> Iterator[tuple[Path, Node]]:
    """The leaves of a service's merged block, those of its values under `values`."""
    merged = planned.resolved.merged
    for key, child in merged.fields.entries().items():
        if key not in PINS:
            yield from _leaves(child, (key,))
    yield from _leaves(merged.values, ("values",))


def _leaves(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    for key, child in node.entries().items():
        yield from _leaves(child, (*path, key))
    if not node.entries():
        yield path, node


class _Use(NamedTuple):
    """What the clusters that have a service key write for it: path -> (cluster, leaf), one per cluster."""

    clusters: list[str]
    leaves: dict[Path, list[Node]]


def repeated(services: Iterable[Planned]) -> Iterator[Finding]:
    """What the own files of all clusters that have a service say about it in the same words."""
    uses: dict[str, _Use] = {}
    lifted: set[str] = set()
    for planned in services:
        key, file = planned.request.key, f"clusters/{planned.cluster}/cluster.yaml"
        use = uses.setdefault(key, _Use([], {}))
        use.clusters.append(planned.cluster)
        if "repeated" in planned.resolved.service.allow:
            lifted.add(key)
        for path, leaf in _written(planned):
            if leaf.at.file == file:
                use.leaves.setdefault(path, []).append(leaf)
    for key, use in uses.items():
        if len(use.clusters) >= FEWEST and key not in lifted:
            yield from _repeated(key, use)


def _repeated(key: str, use: _Use) -> Iterator[Finding]:
    repeats = [
        (path, leaves[0])
        for path, leaves in use.leaves.items()
        if len(leaves) == len(use.clusters) and all(_equal(leaf, leaves[0]) for leaf in leaves)
    ]
    if repeats:
        names = [".".join(path) for path, _ in repeats]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        message = f"all {len(use.clusters)} clusters that have {key} repeat its {', '.join(names[:3])}{more}"
        leaf = repeats[0][1]
        yield warning("repeated", message, leaf.start, "a profile or service.yaml could say it once")
