"""One service -> its manifests: the one function behind `generate`, `preview` and `validate --render`.

In: a resolved service, the files it may read, a deadline. Out: checked objects in their order; or, for
`expand`, the files that they are built from. Nothing of a render outlives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from ..errors import CmpError, labelled
from ..fleet.service import ResolvedService
from ..goyaml.load import Document
from ..system.files import FileTree
from ..system.process import Deadline
from ..system.workdir import workdir
from ..tools.discovery import Tool
from ..verbose import stage
from .checks import check
from .kustomize.build import Kustomizer
from .kustomize.references import RemoteBase
from .kustomize.transform import settled, transform
from .manifest import Manifest

_Result = TypeVar("_Result")


class Rendered(NamedTuple):
    """`manifests` in the order of the stream; `warnings` are sentences for stderr."""

    manifests: list[Manifest]
    warnings: tuple[str, ...] = ()


class Expanded(NamedTuple):
    """`files`: relative path -> content; `warnings` are sentences for stderr."""

    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()


class ChartOutput(NamedTuple):
    """What helm printed, the chart's directory, the helm that was used."""

    documents: list[Document]
    path: str
    tool: Tool
    warnings: list[str]


def render(service: ResolvedService, tree: FileTree, deadline: Deadline) -> Rendered:
    """The objects of `service`. Raises InputError, ToolError or several as Errors."""
    with private_directory(service) as directory:
        chart = chart_output(service, tree, directory, deadline)

        def work(service: ResolvedService, tree: FileTree) -> Rendered:
            kustomizer = Kustomizer(service, tree, directory, deadline)
            with stage(f"{service.label}: kustomize"):
                manifests = transform(service, chart.documents if chart else [], tree, kustomizer)
            check(service, manifests)
            return Rendered(manifests, _warnings(chart, kustomizer))

        return _with_bases(work, service, tree, directory, deadline)


def expand(service: ResolvedService, tree: FileTree, deadline: Deadline, rendered: bool) -> Expanded:
    """The overlay of `service` as files, see `overlay.expanded`. Raises as `render` does."""
    from .chart import final_values
    from .overlay import LocatedChart, expanded

    with private_directory(service) as directory:
        chart = chart_output(service, tree, directory, deadline)

        def work(service: ResolvedService, tree: FileTree) -> Expanded:
            kustomizer = Kustomizer(service, tree, directory, deadline)
            found = settled(service, chart.documents if chart else [], tree, kustomizer)
            located = None
            if chart:
                values = final_values(service, chart.path, chart.tool, directory, deadline, tree)
                located = LocatedChart(chart.path, values)
            files = expanded(service, found, located, tree, rendered)
            return Expanded(files, _warnings(chart, kustomizer))

        return _with_bases(work, service, tree, directory, deadline)


def _with_bases(
    work: Callable[[ResolvedService, FileTree], _Result],
    service: ResolvedService,
    tree: FileTree,
    directory: str,
    deadline: Deadline,
) -> _Result:
    """`work`, again with bases on other machines made paths, where there are any."""
    try:
        return work(service, tree)
    except RemoteBase:
        from ..charts.bases import localised

        return work(*localised(service, tree, directory, deadline))


@contextmanager
def private_directory(service: ResolvedService) -> Iterator[str]:
    """The render's own directory; whatever goes wrong in there names the cluster and the service."""
    try:
        with workdir() as directory:
            yield directory
    except CmpError as error:
        raise labelled(error, service.label) from error


def _warnings(chart: ChartOutput | None, kustomizer: Kustomizer) -> tuple[str, ...]:
    return (*(chart.warnings if chart else []), *kustomizer.warnings)


def chart_output(service: ResolvedService, tree: FileTree, directory: str, deadline: Deadline) -> ChartOutput | None:
    """The chart of `service`, fetched if need be, and what helm makes of it; None without a chart."""
    if service.chart is None:
        return None
    from ..charts.locate import locate
    from ..tools import helm
    from .chart import chart_manifests

    tool = helm.find(service.helm_range, service.tools_strict, service.at)
    with stage(f"{service.label}: chart"):
        located = locate(service, tree, directory, deadline)
    with stage(f"{service.label}: helm"):
        documents = chart_manifests(service, located.path, tool, directory, deadline, tree)
    warnings = [*([tool.warning] if tool.warning else []), *located.warnings]
    return ChartOutput(documents, located.path, tool, warnings)
