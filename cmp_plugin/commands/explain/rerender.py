"""One service rendered again and again with something left out or changed: what only a render can tell.

In: a resolved service, its files, a deadline, how many renders there may be. Out: the objects of any
variation of it. The chart is looked up once and `key+` worked out once; where only what comes after the
chart varies, helm does not run again. Nothing of it outlives the context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import CmpError
from ...fleet.service import ResolvedService
from ...goyaml.load import node
from ...render.chart import chart_manifests, final_values
from ...render.checks import check
from ...render.kustomize.build import Kustomizer
from ...render.kustomize.references import references_of
from ...render.manifest import Manifest
from ...render.render import BeforeKustomize, after_helm, before_kustomize
from ...system.files import FileTree
from ...system.process import Deadline


class Rerenderer:
    """`service` has everything that its chart's values are made of; `final` is what it renders.

    `printed`: the chart's part of it before anything else is done. `left`: renders that may still be done;
    after that every variation is unknown. `warnings` as of a render.
    """

    def __init__(self, before: BeforeKustomize, most: int, step: Callable[[], None]) -> None:
        self.left = most
        self._step = step
        self._context, self._chart, self.printed = before.context, before.chart, before.printed
        self.warnings = list(before.warnings)
        self.service, self.tree = self._context.service, self._context.tree
        if self._chart is not None and self.service.appends:
            # With every `key+` as the list that it comes to.
            values = node(final_values(self._context, self._chart), self.service.values.at)
            self.service = self.service._replace(values=values, appends=())
        self.final = self._transformed(self.service)
        check(self.service, self.final)

    def _transformed(self, service: ResolvedService) -> list[Manifest]:
        context = self._context._replace(service=service)
        references = references_of(service, self.tree)
        return after_helm(context, references, self.printed, Kustomizer(context))

    def objects(self, service: ResolvedService) -> list[Manifest] | None:
        """What comes of the chart's same output when what follows is that of `service`; None when it fails."""
        if not self._spend():
            return None
        try:
            return self._transformed(service)
        except CmpError:
            return None

    def chart_objects(self, service: ResolvedService) -> list[Manifest] | None:
        """What the chart prints for `service`, nothing else done to it; None when it fails."""
        if self._chart is None or not self._spend():
            return None
        try:
            return chart_manifests(self._context._replace(service=service), self._chart)
        except CmpError:
            return None

    def _spend(self) -> bool:
        if self.is_over:
            return False
        self.left -= 1
        self._step()
        return True

    @property
    def is_over(self) -> bool:
        """Whether there is no render left."""
        return self.left <= 0 or self._context.deadline.expired


@contextmanager
def opened_rerenderer(
    service: ResolvedService, tree: FileTree, deadline: Deadline, most: int, step: Callable[[], None]
) -> Iterator[Rerenderer]:
    """A `Rerenderer` in a private directory; `step` is called for each render. Raises what a render raises."""
    with before_kustomize(service, tree, deadline) as before:
        yield Rerenderer(before, most, step)
