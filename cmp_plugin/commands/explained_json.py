"""What `explain` found, as JSON whose shape stays (docs/explain.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..clusterorigins import Naming, Variant
from ..errors import Location
from ..explained import Explained, Stories
from ..origins import Said
from ..valuepath import written
from ..yamlfile import plain


def explained(one: Explained, stories: Stories) -> dict[str, Any]:
    """One value. `by`: who made it, highest first; `over`: who else set it, highest first."""

    def words(said: Iterable[Said]) -> list[dict[str, Any]]:
        return [_said(each, stories.said_value(each), one.path) for each in said]

    found = {
        "path": written(one.path),
        "value": one.value,
        "state": one.state,
        "by": words(one.trail.holds),
        "over": words(one.trail.over),
        "reads": [{"name": read.name, "value": read.value, "by": words(read.trail.holds)} for read in one.reads],
        "unmatched": [{"variant": each.variant.name, **words([each.said])[0]} for each in one.unmatched],
    }
    return {**found, "problem": one.problem} if one.problem else found


def _said(said: Said, value: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"layer": said.layer, **place(said.node.at), "does": said.does}
    if said.does != "removes":
        found["value"] = value
    written_as = plain(said.node)
    if written_as != value:
        found["written"] = written_as
    return found if said.path == path else {**found, "path": written(said.path)}


def place(at: Location) -> dict[str, Any]:
    """A place in a file; line and column 0 mean the file as a whole."""
    return {"file": at.file, "line": at.line, "column": at.column}


def variant(one: Variant) -> dict[str, Any]:
    """A variant and why it applies or not."""
    conditions = [
        {
            "label": each.label,
            "wanted": list(each.wanted),
            "actual": each.actual,
            "holds": each.holds,
            "by": [{"layer": said.layer, **place(said.node.at)} for said in each.trail.holds],
        }
        for each in one.conditions
    ]
    return {"name": one.name, "applies": one.applies, **place(one.at), "conditions": conditions}


def naming(one: Naming) -> dict[str, Any]:
    """Which file names a profile or a service."""
    return {"by": one.by, **place(one.at)}
