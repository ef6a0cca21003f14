"""One service -> its manifests: the one function behind `generate`, `preview` and `validate --render`.

In: a resolved service, the files it may read, a deadline. Out: checked objects in their order; or, for
`expand`, the files that they are built from. The steps: local bases -> helm (`before_kustomize`) -> targets ->
kustomize -> metadata -> order (`after_helm`) -> check. Nothing of a render outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..fleet.service import ResolvedService
from ..system.files import FileTree
from ..system.process import Deadline
from ..verbose import stage
from .chart import LocatedChart, chart_manifests, final_values, locate_chart
from .checks import check, check_objects
from .context import RenderContext, render_context
from .kustomize.build import OBJECTS, Kustomizer
from .kustomize.diagnosis import diagnosing
from .kustomize.kustomization import changes_everything, has_fragment, is_directory_alone, kustomization
from .kustomize.metadata import with_metadata
from .kustomize.order import ordered, with_nameless
from .kustomize.patches import Entry
from .kustomize.references import References, RemoteBase, references_of
from .kustomize.targets import Targets
from .manifest import Manifest, is_nameless


class Rendered(NamedTuple):
    """`manifests` in the order of the stream; `warnings` are sentences for stderr."""

    manifests: list[Manifest]
    warnings: tuple[str, ...] = ()


class Expanded(NamedTuple):
    """`files`: relative path -> content; `warnings` are sentences for stderr."""

    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()


class BeforeKustomize(NamedTuple):
    """A service whose chart has been rendered. `references`: what its kustomizations lead to, all of it local;
    `printed`: the chart's objects, none inside of a list.
    """

    context: RenderContext
    references: References
    chart: LocatedChart | None
    printed: list[Manifest]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for stderr about the chart and the helm that was used."""
        return self.chart.warnings if self.chart else ()


class KustomizeShare(NamedTuple):
    """What Kustomize must see of a service.

    `kustomization`: what it builds, None where it can change nothing; `entries`: the patches in there. `given`: the
    chart's objects that it gets; `passing`: the others, without those that it refuses. `is_whole`: none may pass,
    so that the service's metadata and the order are Kustomize's as well.
    """

    kustomization: dict[str, Any] | None
    given: list[Manifest]
    passing: list[Manifest]
    entries: list[Entry]
    is_whole: bool


def render(service: ResolvedService, tree: FileTree, deadline: Deadline) -> Rendered:
    """The objects of `service`. Raises InputError, ToolError or several as Errors."""
    with before_kustomize(service, tree, deadline) as before:
        kustomizer = Kustomizer(before.context)
        with stage(f"{service.label}: kustomize"):
            manifests = after_helm(before.context, before.references, before.printed, kustomizer)
        check(before.context.service, manifests)
        return Rendered(manifests, (*before.warnings, *kustomizer.warnings))


def expand(service: ResolvedService, tree: FileTree, deadline: Deadline, rendered: bool) -> Expanded:
    """The overlay of `service` as files, see `overlay.expanded`. Raises as `render` does."""
    from .overlay import expanded

    with before_kustomize(service, tree, deadline) as before:
        context, chart = before.context, before.chart
        kustomizer = Kustomizer(context)
        targets = Targets.find(context.service, before.printed, kustomizer)
        values = final_values(context, chart) if chart else {}
        files = expanded(context, targets, before.references, chart.path if chart else "", values, rendered)
        return Expanded(files, (*before.warnings, *kustomizer.warnings))


@contextmanager
def before_kustomize(service: ResolvedService, tree: FileTree, deadline: Deadline) -> Iterator[BeforeKustomize]:
    """Local bases -> helm, in a directory of the render's own. Raises InputError, ToolError or several as Errors."""
    with render_context(service, tree, deadline) as context:
        try:
            references = references_of(service, tree)
        except RemoteBase:
            from ..charts.bases import localised

            service, tree = localised(service, tree, context.directory, deadline)
            context = context._replace(service=service, tree=tree)
            references = references_of(service, tree)
        chart = locate_chart(context)
        printed = chart_manifests(context, chart) if chart else []
        check_objects(context.service, printed)
        yield BeforeKustomize(context, references, chart, printed)


def after_helm(
    context: RenderContext,
    references: References,
    printed: Sequence[Manifest],
    kustomizer: Kustomizer,
    *,
    everything: bool = False,
) -> list[Manifest]:
    """Targets -> kustomize -> metadata -> order: exactly the objects that one `kustomize build` of the chart's
    objects `printed` and all else would print, in its order, and those that Kustomize refuses (the API server makes
    up their name). `everything`: Kustomize is given every object, whether it can change it or not.

    Raises InputError, ToolError or several as Errors.
    """
    service = context.service
    if is_directory_alone(service, printed, context.tree):
        (resource,) = service.resources
        with diagnosing(printed, kustomizer):
            return list(with_metadata(kustomizer.build_directory(resource.path, resource.at), service))

    share = _kustomize_share(service, references, printed, kustomizer, everything)
    with diagnosing(printed, kustomizer, share.given, share.entries):
        built = kustomizer.build(share.kustomization, share.given) if share.kustomization else []
    objects = built if share.is_whole else ordered(with_metadata([*share.passing, *built], service))
    return with_nameless(objects, printed, service)


def _kustomize_share(
    service: ResolvedService,
    references: References,
    printed: Sequence[Manifest],
    kustomizer: Kustomizer,
    everything: bool,
) -> KustomizeShare:
    """What Kustomize must see of `service`; `everything` as in `after_helm`.

    Kustomize takes time that grows with the square of the objects, so it is given only what it can change;
    docs/rendering.md says why the rest may pass by. Raises InputError, ToolError or several as Errors.
    """
    targets = Targets.find(service, printed, kustomizer)
    named = {position for position, manifest in enumerate(printed) if not is_nameless(manifest.value)}
    seen = named if everything else named & (targets.positions | targets.referrers(references.moves))
    build, is_whole = None, False
    if seen or service.resources or has_fragment(service):
        is_whole = (
            everything
            or changes_everything(service)
            or references.renames
            or targets.renames
            or not kustomizer.is_known
        )
        if is_whole:
            seen = named
        build = kustomization(
            service,
            kustomizer.naming,
            objects=[OBJECTS] if seen else [],
            entries=targets.entries,
            images=targets.images,
            metadata=is_whole,
        )
    given = [printed[position] for position in sorted(seen)]
    passing = [printed[position] for position in sorted(named - seen)]
    return KustomizeShare(build, given, passing, targets.entries, is_whole)
