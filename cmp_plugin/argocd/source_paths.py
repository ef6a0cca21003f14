"""How far a render reaches: whether a service's directory is enough, and which others it reads.

In: a request and the service that it resolves to. Out: a reason or canonical directories, found in the
specs, the kustomizations and charts that they lead to, and the links in all of these. Starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..charts.dependencies import all_directories
from ..errors import CmpError
from ..fleet.request import Request
from ..fleet.service import ResolvedService
from ..fleet.service_layers import service_paths
from ..render.kustomize.references import references_of
from ..specs.paths import named_paths
from ..system.files import FileTree, canonical, within

SERVICES = "/services"


def beyond(request: Request, service: ResolvedService, files: Mapping[str, str]) -> str:
    """Why a service does not render from its own directory and `files`, or an empty string."""
    directory = service.directory
    for path in service_paths(request):
        if not within(path, directory):
            return f"service.yaml names {path[1:]}, outside its directory"
    inline = {path: content.encode() for path, content in files.items()}
    try:
        alone = FileTree(request.tree.locate(directory, service.at), (directory,), directory, inline)
        alone.locate(directory, service.at)
        _reached(service, alone)
    except CmpError as error:
        return f"its directory is not enough: {error}"
    return ""


def services_read(request: Request, service: ResolvedService) -> list[str]:
    """Every directory directly below services/ of which a render of this service can read a file.

    Raises CmpError where that cannot be told: a link leads to another one, a base is on another machine.
    """
    layers = (*request.below, *request.above)
    named = [str(path.value).removesuffix("?") for layer in layers for path in named_paths(layer.block)]
    mirrors = [canonical(target, "/", service.at) for _, target in request.settings.mirrors if "://" not in target]
    paths = {service.directory, *named, *mirrors, *service_paths(request), *_reached(service, request.tree)}
    directories = sorted({"/".join(path.split("/")[:3]) for path in paths if within(path, SERVICES)})
    others = tuple(directory for directory in request.tree.allowed if directory != SERVICES)
    closed = request.tree._replace(allowed=(*others, *directories))
    for path in sorted({*paths, *directories, "/profiles", f"/clusters/{request.facts.cluster}"}):
        if closed.exists(path):
            closed.locate(path, service.at)
    return directories


def _reached(service: ResolvedService, tree: FileTree) -> list[str]:
    """The directories that kustomizations and charts lead to. Raises CmpError: one is not in the tree."""
    chart = service.chart
    charts = all_directories(chart.path, tree, chart.at) if chart and tree.is_dir(chart.path) else []
    return [*references_of(service, tree).directories, *charts]
