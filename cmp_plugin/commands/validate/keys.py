"""Keys of values that a chart does not know: a misspelt one is ignored by Helm without a word.

In: a chart's files, values as they are merged for one service. Out: warnings at the keys. Pure. A chart may
take what its values.yaml does not list, so silence wins: a key passes when the chart mentions it
anywhere, when the map around it is open, and when the map may be meant to hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...charts.contents import ChartFiles, top_level
from ...errors import did_you_mean
from ...goyaml.load import Node, plain
from .findings import Finding, warning
from .mentions import Mentions, mentions

Path = tuple[str, ...]

_ANYTHING = ("tags", "exports")
_NOT_MEANT = re.compile(r"_|x-")  # where people keep their anchors


class Known(NamedTuple):
    """What one chart knows: its defaults as plain data, its subcharts by key, what its templates mention.

    `name`: the chart that a person named; `prefix`: the keys under which its values have this one's.
    """

    name: str
    prefix: Path
    defaults: dict[str, Any]
    subcharts: dict[str, Known]
    mentions: Mentions


def known_keys(chart: ChartFiles) -> Known:
    """Worked out once a chart; looking through its templates is what takes time."""
    return _known(chart, chart.name, (), mentions(chart))


def _known(chart: ChartFiles, name: str, prefix: Path, mentioned: Mentions) -> Known:
    defaults = {key: plain(child) for key, child in top_level(chart).items()}
    subcharts = {
        subchart.key: _known(subchart.chart, name, (*prefix, subchart.key), mentioned) for subchart in chart.subcharts
    }
    return Known(name, prefix, defaults, subcharts, mentioned)


def unknown_keys(values: Node, known: Known) -> Iterator[Finding]:
    """A warning for each key in `values` that nothing in the chart can mean."""
    yield from _in_chart(values, known.defaults, known)


def _in_chart(values: Node, defaults: dict[str, Any], known: Known) -> Iterator[Finding]:
    for key, child in values.entries().items():
        if key in _ANYTHING or _NOT_MEANT.match(key):
            continue
        if key in known.subcharts:
            if isinstance(child.value, dict):
                # The subchart's own keys, and those that the parent's values.yaml has for it.
                inner, above = known.subcharts[key], defaults.get(key)
                own = {**inner.defaults, **(above if isinstance(above, dict) else {})}
                yield from _in_chart(child, own, inner)
        elif key == "global":
            yield from _key(key, child, {key: _globals(known)}, known, ())
        else:
            yield from _key(key, child, defaults, known, ())


def _globals(known: Known) -> dict[str, Any]:
    """What a chart and those in it have under `global`, for it goes down to all of them."""
    merged: dict[str, Any] = {}
    for subchart in known.subcharts.values():
        merged |= _globals(subchart)
    own = known.defaults.get("global")
    return merged | own if isinstance(own, dict) else merged


def _key(key: str, node: Node, defaults: dict[str, Any], known: Known, path: Path) -> Iterator[Finding]:
    if key in defaults:
        below = defaults[key]
        if isinstance(below, dict) and below:
            for inner, child in node.entries().items():
                yield from _key(inner, child, below, known, (*path, key))
        return
    where = (*path, key)
    if key in known.mentions.words or where in known.mentions.paths:
        return
    near = _nearest(key, defaults)
    if near or _is_closed(path, known.mentions):
        hint = f'did you mean "{near}"?' if near else did_you_mean(key, defaults)
        message = f"chart {known.name} knows no value {'.'.join((*known.prefix, *where))}"
        yield warning("unknown-value", message, node.start, hint)


def _is_closed(path: Path, mentioned: Mentions) -> bool:
    """Whether templates take single keys out of the map at `path`, and nothing takes it as a whole.

    What is in `global` may be meant for a chart that is not looked at.
    """
    if path[:1] == ("global",) or any(path[:length] in mentioned.whole for length in range(len(path) + 1)):
        return False
    return not path or path in mentioned.paths


def _nearest(key: str, defaults: dict[str, Any]) -> str:
    """The key that this one is a slip of, when that is as good as certain."""
    import difflib

    if not re.fullmatch(r"[a-z][A-Za-z]{4,}", key):
        return ""
    one_slip = 1 - 1 / len(key) - 0.001
    close = difflib.get_close_matches(key, [name for name in defaults if name[:-1] != key[:-1]], n=1, cutoff=one_slip)
    return close[0] if close else ""
