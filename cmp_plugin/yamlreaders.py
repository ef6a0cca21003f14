"""What the three kinds of YAML text mean: specs, values files, manifests.

In: events, from `yamlevents`. Out: Nodes, or plain values for manifests, and refusals. Values and
manifests mean what Go's readers make of them; where Go fails, chooses by chance or goes on silently
(its own tags, two keys that become one) they are refused. Specs are refused more.
"""

from __future__ import annotations

import copy
import json
import math
import re
from typing import Any, NoReturn

import yaml

from . import goscalar
from .errors import Errors, InputError, Location
from .goscalar import Scalar
from .yamlevents import MERGE_WANTS, Entry, Item, Reader, start
from .yamlnode import Node
from .yamlsyntax import Place

MAX_REFUSALS = 100
MAX_QUOTED = 40

_PREFIX = "tag:yaml.org,2002:"
STR, SEQ, MAP = _PREFIX + "str", _PREFIX + "seq", _PREFIX + "map"
# Tags that Go checks against what the text is anyway.
_TAGGED: dict[str, tuple[type, ...]] = {
    _PREFIX + "int": (int,),
    _PREFIX + "bool": (bool,),
    _PREFIX + "null": (type(None),),
}
_SWITCHES = {"on": "true", "yes": "true", "y": "true", "off": "false", "no": "false", "n": "false"}
_LONG = re.compile(r"[-+]?[0-9_]{16,}")
_ENDS_IN_ZERO = re.compile(r"[-+]?[0-9_]*\.[0-9_]*0")


class Lenient(Reader[Item]):
    """As Go reads: the later key wins, also over `<<`. The first refusal is raised."""

    def __init__(self, data: bytes, file: str, memo: dict[str, Scalar]) -> None:
        super().__init__(data, file)
        self._memo = memo
        self._not_text: set[str] = set()

    def make(self, value: Any, place: Place) -> Item:
        raise NotImplementedError

    def unwrap(self, item: Item) -> Any:
        raise NotImplementedError

    def keyed(self, item: Item, place: Place) -> Item:
        return item

    def number(self, number: int | float) -> int | float:
        raise NotImplementedError

    def scalar(self, event: yaml.ScalarEvent) -> Item:
        return self.make(self._value(event), start(event))

    def name(self, event: yaml.ScalarEvent) -> str | None:
        if event.tag is None and event.implicit[0]:
            if event.value == "<<":
                return None
            return event.value if isinstance(goscalar.resolve(event.value), str) else self._odd_name(event)
        if event.tag not in (None, STR):
            self.fail("a key with a tag: write it in quotes, without the tag", start(event))
        return event.value

    def sequence(self, start_event: yaml.CollectionStartEvent, items: list[Item]) -> Item:
        self._check_tag(start_event, SEQ)
        return self.make(items, start(start_event))

    def mapping(self, start_event: yaml.CollectionStartEvent, entries: list[Entry[Item]]) -> Item:
        self._check_tag(start_event, MAP)
        result: dict[str, Item] = {}
        for name, place, item in entries:
            added = self._merged(item, place) if name is None else {name: self.keyed(item, place)}
            if self._not_text and (twice := self._not_text & result.keys() & added.keys()):
                self.fail(f"the key {quoted(min(twice))} comes twice, as text and as something else", place)
            result.update(added)
        return self.make(result, start(start_event))

    def _merged(self, item: Item, place: Place) -> dict[str, Item]:
        value = self.unwrap(item)
        sources = [self.unwrap(each) for each in reversed(value)] if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self.fail(MERGE_WANTS, place)
        return {key: child for source in sources for key, child in source.items()}

    def _odd_name(self, event: yaml.ScalarEvent) -> str:
        key = goscalar.key_text(goscalar.resolve(event.value))
        if key is None:
            self.fail(f"Go does not read this key as it is written: write {quoted(event.value)}", start(event))
        self._not_text.add(key)
        return key

    def _value(self, event: yaml.ScalarEvent) -> Scalar:
        if event.tag is not None:
            return self._tagged(event, event.tag)
        if not event.implicit[0]:
            return event.value
        try:
            return self._memo[event.value]
        except KeyError:
            value = self._memo[event.value] = self._number(goscalar.resolve(event.value), event)
            return value

    def _tagged(self, event: yaml.ScalarEvent, tag: str) -> Scalar:
        if tag == STR:
            return event.value
        value = goscalar.resolve(event.value)
        if type(value) not in _TAGGED.get(tag, ()):
            self.fail(f"a value with the tag {quoted(short(tag))}: write it without", start(event))
        return self._number(value, event)

    def _number(self, value: Scalar, event: yaml.ScalarEvent) -> Scalar:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if not math.isfinite(value):
            self.fail(f"{event.value} is no number in JSON: write {quoted(event.value)} for text", start(event))
        return self.number(value)

    def _check_tag(self, event: yaml.CollectionStartEvent, tag: str) -> None:
        if event.tag not in (None, tag):
            self.fail(f"a value with the tag {quoted(short(str(event.tag)))}: write it without", start(event))


class Values(Lenient[Node]):
    """As Helm reads a values file."""

    number = staticmethod(goscalar.as_float64)

    def make(self, value: Any, place: Place) -> Node:
        return Node(value, self.at(place))

    def unwrap(self, item: Node) -> Any:
        return item.value

    def keyed(self, item: Node, place: Place) -> Node:
        item.key = self.at(place)
        return item

    def alias(self, event: yaml.AliasEvent, item: Node) -> Node:
        return Node(item.value, self.at(start(event)))


class Manifests(Lenient[Any]):
    """As Argo CD reads a manifest; nothing is shared, so that callers may change it."""

    number = staticmethod(goscalar.as_kubernetes)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        return self._value(event)

    def make(self, value: Any, place: Place) -> Any:
        return value

    def unwrap(self, item: Any) -> Any:
        return item

    def alias(self, event: yaml.AliasEvent, item: Any) -> Any:
        return copy.deepcopy(item)


class Strict(Reader[Node]):
    """As specs are written. Refusals are collected; `finish` raises them."""

    go_reads_it = False

    def __init__(self, data: bytes, file: str, origin: Place = (0, 0)) -> None:
        super().__init__(data, file, origin)
        self.refusals: list[InputError] = []

    def refuse(self, message: str, place: Place) -> None:
        self.refusals.append(InputError(message, self.at(place)))
        if len(self.refusals) >= MAX_REFUSALS:
            self.finish()

    def fail(self, message: str, place: Place) -> NoReturn:
        raise Errors([*self.refusals, InputError(message, self.at(place))])

    def finish(self) -> None:
        if self.refusals:
            raise Errors(self.refusals)

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        value: Scalar = event.value
        self._check_tag(event, start(event))
        if event.tag is None and event.implicit[0]:
            value = goscalar.resolve(event.value)
            if problem := _refusal(event.value, value):
                self.refuse(problem, start(event))
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                value = goscalar.as_float64(value)
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
            self.refuse(f"not every reader takes this key for text: write {quoted(event.value)}", start(event))
        return event.value

    def sequence(self, start_event: yaml.CollectionStartEvent, items: list[Node]) -> Node:
        self._check_tag(start_event, start(start_event))
        return Node(items, self.at(start(start_event)))

    def mapping(self, start_event: yaml.CollectionStartEvent, entries: list[Entry[Node]]) -> Node:
        self._check_tag(start_event, start(start_event))
        own: dict[str, Node] = {}
        seen: dict[str | None, Location] = {}
        merged: dict[str, Node] = {}
        for name, place, item in entries:
            if name in seen:
                self.refuse(f"the key {quoted(name or '<<')} is written twice, first at {seen[name]}", place)
            seen.setdefault(name, self.at(place))
            if name is None:
                merged = self._merged(item, place)
            else:
                item.key = self.at(place)
                own.setdefault(name, item)
        return Node({**merged, **own}, self.at(start(start_event)))

    def alias(self, event: yaml.AliasEvent, item: Node) -> Node:
        return Node(item.value, self.at(start(event)))

    def _merged(self, item: Node, place: Place) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        for source in reversed(item.value) if isinstance(item.value, list) else [item]:
            if isinstance(source.value, dict):
                merged.update(source.value)
            else:
                self.refuse(MERGE_WANTS, place)
        return merged

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, place: Place) -> None:
        if event.tag is not None:
            self.refuse(f"the tag {quoted(short(event.tag))}: write the value without it, text in quotes", place)


def quoted(text: str) -> str:
    """`text` in double quotes for an error: one line, not too long, nothing a terminal obeys."""
    cut = text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"
    return json.dumps(cut, ensure_ascii=not cut.isprintable())


def short(tag: str) -> str:
    return tag.replace(_PREFIX, "!!")


def _is_text(plain: str) -> bool:
    return isinstance(goscalar.resolve(plain), str) and plain.lower() not in _SWITCHES and not goscalar.is_number_like(plain)


def _refusal(text: str, value: Scalar) -> str:
    """Why a spec may not hold the plain scalar `text`, which Go reads as `value`; "" if it may."""
    if switch := _SWITCHES.get(text.lower()):
        return f"{text} is a boolean to Helm and text to Kustomize: write {switch}, or {quoted(text)} for text"
    if isinstance(value, float) and _ENDS_IN_ZERO.fullmatch(text):
        return f"{quoted(text)[1:-1]} is read as the number {goscalar.as_float64(value)}: write that, or {quoted(text)} for text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{text} is no number in JSON: write {quoted(text)} for text"
    inexact = isinstance(value, int) and goscalar.as_float64(value) != value
    if inexact or isinstance(value, float) and _LONG.fullmatch(text):
        return "this number is too large to be kept exactly: put it in quotes"
    if isinstance(value, str) and goscalar.is_number_like(text):
        return "this looks like a number and is none to Helm: put it in quotes"
    return ""
