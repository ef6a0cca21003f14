"""What `explain` found about a finished object, for the eye and as JSON (docs/explain.md).

In: stories. Out: text, or plain values. What is in a Secret is not shown, nor the settings that made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from ...errors import Location
from ...fleet.value_path import written
from ...render.compare import Absent
from ..terminal import visible
from .fields import FieldStory, Maker, ObjectStory
from .json import explained, position
from .model import Explainer
from .text import LONGEST, Row, Rows, layered, row, where
from .trials import Failed, Outcome

MOST = 500  # characters of the field that is asked for; JSON has all of them


def field_text(words: str, story: FieldStory, explainer: Explainer, stream: TextIO) -> str:
    """A field of an object: what made it, what that went over, which values decide it."""
    value = _outcome_text(story.value, Rows(explainer, MOST, story.secret))
    made = Rows(explainer, LONGEST, story.secret)
    rows: list[Row] = []
    for number, maker in enumerate(story.makers):
        over = f"over {_outcome_text(maker.value, made)}, " if number else "by "
        rows += _maker_rows(maker, f"{over}{maker.what}", made)
    for decides in story.decides:
        rows += made.of(decides.story, f"as {written(decides.story.path)}", "")
        trial = "without it" if decides.removed else "with another one"
        rows.append((f"  {trial}: {_outcome_text(decides.otherwise, made)}", "", ""))
    notes = "".join(f"{note}\n" for note in _notes(story))
    return f"{words} {story.field}: {visible(value)}\n\n{layered(rows, stream)}{notes}"


def _maker_rows(maker: Maker, text: str, made: Rows) -> Iterator[Row]:
    """What made or changed a field, and the setting behind it."""
    winner = maker.story.trail.winner if maker.story is not None else None
    at = _at(maker)
    yield text, winner.layer if winner is not None else "", (where(at) if at else "", "place")
    if maker.story is not None:
        yield from made.references(maker.story, "  ")
        for statement in maker.story.trail.overridden:
            yield row(f"  over {made.said(statement, maker.story.path)}", statement, "note")


def _at(maker: Maker) -> Location | None:
    winner = maker.story.trail.winner if maker.story is not None else None
    return maker.at or (winner.node.at if winner is not None else None)


def _outcome_text(value: Outcome, made: Rows) -> str:
    """A field's value, or why there is none to show."""
    if isinstance(value, Absent):
        return "(not there)"
    return "(the chart does not render)" if isinstance(value, Failed) else made.text(value)


def _notes(story: FieldStory) -> Iterator[str]:
    if len(story.makers) == 1 and not story.decides:
        if story.makers[0].what.startswith("chart"):
            tried = f"none of {story.tried} values that were left out or changed makes a difference"
            yield f"As far as was tried, the template says so itself: {tried}."
        elif story.makers[0].what.startswith("resource") and story.makers[0].at is None:
            yield "No file says so as it is: a kustomization changes what it says."
    if not story.complete:
        yield "Not every value was tried: that would take too many renders."


def object_text(words: str, story: ObjectStory, explainer: Explainer, stream: TextIO) -> str:
    """An object: what it is from, then every step that changed it with the fields."""
    made = Rows(explainer, LONGEST, story.secret)
    rows = [*_maker_rows(story.origin, story.origin.what, made)]
    for change in story.changes:
        rows.extend(_maker_rows(change.maker, change.maker.what, made))
        rows.extend((f"  changes {path}", "", "") for path in change.fields)
    return f"{words}\n\n{layered(rows, stream)}"


def field_json(story: FieldStory, explainer: Explainer) -> dict[str, Any]:
    """What made a field: `makers` highest first, the last is what the object is from."""
    secret = story.secret
    return {
        "field": story.field,
        **_outcome_json(story.value, secret),
        "makers": [
            {**_maker_json(maker, explainer, secret), **_outcome_json(maker.value, secret)} for maker in story.makers
        ],
        "decides": [
            {
                "setting": explained(decides.story, explainer, secret),
                "tried": "without it" if decides.removed else "another value",
                **_outcome_json(decides.otherwise, secret),
            }
            for decides in story.decides
        ],
        "tried": story.tried,
        "complete": story.complete,
    }


def object_json(story: ObjectStory, explainer: Explainer) -> dict[str, Any]:
    """What an object is from, and what changed which of its fields, in order."""
    secret = story.secret
    changes = [
        {**_maker_json(change.maker, explainer, secret), "fields": list(change.fields)} for change in story.changes
    ]
    return {"from": _maker_json(story.origin, explainer, secret), "changes": changes}


def _maker_json(maker: Maker, explainer: Explainer, secret: bool) -> dict[str, Any]:
    setting = explained(maker.story, explainer, secret) if maker.story is not None else None
    return {"what": maker.what, "at": position(_at(maker)), "setting": setting}


def _outcome_json(value: Outcome, secret: bool) -> dict[str, Any]:
    """A field's value; `state` says what its absence means."""
    if isinstance(value, Absent):
        return {"value": None, "state": "absent"}
    if isinstance(value, Failed):
        return {"value": None, "state": "failed"}
    return {"value": None, "state": "hidden"} if secret else {"value": value, "state": "there"}
