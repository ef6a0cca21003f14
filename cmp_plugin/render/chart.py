"""A service's chart -> the objects that helm makes of it.

In: a render's context. Out: the chart on disk with the helm for it, its values, its objects as Argo CD reads
them. One values file is written into the render's private directory. Helm's errors leave here with a location
in the fleet and without values.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import InputError, ToolError
from ..goyaml.load import Document, dump_values, load_manifests, plain
from ..tools import helm
from ..tools.discovery import Tool
from ..tools.helm_errors import HelmError
from ..verbose import stage
from .context import RenderContext
from .manifest import Manifest, flatten_lists


class LocatedChart(NamedTuple):
    """A chart's directory or archive on this machine, and the helm to use. `warnings` are sentences for stderr."""

    path: str
    tool: Tool
    warnings: tuple[str, ...] = ()


def locate_chart(context: RenderContext) -> LocatedChart | None:
    """The chart of the service, fetched if need be; None without one. Raises InputError or ToolError."""
    service = context.service
    if service.chart is None:
        return None
    from ..charts.locate import locate

    tool = helm.find(service.helm_range, service.tools_strict, service.at)
    with stage(f"{service.label}: chart"):
        located = locate(service, context.tree, context.directory, context.deadline)
    return LocatedChart(located.path, tool, (*([tool.warning] if tool.warning else []), *located.warnings))


def chart_manifests(context: RenderContext, chart: LocatedChart) -> list[Manifest]:
    """What the chart makes of the service's values: every object, those in lists one by one.

    Raises ToolError or InputError, with the service's label, at a location in the fleet.
    """
    service = context.service
    with stage(f"{service.label}: helm"):
        values = final_values(context, chart)
        with _located_errors(context, chart):
            output = _template(context, chart.tool, chart.path, values)
        try:
            documents = load_manifests(output)
        except InputError as error:
            raise InputError(f"{service.label}: {error}", service.chart.at if service.chart else service.at) from None
    return objects_in(documents)


def objects_in(documents: Iterable[Document]) -> list[Manifest]:
    """The objects that helm printed, those in lists one by one, each with its template as the source."""
    return list(
        flatten_lists(
            Manifest(document.value, f"chart template {document.source}" if document.source else "the chart")
            for document in documents
        )
    )


def final_values(context: RenderContext, chart: LocatedChart) -> dict[str, Any]:
    """The content of the one values file: every `key+` has the chart's own list before its items.

    Raises as `chart_manifests` does. Helm runs only when there is a `key+` that no layer gave a base.
    """
    service = context.service
    values: dict[str, Any] = plain(service.values)
    if not service.appends:
        return values
    from .chart_values import computed_values

    with _located_errors(context, chart):
        computed = computed_values(
            chart.path, context.directory, lambda probe: _template(context, chart.tool, probe, values)
        )
    for append in service.appends:
        base: Any = computed
        for key in append.path:
            base = base.get(key) if isinstance(base, dict) else None
        if base is not None and not isinstance(base, list):
            name = ".".join(append.path)
            raise InputError(f"{service.label}: {name}+ appends to something that is no list in the chart", append.at)
        parent = values
        for key in append.path[:-1]:
            parent = parent.setdefault(key, {})
        parent[append.path[-1]] = [*(base or []), *plain(append.items)]
    return values


def _template(context: RenderContext, tool: Tool, chart_path: str, values: Any) -> bytes:
    service, _, directory, deadline = context
    values_file = os.path.join(directory, "values.json")
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
        workdir=directory,
        deadline=deadline,
    )


@contextlib.contextmanager
def _located_errors(context: RenderContext, chart: LocatedChart) -> Iterator[None]:
    """Errors of the tools leave this block with the service's label and a location in the fleet."""
    service = context.service
    try:
        yield
    except HelmError as error:
        from .chart_errors import located

        raise located(error, context, chart.path) from None
    except ToolError as error:
        at = service.chart.at if service.chart else service.at
        raise ToolError(f"{service.label}: {error.message}", at, error.hint, argv=error.argv) from None
