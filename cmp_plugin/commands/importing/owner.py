"""What the owner of a source gets from it today, by the real tools.

In: what a service was before (`Pair`), the source's files. Out: objects as Argo CD reads them. A chart from
elsewhere is the one that the new fleet has locked, so that both renders are of the same bytes.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ...charts.chart_request import ChartRequest, chart_request
from ...charts.dependencies import complete
from ...charts.lockfile import Locked, find
from ...charts.obtain import FetchContext, locked_chart, unlocked_chart
from ...errors import CmpError, Location, ToolError, labelled
from ...goyaml.load import load_manifests
from ...render.manifest import Manifest, flatten_lists
from ...system.workdir import workdir
from ...tools import helm, kustomize
from ...tools.discovery import Tool
from .conversion import Kustomization, Manifests, Pair, Release, Source


class Tools(NamedTuple):
    """The programs, and what the fleet has locked."""

    helm: Tool
    kustomize: Tool
    locked: tuple[Locked, ...] = ()


def owned(pair: Pair, tools: Tools, context: FetchContext) -> list[dict[str, Any]]:
    """The objects that `pair` was made of, lists opened. Raises CmpError with its name."""
    try:
        with workdir() as directory:
            here = context._replace(workdir=directory)
            texts = [text for source in pair.sources for text in _texts(source, tools, here)]
            documents = [document.value for text in texts for document in load_manifests(text)]
    except ToolError as error:
        message = context.tree.relative(f"{pair.label} cannot be rendered from the source: {error.message}")
        raise ToolError(message, pair.at, error.hint, argv=error.argv, stderr=error.stderr) from None
    except CmpError as error:
        raise labelled(error, pair.label) from None
    return [manifest.value for manifest in flatten_lists(Manifest(value, "") for value in documents)]


def _texts(source: Source, tools: Tools, context: FetchContext) -> list[bytes]:
    if isinstance(source, Kustomization):
        directory = context.tree.locate(source.path, Location(source.path[1:]))
        return [kustomize.build(tools.kustomize, directory, workdir=context.workdir, deadline=context.deadline)]
    if isinstance(source, Manifests):
        return [context.tree.read(path, Location(path[1:])) for path in source.paths]
    return [_release(source, tools, context)]


def _release(release: Release, tools: Tools, context: FetchContext) -> bytes:
    files: list[str] = []
    for number, content in enumerate((b"{}\n", *release.files)):
        files.append(os.path.join(context.workdir, f"values-{number}.yaml"))
        with open(files[-1], "wb") as handle:
            handle.write(content)
    return helm.template(
        tools.helm,
        chart_path=chart_directory(release, tools.locked, context),
        release=release.release,
        namespace=release.namespace,
        include_crds=release.include_crds,
        skip_tests=True,  # Argo CD never applies them
        kube_version=release.kube_version,
        api_versions=release.api_versions,
        values_file=files[0],
        workdir=context.workdir,
        deadline=context.deadline,
        more=[*(f"--values={os.path.basename(file)}" for file in files[1:]), *release.sets],
    )


def chart_directory(release: Release, locked: tuple[Locked, ...], context: FetchContext) -> str:
    """A directory with the release's chart and all of its dependencies."""

    def elsewhere(request: ChartRequest) -> str:
        entry = find(locked, request)
        return locked_chart(request, entry, context) if entry else unlocked_chart(request, context)[1]

    if not release.path:
        return elsewhere(chart_request(release.repository, release.name, release.version, release.at))
    directory = context.tree.locate(release.path, release.at)
    return complete(release.path, directory, context.tree, release.at, context.workdir, elsewhere)
