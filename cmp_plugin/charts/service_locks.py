"""The locks of a whole fleet: what every service.lock has to say, what it says, and what is missing.

In: a fleet. Out: a `ServiceLock` for every service that has or needs one. Missing charts are fetched only
by `fetch_missing`; no lock is written here.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import CmpError, Location
from ..fleet.files import Fleet
from ..system.process import Deadline
from ..system.workdir import workdir
from .chart_request import ChartRequest
from .locate import needed
from .lockfile import FILE, Locked, dump, find, parse
from .obtain import FetchContext, lock_chart, named
from .used import chart_uses

# One chart over a slow line. A person waits for it, so it is less than what a whole render may take.
SECONDS_PER_CHART = 300.0
Key = tuple[str, str, str]


class ServiceLock:
    """One service's lock: what the fleet wants of it and what the file says. `data` is empty without a file."""

    def __init__(self, fleet: Fleet, entry: str, wanted: list[ChartRequest]) -> None:
        self.entry = entry
        self.path = f"/services/{entry}/{FILE}"
        self.wanted = wanted
        self.data = fleet.tree.read(self.path, Location(self.path[1:])) if fleet.tree.exists(self.path) else b""
        self.entries = parse(self.data, self.path[1:]) if self.data else ()
        self.missing = [chart for chart in wanted if find(self.entries, chart) is None]

    @property
    def unused(self) -> list[Locked]:
        """Entries that no cluster uses any more."""
        keys = {chart.key for chart in self.wanted}
        return [entry for entry in self.entries if entry.key not in keys]

    def is_complete(self, new: dict[Key, Locked]) -> bool:
        """Whether the file and `new` entries together have every chart that is wanted."""
        return all(chart.key in new for chart in self.missing)

    def text(self, new: dict[Key, Locked]) -> bytes:
        """The file's bytes with `new` entries; nothing when it needs none."""
        entries = [find(self.entries, chart) or new[chart.key] for chart in self.wanted]
        return dump(entries) if entries else b""


def service_locks(fleet: Fleet) -> tuple[list[ServiceLock], list[CmpError]]:
    """The lock of every service that has or needs one, and what is wrong with specs and locks."""
    uses, errors = chart_uses(fleet)
    wanted: dict[str, dict[Key, ChartRequest]] = {name: {} for name in fleet.names("Service")}
    for use in uses:
        try:
            wanted[use.entry].update((chart.key, chart) for chart in needed(use.chart, use.tree))
        except CmpError as error:
            errors.append(error)
    locks: list[ServiceLock] = []
    for entry, charts in wanted.items():
        try:
            locks.append(ServiceLock(fleet, entry, sorted(charts.values())))
        except CmpError as error:
            errors.append(error)
    return [lock for lock in locks if lock.wanted or lock.data], errors


def missing_charts(locks: list[ServiceLock]) -> list[ChartRequest]:
    """Every chart that some lock lacks, once."""
    return list({chart.key: chart for lock in locks for chart in lock.missing}.values())


def fetch_missing(
    fleet: Fleet, missing: list[ChartRequest], step: Callable[[], None] = lambda: None
) -> tuple[dict[Key, Locked], list[CmpError]]:
    """Fetches charts: what a lock is to say about each, and what could not be fetched. Calls `step` after each."""
    settings = fleet.settings
    new: dict[Key, Locked] = {}
    errors: list[CmpError] = []
    with workdir() as directory:
        for chart in missing:
            deadline = Deadline(SECONDS_PER_CHART)
            try:
                context = FetchContext(fleet.tree, settings.mirrors, settings.helm, directory, deadline)
                new[chart.key] = lock_chart(chart, context)[0]
            except CmpError as error:
                errors.append(named(error, "", chart.at))
            step()
    return new, errors
