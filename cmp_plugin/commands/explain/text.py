"""What `explain` found, for the eye: a tree of values on the left, who set them and where on the right.

In: explained values. Out: text. What wins stands first, what it went over below it, greyed out on a
terminal. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TextIO

from ...errors import Location
from ...fleet.value_path import Path, written
from ...goyaml.load import dump_line
from ..terminal import Cell, columns, table, visible
from .cluster import Condition, Naming, Variant
from .model import Explained, Explainer
from .trails import Statement

GONE = "(taken away)"
LONGEST = 60  # characters of a value in a table
ENOUGH = 40  # characters for values: with less, layers go on in the next line
LEAST, NARROW = 20, 16  # characters that values and layers are left with on a narrow terminal
Row = tuple[Cell, Cell, Cell]


def where(at: Location) -> str:
    """`file:line`, as an editor opens it."""
    return f"{at.file}:{at.line}" if at.line else at.file


def values(stories: Sequence[Explained], explainer: Explainer, stream: TextIO) -> str:
    """Every value with its layers, as a table; one alone with its whole path, and below it all of its text."""
    if len(stories) != 1:
        return layered(_tree(stories, Rows(explainer, LONGEST)), stream)
    rows = list(Rows(explainer, LONGEST).of(stories[0], written(stories[0].path), ""))
    whole = dump_line(stories[0].value)
    shown = _plain(_cut(rows[0][0], _room(rows, stream))).endswith(whole) or stories[0].state == "removed"
    return layered(rows, stream) + ("" if shown else f"\n{visible(whole)}\n")


def layered(rows: Iterable[Row], stream: TextIO) -> str:
    """The table. On a terminal the locations stay whole as long as they can: they are to be copied."""
    kept = list(rows)
    if not kept:
        return ""
    room = _room(kept, stream)
    fitted = [(_cut(row[0], room), *row[1:]) for row in kept]
    folding = ("set by",) if room > LEAST else ("set by", "where")
    return table(("value", "set by", "where"), fitted, stream, folding)


def _room(rows: Sequence[Row], stream: TextIO) -> int:
    """How many characters are left for values, 0 for as many as there are."""
    width = columns(stream)
    layer, location = (max((len(_plain(row[column])) for row in rows), default=0) for column in (1, 2))
    if not width:
        return 0
    room = width - location - layer - 4
    return room if room >= ENOUGH else max(width - location - min(layer, NARROW) - 4, LEAST)


def _cut(cell: Cell, room: int) -> Cell:
    text = _plain(cell)
    if not 0 < room < len(text):
        return cell
    return f"{text[: room - 1]}…" if isinstance(cell, str) else (f"{text[: room - 1]}…", cell[1])


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _tree(stories: Iterable[Explained], made: Rows) -> Iterator[Row]:
    """Values below the keys that they share, as in YAML."""
    shown: Path = ()
    for story in stories:
        parents = story.path[:-1]
        for depth, key in enumerate(parents):
            if parents[: depth + 1] != shown[: depth + 1]:
                yield f"{'  ' * depth}{key}:", "", ""
        shown = parents
        yield from made.of(story, str(story.path[-1]), "  " * len(parents))


class Rows(NamedTuple):
    """The rows of a value. `longest`: characters of a value's text, 0 for all; `hidden`: no value is shown."""

    explainer: Explainer
    longest: int
    hidden: bool = False

    def of(self, story: Explained, name: str, indent: str) -> Iterator[Row]:
        """The value, what it is made of, what it refers to, whom it went over, who would say something else."""
        holds, more = story.trail.effective, f"{indent}  "
        value = f"{indent}{name}: {GONE if story.state == 'removed' else self.text(story.value)}"
        yield row(value, holds[0]) if len(holds) == 1 else (value, "", "")
        for statement in holds if len(holds) > 1 else ():
            yield row(
                f"{more}{'adds' if statement.does == 'appends' else 'to'} {self.said(statement, story.path)}", statement
            )
        yield from self.references(story, more)
        for statement in story.trail.overridden:
            yield row(f"{more}over {self.said(statement, story.path)}", statement, "note")
        for variant, statement in story.unmatched:
            unmet = next(why(condition) for condition in variant.conditions if not condition.holds)
            yield row(f"{more}not {self.said(statement, story.path)}: {unmet}", statement, "note")

    def text(self, value: Any) -> str:
        """A value in one line."""
        if self.hidden:
            return "(hidden)"
        text = dump_line(value)
        return text if not 0 < self.longest < len(text) else f"{text[: self.longest - 1]}…"

    def said(self, statement: Statement, path: Path) -> str:
        """What a layer says, with the path where that is another one."""
        value = GONE if statement.does == "removes" else self.text(self.explainer.said_value(statement))
        return value if statement.path == path else f"{written(statement.path)}: {value}"

    def references(self, story: Explained, indent: str) -> Iterator[Row]:
        """Why a value could not be worked out; its text with references, and what these refer to."""
        if story.problem:
            yield (f"{indent}! {story.problem}", "error"), "", ""
        text = story.trail.effective[0].node.value
        if isinstance(text, str) and story.reads and text != f"${{{story.reads[0].name}}}":
            yield f"{indent}from {self.text(text)}", "", ""
        for read in story.reads:
            for statement in read.trail.effective:
                yield row(f"{indent}${{{read.name}}} is {self.text(read.value)}", statement)


def row(text: str, statement: Statement, role: str = "") -> Row:
    """What a layer says, with its name and location."""
    return (text, role), (statement.layer, role), (where(statement.node.at), "place")


def why(condition: Condition) -> str:
    """`env is dev, wanted: prod`."""
    label = condition.label
    actual = f"there is no label {label}" if condition.actual is None else f"{label} is {condition.actual}"
    return actual if condition.holds else f"{actual}, wanted: {' or '.join(condition.wanted)}"


def variants(entries: Iterable[Variant], stream: TextIO) -> str:
    """Every variant, whether it applies, and who set the label that decided."""
    rows = [row for variant in entries for row in _variant(variant)]
    head = ("variant", "", "because", "set by", "where")
    return table(head, rows, stream, folding=head[2:]) if rows else ""


def _variant(variant: Variant) -> Iterator[tuple[Cell, ...]]:
    role = "" if variant.applies else "note"
    name, applies = variant.name, "applies" if variant.applies else "does not apply"
    for condition in variant.conditions:
        statement = condition.trail.winner
        layer, location = (statement.layer, where(statement.node.at)) if statement is not None else ("", "")
        answer = (applies, "good" if variant.applies else role)
        yield (name, role), answer, (why(condition), role), (layer, role), (location, "place")
        name = applies = ""


def named(head: Sequence[str], entries: Iterable[tuple[str, Sequence[str], Sequence[Naming]]], stream: TextIO) -> str:
    """What a cluster has by name: name and notes once, then every file that names it."""
    rows: list[list[Cell]] = []
    for name, notes, namings in entries:
        for number, naming in enumerate(namings):
            words: list[Cell] = [(name, "name"), *notes] if number == 0 else [""] * (1 + len(notes))
            rows.append([*words, naming.by, (where(naming.at), "place")])
    return table((*head, "named by", "where"), rows, stream, folding=("named by", "where")) if rows else ""
