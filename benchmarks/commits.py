"""What a commit costs argocd-repo-server in a fleet of 1,000 Applications: 50 clusters with 20 services each.

In: a running repo-server and the plugin's server beside it. Out: Markdown. The questions are those of the
application controller, as many at once as it has processors by default: for a cluster's Application its
manifests, for a service's first whether anything under its paths changed, then its manifests.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import scale
from applications import as_application
from cmp_server import Application, CmpServer
from processes import Program
from repo_server import RepoServer
from repository import Repository

Answer = TypeVar("Answer")
CLUSTERS = 50
# The controller's --status-processors.
AT_ONCE = 20
PATHS = "/fleet.yaml;/profiles;/services;."
TOUCHED = "services/s07/service.yaml"


class Phase(NamedTuple):
    """`questions` to repo-server, `calls` of the plugin that these took, and for how long."""

    what: str
    questions: int
    calls: int
    seconds: float


class Meter:
    """Asks many things at once and counts the plugin's calls meanwhile."""

    def __init__(self, plugin: CmpServer) -> None:
        self.plugin = plugin
        self.phases: list[Phase] = []

    def ask(self, what: str, question: Callable[[Application], Answer], about: Iterable[Application]) -> list[Answer]:
        asked = list(about)
        calls, began = self.plugin.calls(), time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(question, asked))
        self.phases.append(Phase(what, len(asked), self.plugin.calls() - calls, time.perf_counter() - began))
        return answers


def report(server: RepoServer, plugin: CmpServer, scratch: Path) -> str:
    """The table of a first sync and of a commit that touches one service."""
    fleet = Repository(scratch)
    scale.fleet(str(fleet.root), CLUSTERS)
    meter = Meter(plugin)
    first = fleet.commit()
    children = _expanded(meter, server, fleet, first, "first sync: Applications of every cluster")
    _render(meter, server, fleet, first, children, "first sync: every service on every cluster")
    second = fleet.replace(TOUCHED, "{size: 3}", "{size: 4}")
    after = _expanded(meter, server, fleet, second, "commit: Applications of every cluster")

    def moved(child: Application) -> bool:
        return server.moved(fleet.url, first, second, child)

    changed = meter.ask("commit: has anything changed for a service?", moved, after)
    _render(meter, server, fleet, second, after, "commit: every service's manifests, carried over or rendered")
    _check(changed, meter.phases)
    peaks = ", ".join(f"{each.name} {_peak(each)} MiB" for each in (server.program, plugin.program))
    return f"{_table(meter.phases)}\nPeak memory: {peaks}.\n"


def _peak(program: Program) -> int:
    """The most memory a running process has used, in MiB."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) >> 10


def _expanded(meter: Meter, server: RepoServer, fleet: Repository, commit: str, what: str) -> list[Application]:
    names = sorted(os.listdir(fleet.root / "clusters"))
    clusters = [Application(name, f"clusters/{name}", paths=PATHS) for name in names]

    def expanded(cluster: Application) -> list[Application]:
        found = server.manifests(fleet.url, commit, cluster, seconds=600)
        return [as_application(json.loads(each)) for each in found]

    return [child for children in meter.ask(what, expanded, clusters) for child in children]


def _render(
    meter: Meter, server: RepoServer, fleet: Repository, commit: str, children: list[Application], what: str
) -> None:
    def manifests(child: Application) -> object:
        return server.manifests(fleet.url, commit, child, seconds=600)

    meter.ask(what, manifests, children)


def _check(changed: list[bool], phases: list[Phase]) -> None:
    """Figures of something else than what is told about would be worse than none."""
    rendered = phases[-1].calls
    if changed.count(True) != CLUSTERS or rendered != CLUSTERS:
        raise SystemExit(
            f"a commit to one service of {CLUSTERS} clusters changed {changed.count(True)}, rendered {rendered}"
        )


def _table(phases: list[Phase]) -> str:
    lines = ["| 1,000 Applications, one repo-server | questions | calls of the plugin | seconds |", "|---|---|---|---|"]
    lines += [f"| {each.what} | {each.questions:,} | {each.calls:,} | {each.seconds:.1f} |" for each in phases]
    return "\n".join(lines) + "\n"
