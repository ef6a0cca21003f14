"""The renders that `diff` needs, each once, and what differs between them.

In: services whose inputs differ. Out: changes. What one process cannot hold in memory, the renders of a
whole fleet, lies in files of a private directory meanwhile.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...argocd.pinned import render_planned
from ...errors import CmpError, Errors, hinted, labelled
from ...fleet.plan import Planned
from ...goyaml.load import plain
from ...render.compare import REMOVED, Change, compared
from ...render.manifest import emit
from ...render.parallel import in_parallel
from ...system.process import Deadline
from ..progress import with_progress
from ..warnings import warn
from .dangers import LOOK, Danger, dangers
from .grouping import Found
from .sides import Side, Sides


class Unit(NamedTuple):
    """A service on a cluster that can differ. A side without it has None and the fingerprint ""."""

    cluster: str
    service: str
    before: Planned | None
    after: Planned | None
    prints: tuple[str, str]


class _Task(NamedTuple):
    """One render: whose, and the file for its lines. `users`: how many services have the same inputs."""

    side: Side
    planned: Planned
    file: str
    users: int


class Renders:
    """The renders of all units, each set of inputs once, kept in files of a private directory."""

    def __init__(self, sides: Sides, units: list[Unit], private: str) -> None:
        self.units = units
        self.tasks: list[_Task] = []
        self.random = 0
        self._files = {"": ""}
        self._again: dict[str, str] = {}
        users = Counter(name for unit in units for name in unit.prints)
        for unit in units:
            for side, planned, name in zip(
                (sides.before, sides.after), (unit.before, unit.after), unit.prints, strict=True
            ):
                if planned is not None and name not in self._files:
                    self._files[name] = os.path.join(private, f"{len(self._files)}.json")
                    self.tasks.append(_Task(side, planned, self._files[name], users[name]))
            after, name = unit.after, unit.prints[1]
            if after and unit.before and "random" in after.resolved.service.allow and name not in self._again:
                # Rendered twice, to know what is random in it.
                self._again[name] = os.path.join(private, f"again-{len(self._again)}.json")
                self.tasks.append(_Task(sides.after, after, self._again[name], 1))

    def run(self, jobs: int | None) -> None:
        """Does all renders. Raises Errors with every one that failed."""
        errors: list[CmpError] = []
        for task, result in with_progress(in_parallel(self.tasks, jobs, _render), len(self.tasks), "rendering"):
            if isinstance(result, CmpError):
                errors.append(_explained(result, task))
        if errors:
            raise Errors(errors)

    def found(self) -> Iterator[Found]:
        """The changes of every unit; what two units have in common is compared once."""
        known: dict[tuple[str, str], list[Found]] = {}
        for unit in self.units:
            if unit.prints not in known:
                known[unit.prints] = list(self._compared(unit))
            for change in known[unit.prints]:
                yield change._replace(cluster=unit.cluster, service=unit.service)

    def _compared(self, unit: Unit) -> Iterator[Found]:
        before, after = (_lines(self._files[name]) for name in unit.prints)
        changes = _changes(before, after, unit)
        again = self._again.get(unit.prints[1]) if changes else None
        # Fields that two renders of the newer side give differently.
        noise = {
            (change.key, field.steps)
            for change in (_changes(after, _lines(again), unit) if again else ())
            for field in change.fields
        }
        left = stays_behind(unit.before, unit.after)
        for change in changes:
            fields = tuple(field for field in change.fields if (change.key, field.steps) not in noise)
            self.random += len(change.fields) - len(fields)
            if fields or not change.fields:
                yield found_change(unit.cluster, unit.service, change._replace(fields=fields), left)


def _render(task: _Task, deadline: Deadline) -> bytes:
    """The lines go into a file, as those of a whole fleet would not fit into memory."""
    result = render_planned(task.planned, deadline, task.side.repository)
    warn(result.warnings)
    with open(task.file, "wb") as file:
        file.write(emit(result.manifests))
    return b""


def _explained(error: CmpError, task: _Task) -> CmpError:
    """An error of a render with the side and how many other clusters have the same inputs."""
    if task.users > 1:
        error = hinted(error, f"the same on {task.users - 1} more cluster{'s' if task.users > 2 else ''}")
    return labelled(error, f"in {task.side.name}") if task.side.commit else error


def _lines(file: str) -> list[bytes]:
    if not file:
        return []
    with open(file, "rb") as opened:
        return opened.read().splitlines()


def _changes(before: list[bytes], after: list[bytes], unit: Unit) -> list[Change]:
    """Objects whose lines are the same on both sides are not even read."""
    namespaces = (_namespace(unit.before or unit.after), _namespace(unit.after or unit.before))
    same = set(before) & set(after) if namespaces[0] == namespaces[1] else set()
    old, new = ([json.loads(line) for line in lines if line not in same] for lines in (before, after))
    return compared(old, new, namespaces)


def _namespace(planned: Planned | None) -> str:
    return planned.resolved.service.namespace if planned is not None else ""


def found_change(cluster: str, service: str, change: Change, left: bool = False) -> Found:
    """A change without its objects, which may be large. `left`: nobody deletes what is gone."""
    listed = dangers(change)
    if left and change.change == REMOVED:
        listed = [Danger(LOOK, "kept", "is no longer rendered, and stays in the cluster")]
    return Found(cluster, service, change.key, change.change, change.fields, tuple(listed))


def stays_behind(before: Planned | None, after: Planned | None) -> bool:
    """Whether what the service no longer renders stays: its Application prunes or deletes nothing."""
    if before is None:
        return False
    settings = plain((after or before).resolved.application)
    if after is None:
        return bool(settings.get("finalizers") == [])
    automated = settings.get("automated")
    keeps = isinstance(automated, dict) and automated.get("prune") is False
    return keeps or (settings.get("syncOptions") or {}).get("Prune") is False
