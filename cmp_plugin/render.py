"""One service -> its manifests: the one function behind `generate`, `preview` and `validate --render`.

In: a resolved service, the files it may read, a deadline. Out: checked objects in their order. What
only the later stages need is imported while helm runs.
"""

from __future__ import annotations

from typing import NamedTuple

from .manifest import Manifest
from .service import Service
from .tools.process import Deadline
from .tree import Tree
from .workdir import workdir
from .yamlfile import Document


class Rendered(NamedTuple):
    """`manifests` in the order of the stream; `warnings` are sentences for stderr."""

    manifests: list[Manifest]
    warnings: tuple[str, ...] = ()


def render(service: Service, tree: Tree, deadline: Deadline) -> Rendered:
    """The objects of `service`. Raises InputError, ToolError or several as Errors."""
    with workdir() as directory:
        documents, warnings = _chart(service, tree, directory, deadline)
        from .checks import check
        from .kustomizer import Kustomizer
        from .transform import transform

        kustomizer = Kustomizer(service, tree, directory, deadline)
        manifests = transform(service, documents, tree, kustomizer)
        check(service, manifests)
        return Rendered(manifests, (*warnings, *kustomizer.warnings))


def _chart(
    service: Service, tree: Tree, directory: str, deadline: Deadline
) -> tuple[list[Document], list[str]]:
    """What helm prints, and what there is to say about it."""
    if service.chart is None:
        return [], []
    from .chart import chart_manifests
    from .charts import locate
    from .tools import helm

    tool = helm.find(service.helm_range, service.tools_strict, service.at)
    place = locate(service, tree, directory, deadline)
    documents = chart_manifests(service, place.path, tool, directory, deadline, tree)
    return documents, [*place.warnings, *([tool.warning] if tool.warning else [])]
