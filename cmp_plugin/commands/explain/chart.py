"""What a chart itself says about a service's values, by path: the lowest layer of all.

In: what the chart's files say, or nothing. Out: its words and its subcharts', as layers say theirs. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...charts.contents import ChartFiles, defaults
from ...errors import Location
from ...goyaml.load import Node
from .trails import Keys, Statement


class ChartOrigins:
    """The chart of one service. `defaults`: its values.yaml over those of its subcharts; empty without a chart."""

    def __init__(self, chart: ChartFiles | None) -> None:
        self._chart = chart
        self._layers = dict(_layers(chart)) if chart is not None else {}
        self.defaults = defaults(chart) if chart is not None else Node({}, Location(""))

    def said(self, keys: Keys) -> tuple[Statement, ...]:
        """What the chart says at a path in `values`, highest first: its own words, then a subchart's."""
        default = self.defaults.find(keys[1:]) if keys[0] == "values" else None
        if default is None or default.entries():
            return ()
        return tuple(
            Statement(self._layers.get(value.at.file, ""), keys, value, literal=True)
            for value in (default, *default.over)
        )

    def template(self, name: str) -> Location | None:
        """The file of a template that Helm calls `<chart's name>[/charts/<name>...]/templates/x.yaml`."""
        chart, (_, _, path) = self._chart, name.partition("/")
        while chart is not None and path.startswith("charts/"):
            _, inner, path = path.split("/", 2)
            chart = next(
                (subchart.chart for subchart in chart.subcharts if inner in (subchart.key, subchart.chart.name)), None
            )
        return Location(f"{chart.values.at.file.rpartition('/')[0]}/{path}") if chart is not None and path else None


def _layers(chart: ChartFiles) -> Iterator[tuple[str, str]]:
    """What each values.yaml is called as a layer."""
    yield from _inner_layers(chart)
    yield chart.values.at.file, f"chart {chart.name} {chart.version}"


def _inner_layers(chart: ChartFiles) -> Iterator[tuple[str, str]]:
    for inner in chart.subcharts:
        yield from _inner_layers(inner.chart)
        yield inner.chart.values.at.file, f"subchart {inner.key}"
