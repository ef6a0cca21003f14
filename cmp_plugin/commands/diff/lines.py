"""Changes as lines for people, the same for a terminal and for a comment.

In: groups of changes. Out: lines with a sign, a depth and text without a line break. What files say is
written so that it cannot be taken for anything else.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ...goyaml.load import dump_json, dump_yaml
from ...render.compare import ABSENT, ADDED, CHANGED, REMOVED, Field
from ..terminal import counted
from .grouping import Group, Told, is_minor

SIGNS = {ADDED: "+", REMOVED: "-", CHANGED: "~"}
# What a person takes in at a glance, and what -v shows all of: clusters by name, lines of one value,
# and characters of a field with both of its values in one line.
_FEW_NAMES = 4
_FEW_LINES = 24
_LONG = 110


class Line(NamedTuple):
    """`sign`: `+`, `-`, `~`, `!` (a danger), `!!` (a loss) or nothing. `depth`: how far it is indented."""

    sign: str
    depth: int
    text: str


class Manner(NamedTuple):
    """How much is told: everything, or what a person reads; and which clusters there are."""

    whole: bool
    clusters: frozenset[str]


def on_clusters(names: Sequence[str], how: Manner) -> str:
    """`on gke.dev`, `on 12 clusters: a, b, c, d and 8 more`; nothing for what is not on a cluster."""
    if not any(names):
        return ""
    if len(names) == 1:
        return f"on {names[0]}"
    if set(names) == how.clusters and not how.whole:
        return f"on all {len(names)} clusters"
    few = names if how.whole or len(names) <= _FEW_NAMES + 1 else names[:_FEW_NAMES]
    more = f" and {len(names) - len(few)} more" if len(few) < len(names) else ""
    return f"on {len(names)} clusters: {', '.join(few)}{more}"


def group_title(group: Group, how: Manner) -> str:
    """`prometheus on 12 clusters: ...`."""
    return " ".join(part for part in (group.service.strip("()"), on_clusters(group.clusters, how)) if part)


def group_lines(group: Group, how: Manner) -> Iterator[Line]:
    """Every object of a group with its fields."""
    minor = [] if how.whole else [entry for entry in group.entries if entry.is_minor]
    for entry in group.entries:
        if entry not in minor:
            yield Line(SIGNS[entry.change], 1, str(entry.key))
            for told in entry.fields:
                if how.whole or not is_minor(told.field):
                    yield from _told(told, how)
    if minor:
        others = "" if len(minor) == len(group.entries) else "other "
        yield Line(
            "",
            1,
            f"{counted(len(minor), f'{others}object')}: only the chart's version in labels, checksums, "
            "or a schema's descriptions",
        )


def _told(told: Told, how: Manner) -> Iterator[Line]:
    if not told.others:
        yield from field_lines(told.field, how)
        return
    shown = told.others if how.whole else told.others[:1]
    for field, clusters in shown:
        yield from field_lines(field, how)
        yield Line("", 3, f"{on_clusters(clusters, how)}{'' if how.whole else ', for example'}")
    if not how.whole:
        yield Line("", 3, f"{len(told.others) - 1} other values on the other clusters")


def field_lines(field: Field, how: Manner) -> Iterator[Line]:
    """One field: both values in a line where they fit, else below each other, texts as what differs in them."""
    path, sign = one_line(field.path), SIGNS[field.change]
    if field.hidden:
        yield Line(sign, 2, f"{path}: {field.change} (hidden)")
    elif field.change == CHANGED and (texts := _texts(field)) is not None:
        yield Line(sign, 2, f"{path}:")
        before, after = (text.split("\n") for text in texts)
        differing = list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]
        yield from _limited(
            [Line(text[0].strip("@ "), 3, "..." if text.startswith("@@") else text[1:]) for text in differing], how
        )
    elif field.change == CHANGED:
        values = _shortened(field.before, field.after, how)
        if sum(map(len, values)) + len(path) < _LONG and not any(
            isinstance(value, dict | list) for value in (field.before, field.after)
        ):
            yield Line(sign, 2, f"{path}: {values[0]} -> {values[1]}")
        else:
            yield Line(sign, 2, f"{path}:")
            yield from _limited([*_value("-", field.before, values[0]), *_value("+", field.after, values[1])], how)
    else:
        value = field.before if field.after is ABSENT else field.after
        lines = list(_value(sign, value, _shortened(value, value, how)[0]))
        yield Line(sign, 2, f"{path}: {lines[0].text}" if len(lines) == 1 else f"{path}:")
        yield from _limited(lines if len(lines) > 1 else [], how)


def _texts(field: Field) -> tuple[str, str] | None:
    """Both values where one of them is a text of several lines."""
    before, after = field.before, field.after
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and ("\n" in before.rstrip("\n") or "\n" in after.rstrip("\n"))
    ):
        return before, after
    return None


def _value(sign: str, value: Any, short: str) -> Iterator[Line]:
    """A value in as many lines as it takes."""
    if isinstance(value, dict | list) and value:
        for text in dump_yaml(value).splitlines():
            yield Line(sign, 3, text)
    elif isinstance(value, str) and "\n" in value.rstrip("\n"):
        for text in value.split("\n"):
            yield Line(sign, 3, text)
    else:
        yield Line(sign, 3, short)


def _limited(lines: Sequence[Line], how: Manner) -> Iterable[Line]:
    if how.whole or len(lines) <= _FEW_LINES + 1:
        return lines
    return [*lines[:_FEW_LINES], Line("", 3, f"... {len(lines) - _FEW_LINES} more lines")]


def _shortened(before: Any, after: Any, how: Manner) -> tuple[str, str]:
    """Both in a line each, of long ones the part around the first difference."""
    texts = (one_line(before), one_line(after))
    if how.whole or max(map(len, texts)) <= 2 * _LONG:
        return texts
    same = next((position for position, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - _LONG // 2) if before != after else 0
    return _window(texts[0], start), _window(texts[1], start)


def _window(text: str, start: int) -> str:
    end = start + 2 * _LONG
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


def one_line(value: Any) -> str:
    """A value in one line: a text as it is unless it could be taken for something else."""
    if not isinstance(value, str):
        return dump_json(value)
    if value == "" or value != value.strip() or not value.isprintable() or _is_json(value):
        return dump_json(value)
    return value


def _is_json(text: str) -> bool:
    """Whether a text could be taken for a number, a boolean, null or an empty list; JSON documents are shown as is."""
    if text[0] in "{[" and len(text) > 2:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
