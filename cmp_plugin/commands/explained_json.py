"""What `explain` found, as JSON whose shape stays (docs/explain.md): no field is ever left out."""

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
        return [_said(each, stories.said_value(each)) for each in said]

    return {
        "path": written(one.path),
        "value": one.value,
        "state": one.state,
        "problem": one.problem,
        "by": words(one.trail.holds),
        "over": words(one.trail.over),
        "reads": [{"name": read.name, "value": read.value, "by": words(read.trail.holds)} for read in one.reads],
        "unmatched": [{"variant": each.variant.name, **words([each.said])[0]} for each in one.unmatched],
    }


def _said(said: Said, value: Any) -> dict[str, Any]:
    return {
        "layer": said.layer,
        "at": place(said.node.at),
        "does": said.does,
        "path": written(said.path),
        "value": value,
        "written": plain(said.node),
    }


def place(at: Location | None) -> dict[str, Any] | None:
    """A place in a file; line and column 0 mean the file as a whole. None for what stands in no file."""
    return {"file": at.file, "line": at.line, "column": at.column} if at is not None and at.file else None


def variant(one: Variant) -> dict[str, Any]:
    """A variant and why it applies or not."""
    conditions = [
        {
            "label": each.label,
            "wanted": list(each.wanted),
            "actual": each.actual,
            "holds": each.holds,
            "by": [{"layer": said.layer, "at": place(said.node.at)} for said in each.trail.holds],
        }
        for each in one.conditions
    ]
    return {"name": one.name, "applies": one.applies, "at": place(one.at), "conditions": conditions}


def naming(one: Naming) -> dict[str, Any]:
    """Which file names a profile or a service."""
    return {"layer": one.by, "at": place(one.at)}


def field(story: FieldStory, stories: Stories) -> dict[str, Any]:
    """What made a field: `makers` highest first, the last is what the object is from."""
    return {
        "field": story.field,
        **_outcome(story.value, story.secret),
        "makers": [{**_maker(one, stories), **_outcome(one.value, story.secret)} for one in story.makers],
        "decides": [
            {
                "setting": explained(one.story, stories),
                "tried": "without it" if one.removed else "another value",
                **_outcome(one.otherwise, story.secret),
            }
            for one in story.decides
        ],
        "tried": story.tried,
        "complete": story.complete,
    }


def changed_object(story: ObjectStory, stories: Stories) -> dict[str, Any]:
    """What an object is from, and what changed which of its fields, in order."""
    changes = [{**_maker(one.maker, stories), "fields": list(one.fields)} for one in story.changes]
    return {"from": _maker(story.origin, stories), "changes": changes}


def _maker(one: Maker, stories: Stories) -> dict[str, Any]:
    setting = explained(one.story, stories) if one.story is not None else None
    return {"what": one.what, "at": place(one.at or _said_at(one)), "setting": setting}


def _said_at(one: Maker) -> Location | None:
    winner = one.story.trail.winner if one.story is not None else None
    return winner.node.at if winner is not None else None


def _outcome(value: Outcome, secret: bool) -> dict[str, Any]:
    """A field's value; `state` says what its absence means."""
    if isinstance(value, Absent):
        return {"value": None, "state": "absent"}
    if isinstance(value, Failed):
        return {"value": None, "state": "failed"}
    return {"value": None, "state": "hidden"} if secret else {"value": value, "state": "there"}
