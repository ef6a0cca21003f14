"""`lock`: services/*/service.lock for every chart that any cluster uses; `lock --check` looks only.

What a lock already says stays as it is; only what is new is fetched. A service of which something
cannot be fetched keeps its old lock, the others get theirs.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from ..charts.chart_request import ChartRequest
from ..charts.locate import needed
from ..charts.lockfile import FILE, Locked, dump, find, parse
from ..charts.obtain import FetchContext, lock_chart, named
from ..charts.used import chart_uses
from ..errors import CmpError, Errors, InputError, Location
from ..fleet.files import Fleet
from ..fleet.request import settings_of
from ..system.process import Deadline
from ..system.publish import replace_file
from ..system.workdir import workdir
from .arguments import opened_fleet
from .progress import progress, waiting

SECONDS_PER_CHART = 300.0


class State:
    """One service's lock: what the fleet wants of it and what the file says."""

    def __init__(self, fleet: Fleet, entry: str, wanted: list[ChartRequest]) -> None:
        self.entry = entry
        self.path = f"/services/{entry}/{FILE}"
        self.wanted = wanted
        self.data = fleet.tree.read(self.path, Location(self.path[1:])) if fleet.tree.exists(self.path) else b""
        self.entries = parse(self.data, self.path[1:]) if self.data else ()
        self.missing = [one for one in wanted if find(self.entries, one) is None]

    @property
    def unused(self) -> list[Locked]:
        """Entries that no cluster uses any more."""
        keys = {one.key for one in self.wanted}
        return [entry for entry in self.entries if entry.key not in keys]

    def text(self, new: dict[tuple[str, str, str], Locked]) -> bytes:
        """The file's bytes with `new` entries; nothing when it needs none."""
        entries = [find(self.entries, one) or new[one.key] for one in self.wanted]
        return dump(entries) if entries else b""


def run(args: Namespace) -> int:
    """Writes, or with --check prints what is out of date and returns 1 if anything is."""
    fleet = opened_fleet(args)
    states, errors = states_of(fleet)
    if args.check:
        return _check(states, errors)
    if errors:
        raise Errors(errors)
    return _write(fleet, states)


def states_of(fleet: Fleet) -> tuple[list[State], list[CmpError]]:
    """The lock of every service that has or needs one, and what is wrong with specs and locks."""
    with waiting("reading the fleet"):
        uses, errors = chart_uses(fleet)
    wanted: dict[str, dict[tuple[str, str, str], ChartRequest]] = {name: {} for name in fleet.names("Service")}
    for use in uses:
        try:
            wanted[use.entry].update((one.key, one) for one in needed(use.chart, use.tree))
        except CmpError as error:
            errors.append(error)
    states: list[State] = []
    for entry, charts in wanted.items():
        try:
            states.append(State(fleet, entry, sorted(charts.values())))
        except CmpError as error:
            errors.append(error)
    return [state for state in states if state.wanted or state.data], errors


def _check(states: list[State], errors: list[CmpError]) -> int:
    hint = "run `cmp-plugin lock`"
    for state in states:
        file = state.path[1:]
        errors += [InputError(f"{one} is not in {file}", one.at, hint) for one in state.missing]
        errors += [
            InputError(f"no cluster uses chart {entry.name} {entry.version} any more", Location(file), hint)
            for entry in state.unused
        ]
    if not errors:
        count = sum(len(state.entries) for state in states)
        print(f"{count} charts of {len(states)} services are locked", file=sys.stderr)
        return 0
    print(Errors(errors))
    return 1


def _write(fleet: Fleet, states: list[State]) -> int:
    missing = {one.key: one for state in states for one in state.missing}
    new, errors = _fetched(fleet, list(missing.values()))
    for state in states:
        if all(one.key in new for one in state.missing):
            _replace(fleet.root, state, state.text(new))
    if errors:
        raise Errors(errors)
    return 0


def lock_files(fleet: Fleet) -> tuple[dict[str, bytes], list[CmpError]]:
    """Path -> text of every lock that can be made, and what is wrong with the others. Writes nothing."""
    states, errors = states_of(fleet)
    new, unfetched = _fetched(fleet, list({one.key: one for state in states for one in state.missing}.values()))
    whole = [state for state in states if state.wanted and all(one.key in new for one in state.missing)]
    return {state.path[1:]: state.text(new) for state in whole}, [*errors, *unfetched]


def _fetched(fleet: Fleet, missing: list[ChartRequest]) -> tuple[dict[tuple[str, str, str], Locked], list[CmpError]]:
    settings = settings_of(fleet.spec)
    found: dict[tuple[str, str, str], Locked] = {}
    errors: list[CmpError] = []
    with workdir() as directory, progress(len(missing), "fetching") as step:
        for one in missing:
            deadline = Deadline(SECONDS_PER_CHART)
            try:
                found[one.key] = lock_chart(
                    one, FetchContext(fleet.tree, settings.mirrors, settings.helm, directory, deadline)
                )[0]
            except CmpError as error:
                errors.append(named(error, "", one.at))
            step()
    return found, errors


def _replace(root: str, state: State, text: bytes) -> None:
    place = root + state.path
    if text == state.data:
        return
    if not text:
        os.unlink(place)
        print(f"{state.path[1:]}: removed, no chart to lock")
        return
    replace_file(place, text)
    print(f"{state.path[1:]}: {len(state.wanted)} chart{'s' if len(state.wanted) > 1 else ''}")
