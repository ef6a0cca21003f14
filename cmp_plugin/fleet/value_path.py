"""The paths that people type: `values.a.b[0]`, `metadata.labels."a.b/c"`, `Deployment/web spec.replicas`.

In: text. Out: keys and list positions, or an object and a path in it; and back. A path may leave out the
quotes around a key with dots, and name a list's item by its `name`: `step_into` finds what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import UsageError
from ..goyaml.node import Node

Step = str | int
Path = tuple[Step, ...]

_STEP = re.compile(
    r"""(?P<dot>\.)?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>(?:\\.|[^.\[\]"'\\])+))"""
    r"""|\[(?:(?P<index>\d+)|"(?P<inner_double>[^"]*)"|'(?P<inner_single>[^']*)'|(?P<item>[^\]"']+))\]"""
)
_BARE = re.compile(r"[^.\[\]\"'\\\s]+")
_OBJECT = re.compile(
    r"(?:(?P<namespace>[a-z0-9][a-z0-9.-]*)/)?(?P<kind>[A-Za-z][A-Za-z0-9]*)(?:\.(?P<group>[a-z0-9.-]+))?/(?P<name>[^\s/]+)"
)


class ObjectWords(NamedTuple):
    """An object of a render as a person names it; what was left out is empty."""

    kind: str
    name: str
    namespace: str = ""
    group: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        namespace = f"{self.namespace}/" if self.namespace else ""
        return f"{namespace}{self.kind}{group}/{self.name}"


class ValuePath(NamedTuple):
    """What PATH asks for: a path in the service's block, or an object and perhaps a path in it."""

    path: Path
    object: ObjectWords | None = None


def value_path(words: Iterable[str]) -> ValuePath:
    """The words of PATH, in one or two. UsageError for what is no path.

    Before a field a kind may be written small, as for kubectl; alone it would be the key of a label.
    """
    first, *more = " ".join(words).split(maxsplit=1) or [""]
    match = _OBJECT.fullmatch(first)
    if match is None or (not more and match["kind"][0].islower()):
        if more:
            raise UsageError("PATH is one word, or an object and a field: `Deployment/web spec.replicas`")
        return ValuePath(parsed(first))
    named = ObjectWords(match["kind"], match["name"], match["namespace"] or "", match["group"] or "")
    return ValuePath(parsed(more[0]) if more else (), named)


def parsed(text: str) -> Path:
    """Keys and positions in lists. UsageError for what is no path."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (bool(steps) != bool(match["dot"]) and not text.startswith("[", at)):
            raise UsageError(f'"{text}" is no path', hint='write one such as values.a.b[0] or metadata.labels."a.b/c"')
        steps.append(int(match["index"]) if match["index"] else _key(match))
        at = match.end()
    if not steps:
        raise UsageError("an empty word is no path")
    return tuple(steps)


def _key(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return re.sub(r"\\(.)", r"\1", match["bare"])
    names = ("double", "single", "inner_double", "inner_single", "item")
    return next(match[name] for name in names if match[name] is not None)


def written(path: Path) -> str:
    """The path as text that `parsed` reads as the same path."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + quoted(step)
    return text


def in_quotes(path: Path) -> str:
    """The path as it stands in a sentence, and can be copied into a shell."""
    text = written(path)
    return f"'{text}'" if '"' in text else f'"{text}"'


def quoted(key: str) -> str:
    """A key as it stands in a path."""
    if _BARE.fullmatch(key):
        return key
    return f"'{key}'" if '"' in key else f'"{key}"'


class Stepped(NamedTuple):
    """One step into a map or list: the exact key or position, what is there, what is left of the path."""

    step: Step
    found: Any
    rest: Path


def step_into(value: Any, path: Path) -> Stepped | None:
    """The first step of `path` into a map or list of plain values or of nodes; None when it leads nowhere.

    A key with dots may be spread over several steps; an item of a list goes by its position or its `name`.
    """
    if isinstance(value, dict):
        for count in range(1, len(path) + 1):
            key = ".".join(str(step) for step in path[:count])
            if key in value:
                return Stepped(key, value[key], path[count:])
    if isinstance(value, list) and path:
        for position, item in enumerate(value):
            if path[0] in (position, _name(item)):
                return Stepped(position, item, path[1:])
    return None


def _name(item: Any) -> object:
    """The `name` of a list's item, by which Kubernetes tells the items apart."""
    fields = item.value if isinstance(item, Node) else item
    name = fields.get("name") if isinstance(fields, dict) else None
    return name.value if isinstance(name, Node) else name
