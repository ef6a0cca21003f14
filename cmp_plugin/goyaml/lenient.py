"""What Go makes of YAML: values files as Helm reads them, manifests as Argo CD does.

In: events, from `events`. Out: Nodes for values, plain values for manifests. Where Go fails,
chooses by chance or goes on silently (tags of one's own, two keys that become one) the text is refused.
"""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import yaml

from . import scalars
from .complaints import Position
from .events import MERGE_WANTS, Entry, Item, Reader, start
from .node import Node
from .scalars import Scalar

MAX_QUOTED = 40  # characters of a key or value in an error, which is to stay one line

_PREFIX = "tag:yaml.org,2002:"
STR, SEQ, MAP = _PREFIX + "str", _PREFIX + "seq", _PREFIX + "map"
# Tags that Go checks against what the text is anyway.
_TAGGED: dict[str, tuple[type, ...]] = {
    _PREFIX + "int": (int,),
    _PREFIX + "bool": (bool,),
    _PREFIX + "null": (type(None),),
}


class Lenient(Reader[Item]):
    """As Go reads: the later key wins, also over `<<`. The first refusal is raised."""

    def __init__(self, data: bytes, file: str, left: int, memo: dict[str, Scalar]) -> None:
        super().__init__(data, file, left)
        self._memo = memo
        self._not_text: set[str] = set()

    def make(self, value: Any, position: Position) -> Item:
        """The item of a scalar, a list of items or a map of items."""
        raise NotImplementedError

    def unwrap(self, item: Item) -> Any:
        """The value that `make` was given."""
        raise NotImplementedError

    def keyed(self, item: Item, position: Position) -> Item:
        """The item, as the value of a key at `position`."""
        return item

    def number(self, number: float) -> int | float:
        """The number that the reader in Go makes of it."""
        raise NotImplementedError

    def scalar(self, event: yaml.ScalarEvent) -> Item:
        return self.make(self._value(event), start(event))

    def name(self, event: yaml.ScalarEvent) -> str | None:
        if event.tag is None and event.implicit[0]:
            if event.value == "<<":
                return None
            return event.value if isinstance(scalars.resolve(event.value), str) else self._odd_name(event)
        if event.tag not in (None, STR):
            self.fail("a key with a tag: write it in quotes, without the tag", start(event))
        return event.value

    def sequence(self, start_event: yaml.CollectionStartEvent, items: list[Item]) -> Item:
        self._check_tag(start_event, SEQ)
        return self.make(items, start(start_event))

    def mapping(self, start_event: yaml.CollectionStartEvent, entries: list[Entry[Item]]) -> Item:
        self._check_tag(start_event, MAP)
        result: dict[str, Item] = {}
        for name, position, item in entries:
            added = self._merged(item, position) if name is None else {name: self.keyed(item, position)}
            if self._not_text and (twice := self._not_text & result.keys() & added.keys()):
                self.fail(
                    f"the key {quoted(min(twice))} comes twice, as text and as something else",
                    position,
                )
            result.update(added)
        return self.make(result, start(start_event))

    def _merged(self, item: Item, position: Position) -> dict[str, Item]:
        value = self.unwrap(item)
        sources = [self.unwrap(source) for source in reversed(value)] if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self.fail(MERGE_WANTS, position)
        return {key: child for source in sources for key, child in source.items()}

    def _odd_name(self, event: yaml.ScalarEvent) -> str:
        key = scalars.key_text(scalars.resolve(event.value))
        if key is None:
            self.fail(
                f"Go does not read this key as it is written: write {quoted(event.value)}",
                start(event),
            )
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
            value = self._memo[event.value] = self._number(scalars.resolve(event.value), event)
            return value

    def _tagged(self, event: yaml.ScalarEvent, tag: str) -> Scalar:
        if tag == STR:
            return event.value
        value = scalars.resolve(event.value)
        if type(value) not in _TAGGED.get(tag, ()):
            self.fail(f"a value with the tag {quoted(short(tag))}: write it without", start(event))
        return self._number(value, event)

    def _number(self, value: Scalar, event: yaml.ScalarEvent) -> Scalar:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        if not math.isfinite(value):
            self.fail(
                f"{event.value} is no number in JSON: write {quoted(event.value)} for text",
                start(event),
            )
        return self.number(value)

    def _check_tag(self, event: yaml.CollectionStartEvent, tag: str) -> None:
        if event.tag not in (None, tag):
            self.fail(
                f"a value with the tag {quoted(short(str(event.tag)))}: write it without",
                start(event),
            )


class Values(Lenient[Node]):
    """As Helm reads a values file."""

    number = staticmethod(scalars.as_float64)

    def make(self, value: Any, position: Position) -> Node:
        return Node(value, self.at(position))

    def unwrap(self, item: Node) -> Any:
        return item.value

    def keyed(self, item: Node, position: Position) -> Node:
        item.key = self.at(position)
        return item

    def alias(self, event: yaml.AliasEvent, item: Node) -> Node:
        return Node(item.value, self.at(start(event)))


class Manifests(Lenient[Any]):
    """As Argo CD reads a manifest; nothing is shared, so that callers may change it."""

    number = staticmethod(scalars.as_kubernetes)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        return self._value(event)

    def make(self, value: Any, position: Position) -> Any:
        return value

    def unwrap(self, item: Any) -> Any:
        return item

    def alias(self, event: yaml.AliasEvent, item: Any) -> Any:
        return copy.deepcopy(item)


def quoted(text: str) -> str:
    """`text` in double quotes for an error: one line, not too long, nothing a terminal obeys."""
    cut = text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"
    return json.dumps(cut, ensure_ascii=not cut.isprintable())


def short(tag: str) -> str:
    """A tag as people write it: `!!str`."""
    return tag.replace(_PREFIX, "!!")
