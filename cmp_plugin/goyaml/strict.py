"""How specs are read: only what people, Helm and Kustomize take the same, each key once.

In: events, from `events`. Out: Nodes, and all refusals of a text at once, each with what to write
instead. The rules are in docs/spec.md. No tool reads a spec's own text, only what we make of it.
"""

from __future__ import annotations

import codecs
import math
import re
from typing import NoReturn

import yaml

from ..errors import Errors, InputError, Location
from . import scalars
from .complaints import Position
from .events import MERGE_WANTS, Entry, Reader, start
from .lenient import quoted, short
from .node import Node
from .scalars import Scalar

MAX_REFUSALS = 100

_SWITCHES = {"on": "true", "yes": "true", "y": "true", "off": "false", "no": "false", "n": "false"}
_LONG = re.compile(r"[-+]?[0-9_]{16,}")
_ENDS_IN_ZERO = re.compile(r"[-+]?[0-9_]*\.[0-9_]*0")


class Strict(Reader[Node]):
    """As specs are written. Refusals are collected; `finish` raises them."""

    go_reads_it = False

    def __init__(self, data: bytes, file: str, left: int, origin: Position = (0, 0)) -> None:
        super().__init__(data, file, left, origin)
        self.refusals: list[InputError] = []
        if data.startswith(codecs.BOM_UTF8):
            self.refuse("the file starts with a byte order mark: save it without", (0, 0))

    def refuse(self, message: str, position: Position) -> None:
        self.refusals.append(InputError(message, self.at(position)))
        if len(self.refusals) >= MAX_REFUSALS:
            self.finish()

    def fail(self, message: str, position: Position) -> NoReturn:
        self.fail_at(message, self.at(position))

    def fail_at(self, message: str, at: Location) -> NoReturn:
        raise Errors([*self.refusals, InputError(message, at)])

    def finish(self) -> None:
        """Raise what was refused, if anything was."""
        if self.refusals:
            raise Errors(self.refusals)

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        value: Scalar = event.value
        self._check_tag(event, start(event))
        if event.tag is None and event.implicit[0]:
            value = scalars.resolve(event.value)
            if problem := _refusal(event.value, value):
                self.refuse(problem, start(event))
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                value = scalars.as_float64(value)
        return Node(value, self.at(start(event)))

    def name(self, event: yaml.ScalarEvent) -> str | None:
        self._check_tag(event, start(event))
        if event.tag is not None or not event.implicit[0]:
            return event.value
        if event.value == "<<":
            return None
        if event.value == "":
            self.refuse('a key is missing before ":"', start(event))
        elif not _is_text(event.value):
            self.refuse(
                f"not every reader takes this key for text: write {quoted(event.value)}",
                start(event),
            )
        return event.value

    def sequence(self, start_event: yaml.CollectionStartEvent, items: list[Node]) -> Node:
        self._check_tag(start_event, start(start_event))
        return Node(items, self.at(start(start_event)))

    def mapping(self, start_event: yaml.CollectionStartEvent, entries: list[Entry[Node]]) -> Node:
        self._check_tag(start_event, start(start_event))
        own: dict[str, Node] = {}
        seen: dict[str | None, Location] = {}
        merged: dict[str, Node] = {}
        for name, position, item in entries:
            if name in seen:
                self.refuse(f"the key {quoted(name or '<<')} is written twice, first at {seen[name]}", position)
            seen.setdefault(name, self.at(position))
            if name is None:
                merged = self._merged(item, position)
            else:
                item.key = self.at(position)
                own.setdefault(name, item)
        return Node({**merged, **own}, self.at(start(start_event)))

    def alias(self, event: yaml.AliasEvent, item: Node) -> Node:
        return Node(item.value, self.at(start(event)))

    def _merged(self, item: Node, position: Position) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        for source in reversed(item.value) if isinstance(item.value, list) else [item]:
            if isinstance(source.value, dict):
                merged.update(source.value)
            else:
                self.refuse(MERGE_WANTS, position)
        return merged

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, position: Position) -> None:
        if event.tag is not None:
            self.refuse(
                f"the tag {quoted(short(event.tag))}: write the value without it, text in quotes",
                position,
            )


def _is_text(plain: str) -> bool:
    return (
        isinstance(scalars.resolve(plain), str) and plain.lower() not in _SWITCHES and not scalars.is_number_like(plain)
    )


def _refusal(text: str, value: Scalar) -> str:
    """Why a spec may not hold the plain scalar `text`, which Go reads as `value`; "" if it may."""
    if switch := _SWITCHES.get(text.lower()):
        return f"{text} is a boolean to Helm and text to Kustomize: write {switch}, or {quoted(text)} for text"
    if isinstance(value, float) and _ENDS_IN_ZERO.fullmatch(text):
        number = scalars.as_float64(value)
        return f"{quoted(text)[1:-1]} is read as the number {number}: write that, or {quoted(text)} for text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{text} is no number in JSON: write {quoted(text)} for text"
    inexact = isinstance(value, int) and scalars.as_float64(value) != value
    if inexact or (isinstance(value, float) and _LONG.fullmatch(text)):
        return "this number is too large to be kept exactly: put it in quotes"
    if isinstance(value, str) and scalars.is_number_like(text):
        return "this looks like a number and is none to Helm: put it in quotes"
    return ""
