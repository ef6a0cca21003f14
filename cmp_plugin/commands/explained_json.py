"""What `explain` found, as JSON whose shape stays (docs/explain.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..clusterorigins import Naming, Variant
from ..comparison import Absent
from ..errors import Location
from ..explained import Explained, Stories
from ..fieldorigin import FieldStory, Maker, ObjectStory
from ..fieldtrials import Failed, Outcome
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


def field(story: FieldStory, stories: Stories) -> dict[str, Any]:
    """What made a field: `makers` highest first, the last is what the object is from."""
    return {
        "path": story.field,
        **_outcome(story.value, story.secret),
        "makers": [{**_maker(one, stories), **_outcome(one.value, story.secret)} for one in story.makers],
        "decides": [
            {"removed": one.removed, "otherwise": _outcome(one.otherwise, story.secret), "by": explained(one.story, stories)}
            for one in story.decides
        ],
        "tried": story.tried,
        "complete": story.complete,
    }


def changed_object(story: ObjectStory, stories: Stories) -> dict[str, Any]:
    """What an object is from, and what changed which of its fields, in order."""
    changes = [{**_maker(one.maker, stories), "fields": list(one.fields)} for one in story.changes]
    return {"origin": _maker(story.origin, stories), "changes": changes}


def _maker(one: Maker, stories: Stories) -> dict[str, Any]:
    setting = {"setting": explained(one.story, stories)} if one.story is not None else {}
    return {"what": one.what, **(place(one.at) if one.at is not None else {}), **setting}


def _outcome(value: Outcome, secret: bool) -> dict[str, Any]:
    """`value`, or why there is none: `absent`, `failed`, `hidden`."""
    if isinstance(value, Absent):
        return {"absent": True}
    if isinstance(value, Failed):
        return {"failed": True}
    return {"hidden": True} if secret else {"value": value}
