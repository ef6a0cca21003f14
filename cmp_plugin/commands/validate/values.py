"""A fleet's values against the charts that are on this machine.

In: planned services. Out: findings, and which charts were not looked at. Each chart is read once for all
clusters. Nothing is fetched; a chart that cannot be read here is the render's to complain about.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from ...charts.contents import NotHere, chart_files
from ...errors import CmpError
from ...fleet.plan import Planned
from .findings import Finding
from .keys import Known, known_keys, unknown_keys
from .schemas import Schemas, refused_values, schemas_of

MAX_SECONDS = 120.0  # for what schemas and values from git can make of each other


class Chart(NamedTuple):
    """A chart that was read, and what its checks need of it."""

    known: Known
    schemas: Schemas


class Unseen(NamedTuple):
    """`charts`: why each chart was not looked at; `schemas`: why each schema was not."""

    charts: tuple[str, ...]
    schemas: tuple[str, ...]


class Charts:
    """The charts of a fleet, each read when it is first asked for."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Chart | None] = {}
        self._unseen: dict[str, None] = {}
        self._unusable: dict[str, None] = {}
        self.errors: list[CmpError] = []

    def of(self, planned: Planned) -> Chart | None:
        """The chart of a service, or None when it is not here or not to be read."""
        service = planned.resolved.service
        assert service.chart is not None
        elsewhere = () if service.chart.path else (service.entry, service.lock_optional)
        key = (*service.chart[1:], *elsewhere)
        if key not in self._found:
            self._found[key] = self._read(planned)
        return self._found[key]

    def _read(self, planned: Planned) -> Chart | None:
        service = planned.resolved.service
        assert service.chart is not None
        try:
            chart = chart_files(service, planned.request.tree)
        except CmpError as error:
            if service.chart.path:
                self.errors.append(error)
            else:
                # Helm may well read it: what comes from elsewhere is not for us to judge.
                self._unseen[str(error)] = None
            return None
        if isinstance(chart, NotHere):
            self._unseen[chart.reason] = None
            return None
        schemas = schemas_of(chart)
        self._unusable |= dict.fromkeys(schemas.unusable)
        return Chart(known_keys(chart), schemas)

    @property
    def unseen(self) -> Unseen:
        """What nothing was said about."""
        return Unseen(tuple(self._unseen), tuple(self._unusable))


def value_findings(services: Iterable[Planned]) -> tuple[list[Finding], Unseen]:
    """Values that a chart does not know, and those that its schema refuses."""
    charts = Charts()
    findings: list[Finding] = []
    end = time.monotonic() + MAX_SECONDS
    for planned in services:
        # A pinned service has the values and the chart of another revision.
        chart = charts.of(planned) if planned.resolved.service.chart and not planned.resolved.revision else None
        if chart is None:
            continue
        if "unknown-value" not in planned.resolved.service.allow:
            findings.extend(unknown_keys(planned.resolved.values, chart.known))
        if time.monotonic() < end:
            findings.extend(Finding(error) for error in refused_values(planned, chart.schemas))
    unseen = charts.unseen
    if time.monotonic() >= end:
        late = f"what the values schemas say took longer than {MAX_SECONDS:g} s"
        unseen = unseen._replace(schemas=(*unseen.schemas, late))
    return [*(Finding(error) for error in charts.errors), *findings], unseen
