"""The version board as one HTML page that needs nothing else: no server, no request, no other file.

In: a board. Out: the page's text, the same for the same board. What files say is text on the page, never
markup: the template escapes everything, and the page's policy runs no script and no style but its own.
Clusters are numbered in the board's order; `data-c="0-3 7"` says which ones a piece of the page is about.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...fleet.cluster import Facts
from ...fleet.service import Chart
from ..terminal import visible
from .board import AHEAD, BEHIND, Board, Deployment
from .wording import by_label, catalogue, cell, cells, groups, place_of, version_of

PLACE = os.path.join(os.path.dirname(__file__), "board")
APART = 60  # more clusters than that, and those that run the same share a row
CHOICES = range(2, 31)  # a label with that many values gets a list to choose from
LABELS = 6


class Row(NamedTuple):
    """Clusters that run exactly the same, as one line of the board."""

    clusters: tuple[str, ...]
    about: str
    cells: tuple[tuple[str, str], ...]


def page(board: Board, about: str) -> str:
    """The whole page. `about` says which fleet it is, and of when."""
    environment = Environment(
        loader=FileSystemLoader(PLACE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    numbers = {name: number for number, name in enumerate(board.clusters)}
    environment.filters |= {
        "catalogue": catalogue,
        "chart": _chart,
        "labels": lambda facts: json.dumps([*facts.labels.items()]),
        "names": ", ".join,
        "numbers": lambda names: _ranges([numbers[name] for name in names]),
        "place": place_of,
        "style": _style,
        "version": version_of,
    }
    environment.finalize = lambda value: visible(value) if type(value) is str else value
    script, style = (_inlined(name) for name in ("board.js", "board.css"))
    text = environment.get_template("board.html").render(
        script=script,
        style=style,
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        about=about,
        board=board,
        rows=_rows(board),
        choices=_choices(board.clusters.values()),
        **_findings(board),
    )
    return text + "\n"


def _findings(board: Board) -> dict[str, Any]:
    by_service = groups(board)
    lagging = [group for versions in by_service.values() for group in versions if group.first.pin == BEHIND]
    used = {deployment.service for deployment in board.deployments if deployment.is_on}
    return {
        "groups": by_service,
        "behind": sorted(lagging, key=lambda group: -len(group.clusters)),
        "unused": [name for name in board.services if name not in used],
        "counts": {
            "on": {
                name: sum(1 for deployment in deployments if deployment.is_on)
                for name, deployments in _by_cluster(board)
            },
            BEHIND: {
                name: sum(1 for deployment in deployments if deployment.pin == BEHIND)
                for name, deployments in _by_cluster(board)
            },
        },
    }


def _by_cluster(board: Board) -> list[tuple[str, list[Deployment]]]:
    return [
        (name, list(deployments))
        for name, deployments in groupby(board.deployments, key=lambda deployment: deployment.cluster)
    ]


def _rows(board: Board) -> list[Row]:
    """A row for each cluster; in a large fleet one for all that run the same, the largest first."""
    by_cell = cells(board)
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for cluster in board.clusters:
        here = [by_cell.get((cluster, service), []) for service in board.services]
        texts = tuple((cell(deployments), _styles(deployments)) for deployments in here)
        alike.setdefault(texts if len(board.clusters) > APART else (*texts, (cluster, "")), []).append(cluster)
    selectors = by_label(board)
    rows = [
        Row(tuple(names), selectors.get(frozenset(names)) or _shared(names, board), texts[: len(board.services)])
        for texts, names in alike.items()
    ]
    return sorted(rows, key=lambda row: -len(row.clusters))


def _shared(names: Sequence[str], board: Board) -> str:
    """The labels that all of these clusters have, but not the whole fleet."""
    everywhere, here = (
        set.intersection(*(set(board.clusters[name].labels.items()) for name in some))
        for some in (board.clusters, names)
    )
    return ", ".join(f"{key}={value}" for key, value in sorted(here - everywhere))


def _style(deployment: Deployment) -> str:
    """The class of a version: `b`ehind, `a`head, `o`ff."""
    return {BEHIND: "b", AHEAD: "a"}.get(deployment.pin, "" if deployment.is_on else "o")


def _styles(deployments: Sequence[Deployment]) -> str:
    styles = {_style(deployment) for deployment in deployments}
    return next((style for style in "bao" if style in styles and (style != "o" or len(styles) == 1)), "")


def _chart(chart: Chart | None) -> str:
    if chart is None:
        return ""
    return chart.oci or chart.path or f"{chart.name} from {chart.repo}"


def _choices(clusters: Iterable[Facts]) -> list[tuple[str, list[str]]]:
    """Labels that tell clusters apart, with their values."""
    values: dict[str, set[str]] = {}
    for facts in clusters:
        for key, value in facts.labels.items():
            values.setdefault(key, set()).add(value)
    return [(key, sorted(distinct)) for key, distinct in sorted(values.items()) if len(distinct) in CHOICES][:LABELS]


def _ranges(numbers: Sequence[int]) -> str:
    """`0-3 7` for 0, 1, 2, 3, 7."""
    runs = (list(run) for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]))
    return " ".join(f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else str(run[0][1]) for run in runs)


def _inlined(name: str) -> Markup:
    with open(os.path.join(PLACE, name), encoding="utf-8") as file:
        return Markup(file.read())


def _hash(text: str) -> str:
    """What a content security policy calls an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
