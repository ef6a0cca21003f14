"""What `explain` found, as JSON whose shape stays (docs/explain.md): no field is ever left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import Location
from ...fleet.value_path import written
from ...goyaml.load import plain
from .cluster import Naming, Variant
from .model import Explained, Explainer
from .trails import Statement


def explained(one: Explained, explainer: Explainer, hidden: bool = False) -> dict[str, Any]:
    """One value. `by`: who made it, highest first; `over`: who else set it, highest first.

    `hidden`: without any value, as they make up a secret.
    """

    def words(said: Iterable[Statement]) -> list[dict[str, Any]]:
        return [
            _said(each, None, None) if hidden else _said(each, explainer.said_value(each), plain(each.node))
            for each in said
        ]

    return {
        "path": written(one.path),
        "value": None if hidden else one.value,
        "state": one.state,
        "problem": one.problem,
        "by": words(one.trail.effective),
        "over": words(one.trail.overridden),
        "reads": [
            {"name": read.name, "value": None if hidden else read.value, "by": words(read.trail.effective)}
            for read in one.reads
        ],
        "unmatched": [{"variant": each.variant.name, **words([each.said])[0]} for each in one.unmatched],
    }


def _said(said: Statement, value: Any, as_written: Any) -> dict[str, Any]:
    return {
        "layer": said.layer,
        "at": position(said.node.at),
        "does": said.does,
        "path": written(said.path),
        "value": value,
        "written": as_written,
    }


def position(at: Location | None) -> dict[str, Any] | None:
    """A position in a file; line and column 0 mean the file as a whole. None for what is in no file."""
    return {"file": at.file, "line": at.line, "column": at.column} if at is not None and at.file else None


def variant(one: Variant) -> dict[str, Any]:
    """A variant and why it applies or not."""
    conditions = [
        {
            "label": each.label,
            "wanted": list(each.wanted),
            "actual": each.actual,
            "holds": each.holds,
            "by": [{"layer": said.layer, "at": position(said.node.at)} for said in each.trail.effective],
        }
        for each in one.conditions
    ]
    return {"name": one.name, "applies": one.applies, "at": position(one.at), "conditions": conditions}


def naming(one: Naming) -> dict[str, Any]:
    """Which file names a profile or a service."""
    return {"layer": one.by, "at": position(one.at)}
