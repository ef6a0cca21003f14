"""Which values a chart's templates use, as far as their text tells.

In: a chart's files. Out: paths, words and whole maps that are mentioned. No template is run: what may be
a use counts as one, so that a key is called unknown only when nothing in the chart could mean it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...charts.contents import ChartFiles

Path = tuple[str, ...]

# The path behind `.Values`, and names in quotes after it (`index .Values.a "b-c"`).
_VALUES = re.compile(r"""\.Values\b((?:\.[A-Za-z_]\w*)*)((?:[ ]+"[^"\n]+")*)""")
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_NO_TEMPLATES = ("values.yaml", "values.schema.json", "Chart.yaml")
_NO_TEMPLATE = (".md", ".gotmpl")
_FIELD = re.compile(r"\.([A-Za-z_]\w*)")
_QUOTED = re.compile(r"""["'`]([A-Za-z_][\w./-]*)["'`]""")
_NAME_IN_VALUES = re.compile(r"^[\s#]*(?:- )?[\"']?([A-Za-z_][\w./-]*)[\"']?\s*:", re.MULTILINE)
_DOTTED = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")
_TAKES_NAMES = re.compile(r"\b(?:index|get|hasKey)[ (]+\$?$")
_ASKS_ONLY = re.compile(r"\b(?:if|and|or|not|eq|ne|empty)[ (]+\$?$")


class Mentions(NamedTuple):
    """`paths`: `.Values.a.b` as (a, b), with all that it goes through; `words`: names that may be keys of any
    map; `whole`: paths that are used as a whole (printed, ranged over, handed on): they may hold any key.
    """

    paths: frozenset[Path]
    words: frozenset[str]
    whole: frozenset[Path]


def mentions(chart: ChartFiles) -> Mentions:
    """What the chart and the charts in it mention; they share their named templates."""
    paths: set[Path] = set()
    words: set[str] = set()
    whole: set[Path] = set()
    for member in _all(chart):
        for path, data in member.files.items():
            # All that can hold a template: also files that one reads and hands to `tpl`.
            if path not in _NO_TEMPLATES and not path.endswith(_NO_TEMPLATE):
                _template(_COMMENT.sub("", data.decode("utf-8", "replace")), paths, words, whole)
        # Keys of values.yaml, those in comments too, and dotted names in comments.
        values = member.files.get("values.yaml", b"").decode("utf-8", "replace")
        words.update(_NAME_IN_VALUES.findall(values))
        words.update(step for dotted in _DOTTED.findall(values) for step in dotted.split("."))
        with contextlib.suppress(ValueError, RecursionError):
            words.update(_properties(json.loads(member.schema or b"{}")))
        words.update(step for switch in member.switches for step in switch.split("."))
        words.update(
            step for sub in member.subcharts for pair in sub.imports for path in pair for step in path.split(".")
        )
    return Mentions(frozenset(paths), frozenset(words), frozenset(whole))


def _all(chart: ChartFiles) -> Iterator[ChartFiles]:
    yield chart
    for subchart in chart.subcharts:
        yield from _all(subchart.chart)


def _template(text: str, paths: set[Path], words: set[str], whole: set[Path]) -> None:
    rest: list[str] = []
    end = 0
    for match in _VALUES.finditer(text):
        path, names = tuple(match[1].split(".")[1:]), match[2].split('"')[1::2]
        if names and _TAKES_NAMES.search(text, max(match.start() - 10, 0), match.start()):
            path = (*path, *names)
        words.update(names)
        paths.update(path[:length] for length in range(1, len(path) + 1))
        if not _ASKS_ONLY.search(text, max(match.start() - 10, 0), match.start()):
            whole.add(path)
        rest.append(text[end : match.start()])
        end = match.end()
    rest.append(text[end:])
    for part in rest:
        words.update(_FIELD.findall(part))
        words.update(step for quoted in _QUOTED.findall(part) for step in (quoted, *quoted.split(".")))


def _properties(schema: Any) -> Iterator[str]:
    """Every property that a values schema names, wherever."""
    if isinstance(schema, dict):
        named = schema.get("properties")
        yield from named if isinstance(named, dict) else ()
        for child in schema.values():
            yield from _properties(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _properties(child)
