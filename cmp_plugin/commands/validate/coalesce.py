"""The values that a chart and its subcharts see, near enough to Helm's for their schemas.

In: a chart's files, plain values. Out: for each chart that is switched on, its key path and its values.
Pure. As in Helm, the user's values lie over the chart's, null takes a default away, `global` goes down, and
the parent's values.yaml wins over the subchart's. Not followed: `import-values`, and null for a
whole subchart or in `global`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...charts.contents import ChartFiles, Subchart
from ...goyaml.load import plain

Values = dict[str, Any]
Path = tuple[str, ...]


class ChartValues(NamedTuple):
    """A chart's own defaults as plain data, and the same of the charts in it."""

    chart: ChartFiles
    defaults: Values
    inner: tuple[tuple[Subchart, ChartValues], ...]


def chart_values(chart: ChartFiles) -> ChartValues:
    """Once a chart; `switched_on` then shares the defaults between all that it gives."""
    inner = tuple((subchart, chart_values(subchart.chart)) for subchart in chart.subcharts)
    return ChartValues(chart, plain(chart.values), inner)


def switched_on(chart: ChartValues, values: Values, path: Path = ()) -> Iterator[tuple[Path, Values]]:
    """The charts that are on with these values, each with what its schema is about; the chart itself last."""
    whole = over(values, chart.defaults)
    for subchart, below in chart.inner:
        if _is_on(subchart, whole):
            # A null is for the subchart's default, so it is still there for the subchart to act on.
            inner = over(_map(values, subchart.key), _map(chart.defaults, subchart.key), keep_null=True)
            inner["global"] = over(_map(whole, "global"), _map(inner, "global"))
            of_charts = list(switched_on(below, inner, (*path, subchart.key)))
            whole[subchart.key] = of_charts[-1][1]
            yield from of_charts
    yield path, whole


def over(high: Values, low: Values, keep_null: bool = False) -> Values:
    """`high` over `low` as Helm coalesces them; shares what it does not change."""
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        if value is None and not keep_null:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = over(value, below if isinstance(below, dict) else {}, keep_null)
        else:
            result[key] = value
    return result


def _map(values: Values, key: str) -> Values:
    child = values.get(key)
    return child if isinstance(child, dict) else {}


def _is_on(subchart: Subchart, values: Values) -> bool:
    """The first condition that is a boolean decides, else the tags do, else it is on."""
    for condition in subchart.conditions:
        switch = at_path(values, condition.split("."))
        if isinstance(switch, bool):
            return switch
    switches = [switch for tag in subchart.tags if isinstance(switch := at_path(values, tag.split(".")), bool)]
    return any(switches) if switches else True


def at_path(values: Any, path: list[str] | Path) -> Any:
    """What is at these keys, or None."""
    for step in path:
        values = values.get(step) if isinstance(values, dict) else None
    return values
