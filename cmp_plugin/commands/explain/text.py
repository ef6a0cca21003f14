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


def values(found: Sequence[Explained], explainer: Explainer, stream: TextIO) -> str:
    """Every value with its layers, as a table; one alone with its whole path, and below it all of its text."""
    if len(found) != 1:
        return layered(_tree(found, Rows(explainer, LONGEST)), stream)
    rows = list(Rows(explainer, LONGEST).of(found[0], written(found[0].path), ""))
    whole = dump_line(found[0].value)
    shown = _plain(_cut(rows[0][0], _room(rows, stream))).endswith(whole) or found[0].state == "removed"
    return layered(rows, stream) + ("" if shown else f"\n{visible(whole)}\n")


def layered(rows: Iterable[Row], stream: TextIO) -> str:
    """The table. On a terminal the places stay whole as long as they can: they are to be copied."""
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
    layer, place = (max((len(_plain(row[column])) for row in rows), default=0) for column in (1, 2))
    if not width:
        return 0
    room = width - place - layer - 4
    return room if room >= ENOUGH else max(width - place - min(layer, NARROW) - 4, LEAST)


def _cut(cell: Cell, room: int) -> Cell:
    text = _plain(cell)
    if not 0 < room < len(text):
        return cell
    return f"{text[: room - 1]}…" if isinstance(cell, str) else (f"{text[: room - 1]}…", cell[1])


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _tree(found: Iterable[Explained], made: Rows) -> Iterator[Row]:
    """Values below the keys that they share, as in YAML."""
    shown: Path = ()
    for one in found:
        parents = one.path[:-1]
        for depth, key in enumerate(parents):
            if parents[: depth + 1] != shown[: depth + 1]:
                yield f"{'  ' * depth}{key}:", "", ""
        shown = parents
        yield from made.of(one, str(one.path[-1]), "  " * len(parents))


class Rows(NamedTuple):
    """The rows of a value. `longest`: characters of a value's text, 0 for all; `hidden`: no value is shown."""

    explainer: Explainer
    longest: int
    hidden: bool = False

    def of(self, one: Explained, name: str, indent: str) -> Iterator[Row]:
        """The value, what it is made of, what it refers to, whom it went over, who would say something else."""
        holds, more = one.trail.effective, f"{indent}  "
        value = f"{indent}{name}: {GONE if one.state == 'removed' else self.text(one.value)}"
        yield row(value, holds[0]) if len(holds) == 1 else (value, "", "")
        for said in holds if len(holds) > 1 else ():
            yield row(f"{more}{'adds' if said.does == 'appends' else 'to'} {self.said(said, one.path)}", said)
        yield from self.references(one, more)
        for said in one.trail.overridden:
            yield row(f"{more}over {self.said(said, one.path)}", said, "note")
        for variant, said in one.unmatched:
            unmet = next(why(condition) for condition in variant.conditions if not condition.holds)
            yield row(f"{more}not {self.said(said, one.path)}: {unmet}", said, "note")

    def text(self, value: Any) -> str:
        """A value in one line."""
        if self.hidden:
            return "(hidden)"
        text = dump_line(value)
        return text if not 0 < self.longest < len(text) else f"{text[: self.longest - 1]}…"

    def said(self, said: Statement, path: Path) -> str:
        """What a layer says, with the path where that is another one."""
        value = GONE if said.does == "removes" else self.text(self.explainer.said_value(said))
        return value if said.path == path else f"{written(said.path)}: {value}"

    def references(self, one: Explained, indent: str) -> Iterator[Row]:
        """Why a value could not be worked out; its text with references, and what these refer to."""
        if one.problem:
            yield (f"{indent}! {one.problem}", "error"), "", ""
        text = one.trail.effective[0].node.value
        if isinstance(text, str) and one.reads and text != f"${{{one.reads[0].name}}}":
            yield f"{indent}from {self.text(text)}", "", ""
        for read in one.reads:
            for said in read.trail.effective:
                yield row(f"{indent}${{{read.name}}} is {self.text(read.value)}", said)


def row(text: str, said: Statement, role: str = "") -> Row:
    """What a layer says, with its name and place."""
    return (text, role), (said.layer, role), (where(said.node.at), "place")


def why(condition: Condition) -> str:
    """`env is dev, wanted: prod`."""
    label = condition.label
    actual = f"there is no label {label}" if condition.actual is None else f"{label} is {condition.actual}"
    return actual if condition.holds else f"{actual}, wanted: {' or '.join(condition.wanted)}"


def variants(found: Iterable[Variant], stream: TextIO) -> str:
    """Every variant, whether it applies, and who set the label that decided."""
    rows = [row for one in found for row in _variant(one)]
    head = ("variant", "", "because", "set by", "where")
    return table(head, rows, stream, folding=head[2:]) if rows else ""


def _variant(variant: Variant) -> Iterator[tuple[Cell, ...]]:
    role = "" if variant.applies else "note"
    name, applies = variant.name, "applies" if variant.applies else "does not apply"
    for condition in variant.conditions:
        said = condition.trail.winner
        layer, place = (said.layer, where(said.node.at)) if said is not None else ("", "")
        answer = (applies, "good" if variant.applies else role)
        yield (name, role), answer, (why(condition), role), (layer, role), (place, "place")
        name = applies = ""


def named(head: Sequence[str], found: Iterable[tuple[str, Sequence[str], Sequence[Naming]]], stream: TextIO) -> str:
    """What a cluster has by name: name and notes once, then every file that names it."""
    rows: list[list[Cell]] = []
    for name, notes, namings in found:
        for number, one in enumerate(namings):
            words: list[Cell] = [(name, "name"), *notes] if number == 0 else [""] * (1 + len(notes))
            rows.append([*words, one.by, (where(one.at), "place")])
    return table((*head, "named by", "where"), rows, stream, folding=("named by", "where")) if rows else ""
