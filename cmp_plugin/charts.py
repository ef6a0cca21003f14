"""Where a chart comes from: the one place that knows.

In: a service with a chart. Out: a directory or an archive on disk for helm to open, looked at for
links and special files. So far only charts in the repository: `chart: {path: ...}`, a directory or
a `.tgz` with its dependencies inside.
"""

from __future__ import annotations

import os

from .errors import InputError
from .service import Service
from .tools.process import Deadline
from .tree import Tree


def locate(service: Service, tree: Tree, workdir: str, deadline: Deadline) -> str:
    """The absolute real path of the service's chart. Raises InputError at the `chart` field."""
    chart = service.chart
    assert chart is not None
    if not chart.path:
        wanted = chart.oci or f"{chart.name} of {chart.repo}"
        raise InputError(
            f"{service.label}: the chart {wanted} cannot be fetched yet",
            chart.at,
            "put it into the repository and name it with chart: {path: ...}",
        )
    found = tree.locate(chart.path, chart.at)
    if os.path.isdir(found) and not os.path.isfile(os.path.join(found, "Chart.yaml")):
        raise InputError(
            f"{service.label}: {chart.path[1:]} is no chart: it has no Chart.yaml", chart.at
        )
    return found
