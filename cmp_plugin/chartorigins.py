"""What a chart itself says about a service's values, by path: the lowest layer of all.

In: what the chart's files say, or nothing. Out: its words and its subcharts', as layers say theirs. Pure.
"""

from __future__ import annotations

from .blocktree import lookup
from .chart_files import ChartFiles, defaults
from .errors import Location
from .origins import Keys, Said
from .yamlfile import Node

_SUBCHART = "/charts/"


class ChartOrigins:
    """The chart of one service. `defaults`: its values.yaml over those of its subcharts; empty without a chart."""

    def __init__(self, chart: ChartFiles | None) -> None:
        self._chart = chart
        self.defaults = defaults(chart) if chart is not None else Node({}, Location(""))

    def said(self, keys: Keys) -> tuple[Said, ...]:
        """What the chart says at a path in `values`, highest first: its own words, then a subchart's."""
        found = lookup(self.defaults, keys[1:]) if keys[0] == "values" else None
        if found is None or isinstance(found.value, dict) and found.value:
            return ()
        return tuple(Said(self._layer(one), keys, one, literal=True) for one in (found, *found.over))

    def _layer(self, node: Node) -> str:
        """What the chart, or a chart in it, is called as a layer."""
        if self._chart is None:
            return ""
        own, directory = (at.file.rpartition("/")[0] for at in (self._chart.values.at, node.at))
        if directory.startswith(f"{own}{_SUBCHART}"):
            return f"subchart {directory.rpartition('/')[2]}"
        return f"chart {self._chart.name} {self._chart.version}"

    def template(self, name: str) -> Location | None:
        """The file of a template that Helm calls `<chart's name>/templates/x.yaml`."""
        _, _, path = name.partition("/")
        if self._chart is None or not path:
            return None
        return Location(f"{self._chart.values.at.file.rpartition('/')[0]}/{path}")
