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


def explained(story: Explained, explainer: Explainer, hidden: bool = False) -> dict[str, Any]:
    """One value. `by`: who made it, highest first; `over`: who else set it, highest first.

    `hidden`: without any value, as they make up a secret.
    """

    def words(statements: Iterable[Statement]) -> list[dict[str, Any]]:
        return [
            _said(statement, None, None)
            if hidden
            else _said(statement, explainer.said_value(statement), plain(statement.node))
            for statement in statements
        ]

    return {
        "path": written(story.path),
        "value": None if hidden else story.value,
        "state": story.state,
        "problem": story.problem,
        "by": words(story.trail.effective),
        "over": words(story.trail.overridden),
        "reads": [
            {"name": read.name, "value": None if hidden else read.value, "by": words(read.trail.effective)}
            for read in story.reads
        ],
        "unmatched": [
            {"variant": unmatched.variant.name, **words([unmatched.said])[0]} for unmatched in story.unmatched
        ],
    }


def _said(statement: Statement, value: Any, as_written: Any) -> dict[str, Any]:
    return {
        "layer": statement.layer,
        "at": position(statement.node.at),
        "does": statement.does,
        "path": written(statement.path),
        "value": value,
        "written": as_written,
    }


def position(at: Location | None) -> dict[str, Any] | None:
    """A position in a file; line and column 0 mean the file as a whole. None for what is in no file."""
    return {"file": at.file, "line": at.line, "column": at.column} if at is not None and at.file else None


def variant(entry: Variant) -> dict[str, Any]:
    """A variant and why it applies or not."""
    conditions = [
        {
            "label": condition.label,
            "wanted": list(condition.wanted),
            "actual": condition.actual,
            "holds": condition.holds,
            "by": [
                {"layer": statement.layer, "at": position(statement.node.at)} for statement in condition.trail.effective
            ],
        }
        for condition in entry.conditions
    ]
    return {"name": entry.name, "applies": entry.applies, "at": position(entry.at), "conditions": conditions}


def naming(entry: Naming) -> dict[str, Any]:
    """Which file names a profile or a service."""
    return {"layer": entry.by, "at": position(entry.at)}
