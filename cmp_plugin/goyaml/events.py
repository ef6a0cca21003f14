"""One pass over YAML text: libyaml's events become trees, with every bound checked on the way.

In: UTF-8 bytes. Out: the tree of each document, made by a subclass of `Reader`, which says what
scalars, lists and maps are and what it refuses. The parser is PyYAML's C one; nothing here recurses,
so no input can exhaust the stack. Where libyaml and Go's port of it read one text differently, the
text is refused. No files are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, NamedTuple, NoReturn, TypeVar

import yaml

from ..errors import InputError, Location
from .complaints import BREAK, Position, explain, position_of_byte

# Deeper than any chart's values or object, and shallow enough for whatever walks the tree by recursion.
MAX_DEPTH = 100
# Stricter than go-yaml (decode.go, allowedAliasRatio) at every size: Go reads what passes here.
MAX_ALIASED = 100_000
MAX_ALIAS_RATIO = 50
FEW_ALIASED = 100

MERGE_WANTS = '"<<" merges a map, an alias of a map or a list of these, and nothing else'

# Go skips a byte order mark at the start of any line; libyaml only at the start of the text.
_MARK_IN_LINE = re.compile("[\n\r\x85\u2028\u2029]\ufeff".encode())

# libyaml since 0.2 knows this escape of JSON, Go does not.
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")

Item = TypeVar("Item")
Entry = tuple[str | None, Position, Item]


class Frame(Generic[Item]):
    """A map or list being read. Entries are (key, its position, value); the key None merges."""

    __slots__ = ("entries", "height", "name", "nodes", "position", "start", "wants_key")

    def __init__(self, start: yaml.CollectionStartEvent, nodes: int) -> None:
        self.start = start
        self.entries: list[Entry[Item]] = []
        self.wants_key = start.__class__ is yaml.MappingStartEvent
        self.name: str | None = ""
        self.position: Position = (0, 0)
        self.nodes = nodes
        self.height = 1


class Anchored(NamedTuple, Generic[Item]):
    """What an alias stands for: the value, how many nodes it has, how deep it is (a scalar: 0)."""

    item: Item
    nodes: int
    height: int
    is_map: bool


class AliasBomb(InputError):
    """A short text that aliases make long or deep."""


class Reader(Generic[Item]):
    """Reads documents; subclasses make the values. Positions count from `origin`.

    `left`: how many more values may come, so that a small file cannot become a large tree.
    `go_reads_it`: whether a tool in Go reads this very text, and not only what we make of it.
    """

    go_reads_it = True

    def __init__(self, data: bytes, file: str, left: int, origin: Position = (0, 0)) -> None:
        self.data = data
        self.file = file
        self.left = left
        self.origin = origin
        self._anchors: dict[str, Anchored[Item] | None] = {}
        self._nodes = self._aliased = 0
        self._lines: list[str] = []

    def scalar(self, event: yaml.ScalarEvent) -> Item:
        """The value of a scalar."""
        raise NotImplementedError

    def name(self, event: yaml.ScalarEvent) -> str | None:
        """The key that `event` is, or None for a merge key."""
        raise NotImplementedError

    def sequence(self, start: yaml.CollectionStartEvent, items: list[Item]) -> Item:
        """The value of a list."""
        raise NotImplementedError

    def mapping(self, start: yaml.CollectionStartEvent, entries: list[Entry[Item]]) -> Item:
        """The value of a map, from its entries in the order of the file."""
        raise NotImplementedError

    def alias(self, event: yaml.AliasEvent, item: Item) -> Item:
        """Another occurrence of the anchored `item`."""
        raise NotImplementedError

    def refuse(self, message: str, position: Position) -> None:
        """Note or raise that the text is refused; a reader that notes goes on as well as it can."""
        self.fail(message, position)

    def fail(self, message: str, position: Position) -> NoReturn:
        """Raises InputError at `position`."""
        raise InputError(message, self.at(position))

    def at(self, position: Position) -> Location:
        """Line and column as people count them, from 1."""
        return Location(self.file, position[0] + self.origin[0] + 1, position[1] + self.origin[1] + 1)

    def documents(self) -> Iterator[Item]:
        """The values of the stream's documents; an empty document is what an empty scalar is."""
        self._check_text()
        parser = yaml.CBaseLoader(self.data)
        try:
            while (event := parser.get_event()).__class__ is not yaml.StreamEndEvent:
                if isinstance(event, yaml.DocumentStartEvent):
                    if event.version or event.tags:
                        self.refuse("% directives are not supported: remove the lines above", start(event))
                    self._count(event)
                    self._anchors = {}
                    self._nodes = self._aliased = 0
                    yield self._document(parser)
        except yaml.YAMLError as error:
            self.fail(*explain(error, self.data, self.origin))

    def _check_text(self) -> None:
        try:
            text = self.data.decode()
        except UnicodeDecodeError as error:
            self.fail("not UTF-8 text", position_of_byte(self.data, error.start))
        if self.go_reads_it and r"\/" in text:
            self._lines = BREAK.split(text.removeprefix("\ufeff"))
        if mark := _MARK_IN_LINE.search(self.data):
            self.fail(
                "a byte order mark (U+FEFF) starts this line: remove it",
                position_of_byte(self.data, mark.end() - 3),
            )

    def _document(self, parser: yaml.CBaseLoader) -> Item:
        stack: list[Frame[Item]] = []
        while True:
            event = parser.get_event()
            top = stack[-1] if stack else None
            if isinstance(event, yaml.ScalarEvent):
                self._count(event)
                if event.style == '"' and self._lines:
                    self._check_slash(event)
                if top and top.wants_key:
                    self._key(top, event)
                    continue
                item = self._scalar(event, top)
            elif isinstance(event, yaml.CollectionEndEvent):
                item = self._close(stack.pop(), stack)
            elif isinstance(event, yaml.DocumentEndEvent):
                # The Kubernetes reader splits at "---" first; Go then fails on a "..." that stands alone.
                if event.explicit and self._nodes == 1:
                    self.fail('"..." ends an empty document: remove it', start(event))
                return item
            elif top and top.wants_key and isinstance(event, yaml.NodeEvent):
                self.fail("a key must be a plain or quoted text", start(event))
            elif isinstance(event, yaml.CollectionStartEvent):
                stack.append(self._open(event, len(stack)))
                continue
            elif isinstance(event, yaml.AliasEvent):
                item = self._alias(event, stack)
            if stack:
                self._put(stack[-1], item)

    def _check_slash(self, event: yaml.ScalarEvent) -> None:
        (line, column), end = start(event), event.end_mark
        assert end is not None
        text = "\n".join([*self._lines[line : end.line], self._lines[end.line][: end.column]])
        if _SLASH.search(text, column):
            self.refuse(r'Go does not know the escape "\/": write "/"', (line, column))

    def _key(self, frame: Frame[Item], event: yaml.ScalarEvent) -> None:
        self._check_flow(event, frame)
        frame.name = self.name(event)
        frame.position = start(event)
        frame.wants_key = False
        self._nodes += frame.name is not None
        if event.anchor:
            self._anchors[event.anchor] = Anchored(self.scalar(event), 1, 0, False)

    def _scalar(self, event: yaml.ScalarEvent, frame: Frame[Item] | None) -> Item:
        if frame:
            self._check_flow(event, frame)
        self._nodes += 1
        item = self.scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = Anchored(item, 1, 0, False)
        return item

    def _check_flow(self, event: yaml.ScalarEvent, frame: Frame[Item]) -> None:
        # Go ends a plain scalar at any "?" inside brackets, libyaml since 0.2 does not. No tool of
        # ours reads a spec's text, and `dependsOn: [cert-manager?]` is how people write it.
        if self.go_reads_it and frame.start.flow_style and "?" in event.value and not event.style:
            self.refuse('a text with "?" needs quotes between brackets', start(event))

    def _open(self, event: yaml.CollectionStartEvent, depth: int) -> Frame[Item]:
        self._count(event)
        if depth >= MAX_DEPTH:
            self.fail(f"more than {MAX_DEPTH} levels deep", start(event))
        if event.anchor:
            self._anchors[event.anchor] = None
        return Frame(event, self._nodes)

    def _close(self, frame: Frame[Item], stack: list[Frame[Item]]) -> Item:
        self._nodes += 1
        is_map = frame.start.__class__ is yaml.MappingStartEvent
        if is_map:
            item = self.mapping(frame.start, frame.entries)
        else:
            item = self.sequence(frame.start, [entry[2] for entry in frame.entries])
        anchor = frame.start.anchor
        if anchor and self._anchors[anchor] is None:
            self._anchors[anchor] = Anchored(item, self._nodes - frame.nodes, frame.height, is_map)
        if stack:
            stack[-1].height = max(stack[-1].height, frame.height + 1)
        return item

    def _alias(self, event: yaml.AliasEvent, stack: list[Frame[Item]]) -> Item:
        name = event.anchor or ""
        if name not in self._anchors:
            self.fail(
                f'"*{name}" has no "&{name}" above it (a text that starts with "*" needs quotes)',
                start(event),
            )
        anchored = self._anchors[name]
        if anchored is None:
            self.fail(f'"*{name}" stands inside its own "&{name}"', start(event))
        if stack and stack[-1].name is None and not anchored.is_map:
            self.fail(MERGE_WANTS, start(event))
        self._count(event)
        self._bound(anchored, event, stack)
        return self.alias(event, anchored.item)

    def _bound(self, anchored: Anchored[Item], event: yaml.AliasEvent, stack: list[Frame[Item]]) -> None:
        own = self._nodes - self._aliased + 1
        self._nodes += 1 + anchored.nodes
        self._aliased += anchored.nodes
        if self._aliased > max(FEW_ALIASED, min(MAX_ALIASED, MAX_ALIAS_RATIO * own)):
            raise AliasBomb(f"aliases make {self._aliased} values out of {own}: too many", self.at(start(event)))
        if len(stack) + anchored.height > MAX_DEPTH:
            raise AliasBomb(f"aliases make this more than {MAX_DEPTH} levels deep", self.at(start(event)))
        if stack:
            stack[-1].height = max(stack[-1].height, anchored.height + 1)

    def _count(self, event: yaml.Event) -> None:
        self.left -= 1
        if self.left < 0:
            self.fail("too many values for one file", start(event))

    def _put(self, frame: Frame[Item], item: Item) -> None:
        frame.entries.append((frame.name, frame.position, item))
        frame.wants_key = frame.start.__class__ is yaml.MappingStartEvent


def start(event: yaml.Event) -> Position:
    """Line and column, from 0, where `event` starts."""
    mark = event.start_mark
    return (mark.line, mark.column) if mark else (0, 0)
