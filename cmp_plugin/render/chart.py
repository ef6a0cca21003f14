"""A service's chart -> the objects that helm makes of it.

In: a resolved service, its chart on disk, a helm. Out: `Document`s, read as Argo CD reads them.
One values file is written into the render's private directory. Helm's errors leave here with a place
in the fleet and without values.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from ..errors import InputError, ToolError
from ..fleet.service import Append, ResolvedService
from ..goyaml.load import Document, dump_values, load_manifests, plain
from ..system.files import FileTree
from ..system.process import Deadline
from ..tools import helm
from ..tools.discovery import Tool
from ..tools.helm_errors import HelmError


def chart_manifests(
    service: ResolvedService, chart_path: str, tool: Tool, workdir: str, deadline: Deadline, tree: FileTree
) -> list[Document]:
    """What the chart at `chart_path` (see `charts.locate`) makes of the service's values.

    Raises ToolError or InputError, with the service's label, at a place in the fleet.
    """
    assert service.chart is not None
    values = final_values(service, chart_path, tool, workdir, deadline, tree)
    with _placing(service, chart_path, workdir, tree):
        output = _template(service, chart_path, values, tool, workdir, deadline)
    try:
        return load_manifests(output)
    except InputError as error:
        raise InputError(f"{service.label}: {error}", service.chart.at) from None


def final_values(
    service: ResolvedService, chart_path: str, tool: Tool, workdir: str, deadline: Deadline, tree: FileTree
) -> dict[str, Any]:
    """The content of the one values file: every `key+` has the chart's own list before its items.

    Raises as `chart_manifests` does. Helm runs only when there is a `key+` that no layer gave a base.
    """
    values = plain(service.values)
    assert isinstance(values, dict)
    if service.appends:
        from .chart_values import computed_values

        def print_values(probe: str) -> bytes:
            return _template(service, probe, values, tool, workdir, deadline)

        with _placing(service, chart_path, workdir, tree):
            computed = computed_values(chart_path, workdir, print_values)
        for append in service.appends:
            _append(values, append, computed, service)
    return values


@contextlib.contextmanager
def _placing(service: ResolvedService, chart_path: str, workdir: str, tree: FileTree) -> Iterator[None]:
    """Errors of the tools leave this block with the service's label and a place in the fleet."""
    assert service.chart is not None
    try:
        yield
    except HelmError as error:
        from .chart_errors import placed

        raise placed(error, service, chart_path, workdir, tree) from None
    except ToolError as error:
        raise ToolError(f"{service.label}: {error.message}", service.chart.at, error.hint, argv=error.argv) from None


def _template(
    service: ResolvedService, chart_path: str, values: Any, tool: Tool, workdir: str, deadline: Deadline
) -> bytes:
    values_file = os.path.join(workdir, "values.json")
    with open(values_file, "wb") as file:
        file.write(dump_values(values))
    return helm.template(
        tool,
        chart_path=chart_path,
        release=service.release,
        namespace=service.namespace,
        include_crds=service.include_crds,
        skip_tests=service.skip_tests,
        kube_version=service.kube_version,
        api_versions=service.api_versions,
        values_file=values_file,
        workdir=workdir,
        deadline=deadline,
    )


def _append(values: dict[str, Any], append: Append, computed: Any, service: ResolvedService) -> None:
    base = computed
    for key in append.path:
        base = base.get(key) if isinstance(base, dict) else None
    if base is not None and not isinstance(base, list):
        name = ".".join(append.path)
        raise InputError(f"{service.label}: {name}+ appends to something that is no list in the chart", append.at)
    for key in append.path[:-1]:
        values = values.setdefault(key, {})
    values[append.path[-1]] = [*(base or []), *plain(append.items)]
