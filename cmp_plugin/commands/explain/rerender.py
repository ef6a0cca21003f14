"""One service rendered again and again with something left out or changed: what only a render can tell.

In: a resolved service, its files, a deadline, how many renders there may be. Out: the objects of any
variation of it. The chart is looked up once and `key+` worked out once; where only what comes after the
chart varies, helm does not run again. Nothing of it outlives the rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import CmpError
from ...fleet.service import ResolvedService
from ...goyaml.load import Document, node
from ...render.checks import check
from ...render.kustomize.build import Kustomizer
from ...render.kustomize.references import RemoteBase
from ...render.kustomize.transform import transform
from ...render.manifest import Manifest, opened
from ...render.render import chart_output, private_directory
from ...system.files import FileTree
from ...system.process import Deadline


class Rehearsal:
    """`service` has everything that its chart's values are made of; `final` is what it renders.

    `printed`: the chart's part of it before anything else is done. `left`: renders that may still be done;
    after that every variation is unknown. `warnings` as of a render.
    """

    def __init__(
        self,
        service: ResolvedService,
        tree: FileTree,
        directory: str,
        deadline: Deadline,
        most: int,
        step: Callable[[], None],
    ) -> None:
        self.left = most
        self._step = step
        self.warnings: list[str] = []
        self._directory = directory
        self._deadline = deadline
        self._chart = chart_output(service, tree, directory, deadline)
        if self._chart is not None:
            self.warnings += self._chart.warnings
        self.service, self.tree = self._completed(service, tree), tree
        self._documents = self._chart.documents if self._chart else []
        self.printed = _objects(self._documents)
        try:
            self.final = self._transformed(self.service)
        except RemoteBase:
            from ...charts.bases import localised

            self.service, self.tree = localised(self.service, tree, directory, deadline)
            self.final = self._transformed(self.service)
        check(self.service, self.final)

    def _completed(self, service: ResolvedService, tree: FileTree) -> ResolvedService:
        """With every `key+` as the list that it comes to."""
        if self._chart is None or not service.appends:
            return service
        from ...render.chart import final_values

        values = final_values(service, self._chart.path, self._chart.tool, self._directory, self._deadline, tree)
        return service._replace(values=node(values, service.values.at), appends=())

    def _transformed(self, service: ResolvedService) -> list[Manifest]:
        kustomizer = Kustomizer(service, self.tree, self._directory, self._deadline)
        return transform(service, self._documents, self.tree, kustomizer)

    def objects(self, service: ResolvedService) -> list[Manifest] | None:
        """What comes of the chart's same output when what follows is that of `service`; None when it fails."""
        if not self._may():
            return None
        try:
            return self._transformed(service)
        except CmpError:
            return None

    def chart_objects(self, service: ResolvedService) -> list[Manifest] | None:
        """What the chart prints for `service`, nothing else done to it; None when it fails."""
        if self._chart is None or not self._may():
            return None
        from ...render.chart import chart_manifests

        try:
            return _objects(
                chart_manifests(service, self._chart.path, self._chart.tool, self._directory, self._deadline, self.tree)
            )
        except CmpError:
            return None

    def _may(self) -> bool:
        if self.left <= 0 or self._deadline.left() <= 0:
            return False
        self.left -= 1
        self._step()
        return True

    @property
    def is_over(self) -> bool:
        """Whether there is no render left."""
        return self.left <= 0 or self._deadline.left() <= 0


def _objects(documents: list[Document]) -> list[Manifest]:
    """The chart's objects, each with the template that it is from."""
    made = (Manifest(one.value, f"chart template {one.source}" if one.source else "the chart") for one in documents)
    return list(opened(made))


@contextmanager
def rehearsed(
    service: ResolvedService, tree: FileTree, deadline: Deadline, most: int, step: Callable[[], None]
) -> Iterator[Rehearsal]:
    """A rehearsal in a private directory; `step` is called for each render. Raises what rendering the service raises."""
    with private_directory(service) as directory:
        yield Rehearsal(service, tree, directory, deadline, most, step)
