"""`vendor`: every locked chart's archive beside its service, so that a render needs no network.

They go to services/<s>/charts/ and are what the lock says, byte for byte. Archives there that neither
a lock nor a spec names any more are removed.
"""

from __future__ import annotations

import os
import shutil
from argparse import Namespace

from ..chart_use import chart_uses
from ..errors import CmpError, Errors, InputError, Location
from ..fleet import Fleet
from ..request import settings_of
from ..sources import store
from ..sources.lockfile import Locked
from ..sources.obtain import Means, locked_chart, named
from ..sources.wanted import Wanted
from ..tools.process import Deadline
from ..workdir import workdir
from .lock import SECONDS_PER_CHART, State, states_of
from .places import opened_fleet
from .progress import progress


def run(args: Namespace) -> int:
    """Writes the archives. Raises Errors when a lock is out of date or something cannot be fetched."""
    fleet = opened_fleet(args)
    states, errors = states_of(fleet)
    errors += [
        InputError(f"{one} is not in {state.path[1:]}", one.at, "run `cmp-plugin lock` first")
        for state in states
        for one in state.missing
    ]
    if errors:
        raise Errors(errors)
    _vendor(fleet, states)
    _remove_others(fleet, states)
    return 0


def _vendor(fleet: Fleet, states: list[State]) -> None:
    settings = settings_of(fleet.spec)
    pairs = [(state, entry) for state in states for entry in state.entries]
    errors: list[CmpError] = []
    with workdir() as directory, progress(len(pairs), "fetching") as step:
        for state, entry in pairs:
            deadline = Deadline(SECONDS_PER_CHART)
            means = Means(fleet.tree, settings.mirrors, settings.helm, directory, deadline)
            try:
                _place(fleet.root, state, entry, means)
            except CmpError as error:
                errors.append(error)
            step()
    if errors:
        raise Errors(errors)


def _place(root: str, state: State, entry: Locked, means: Means) -> None:
    directory = _directory(root, state)
    place = os.path.join(directory, entry.file)
    if os.path.isfile(place) and store.digest_of(place) == entry.digest:
        return
    wanted = Wanted(*entry.key, Location(state.path[1:]))
    try:
        locked_chart(wanted, entry, means)
    except CmpError as error:
        raise named(error, "", wanted.at) from None
    archive = os.path.join(store.place_of(entry.digest), store.ARCHIVE)
    if not os.path.isfile(archive):
        raise store.StoreError("`vendor` needs the cache, and it cannot be used", hint="CMP_PLUGIN_CACHE_DIR names another place")
    os.makedirs(directory, exist_ok=True)
    shutil.copyfile(archive, f"{place}.new")
    os.replace(f"{place}.new", place)
    print(f"{os.path.relpath(place, root)}")


def _directory(root: str, state: State) -> str:
    """services/<s>/charts, which must be the directory that it seems to be."""
    directory = os.path.join(root + os.path.dirname(state.path), "charts")
    if os.path.realpath(directory) != directory:
        raise InputError(f"{os.path.relpath(directory, root)} is a link", Location(state.path[1:]))
    return directory


def _remove_others(fleet: Fleet, states: list[State]) -> None:
    """Archives directly in charts/ that no lock and no `chart: {path}` names."""
    named = {use.chart.path for use in chart_uses(fleet)[0]}
    for state in states:
        directory = _directory(fleet.root, state)
        kept = {entry.file for entry in state.entries}
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            place = os.path.join(directory, name)
            path = f"{os.path.dirname(state.path)}/charts/{name}"
            if name.endswith(".tgz") and name not in kept and path not in named:
                os.unlink(place)
                print(f"{path[1:]}: removed")
