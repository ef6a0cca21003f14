"""One service -> its manifests: the one function behind `generate`, `preview` and `validate --render`.

In: a resolved service, the files it may read, a deadline. Out: checked objects in their order; or, for
`expand`, the files that they are built from. The steps: local bases -> helm (`before_kustomize`) -> targets ->
kustomize -> metadata -> order (`after_helm`) -> check. Nothing of a render outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import ToolError
from ..fleet.service import ResolvedService
from ..system.files import FileTree
from ..system.process import Deadline
from ..verbose import stage
from .chart import LocatedChart, chart_manifests, final_values, locate_chart
from .checks import check, check_objects
from .context import RenderContext, render_context
from .kustomize.build import OBJECTS, Kustomizer
from .kustomize.diagnosis import diagnosed
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
        context, references, chart, printed = before
        kustomizer = Kustomizer(context)
        try:
            targets = Targets.find(context.service, printed, kustomizer)
        except ToolError as error:
            raise diagnosed(error, context.service, printed, kustomizer) from None
        values = final_values(context, chart) if chart else {}
        files = expanded(context, targets, references, chart.path if chart else "", values, rendered)
        return Expanded(files, (*before.warnings, *kustomizer.warnings))


@contextmanager
def before_kustomize(service: ResolvedService, tree: FileTree, deadline: Deadline) -> Iterator[BeforeKustomize]:
    """Local bases -> helm, in a directory of the render's own. Raises InputError, ToolError or several as Errors."""
    with render_context(service, tree, deadline) as context:
        try:
            references = references_of(service, tree)
        except RemoteBase:
            from ..charts.bases import localised

            context = RenderContext(*localised(*context), context.directory, deadline)
            references = references_of(context.service, context.tree)
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
    up their name).

    Kustomize takes time that grows with the square of the objects, so it is given only what it can change;
    docs/rendering.md says why the rest may pass by. Where nothing can change, nothing is started. `everything`
    gives it every object all the same. Raises InputError, ToolError or several as Errors.
    """
    service = context.service
    given: list[Manifest] = []
    entries: list[Entry] = []
    try:
        if is_directory_alone(service, printed, context.tree):
            (resource,) = service.resources
            return list(with_metadata(kustomizer.build_directory(resource.path, resource.at), service))

        targets = Targets.find(service, printed, kustomizer)
        entries = targets.entries
        everything = everything or changes_everything(service) or references.renames or targets.renames
        if targets.positions or service.resources or has_fragment(service):
            everything = everything or not kustomizer.is_known

        positions = range(len(printed)) if everything else targets.positions | targets.referrers(references.moves)
        given = [printed[position] for position in sorted(positions) if not is_nameless(printed[position].value)]
        built: list[Manifest] = []
        if given or service.resources or has_fragment(service):
            build = kustomization(
                service,
                kustomizer.naming,
                objects=[OBJECTS] if given else [],
                entries=entries,
                images=targets.images,
                metadata=everything,
            )
            built = kustomizer.build(build, given)
    except ToolError as error:
        raise diagnosed(error, service, printed, kustomizer, given, entries) from None

    if everything:
        objects = built
    else:
        seen = {id(one) for one in given}
        passing = [one for one in printed if id(one) not in seen and not is_nameless(one.value)]
        objects = ordered(with_metadata([*passing, *built], service))
    return with_nameless(objects, printed, service)
