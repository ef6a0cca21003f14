"""A fleet that is one directory of a repository: the bootstrap's root Application brings all, nothing else is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from applications import PATHS
from bootstrapping import bootstrap_chart, template
from live import GOOD
from own_fleet import cluster_yaml, config, config_map, spec
from repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cmp_server import CmpServer
    from live import Live

ROOT = "fleet"
CLUSTERS = ("sub-one", "sub-two")
SERVICES = ("small", "abroad")
EVERY = (ROOT, *CLUSTERS, *(f"{cluster}-{service}" for cluster in CLUSTERS for service in SERVICES))
FILES = {
    "gitops/services/small/service.yaml": spec("Service", "resources: [config.yaml]\n"),
    "gitops/services/small/config.yaml": config_map("config", of="small"),
    # Refers to another directory, so that its Application names the cluster's.
    "gitops/services/abroad/service.yaml": spec("Service", "resources: [../shared/config.yaml]\n"),
    "gitops/services/shared/config.yaml": config_map("config", of="shared"),
    "gitops/profiles/both.yaml": spec("Profile", "labels: {a: b}\n"),
    # The rest of the repository, in directories of the same names.
    "services/shop/main.go": "package main\n",
    "profiles/readme.txt": "Of people.\n",
    "fleet.yaml": "ships: 3\n",
}


def cluster_file(name: str) -> str:
    blocks = "".join(f"{service}: {{namespace: {name}-{service}}}\n" for service in SERVICES)
    return cluster_yaml(blocks, "profiles: [both]\n")


class Monorepo(NamedTuple):
    """All Applications of the fleet in gitops/, up and Synced."""

    live: Live
    fleet: Repository
    cmp: CmpServer

    def revision(self, name: str) -> str:
        return str(self.live.status(name).get("sync", {}).get("revision"))

    def calls(self, files: dict[str, str], reach: tuple[str, ...]) -> int:
        """How often the plugin runs until the Applications in `reach` are at a commit with these files."""
        before, head = self.cmp.calls(*EVERY), self.fleet.commit(files)
        for name in EVERY:
            self.live.refresh(name)
        for name in reach:
            self.live.settled(name, head)
        return self.cmp.calls(*EVERY) - before


@pytest.fixture(scope="module")
def monorepo(live: Live, cmp: CmpServer, helm4: str, run_directory: Path) -> Iterator[Monorepo]:
    fleet = Repository(run_directory / "monorepo")
    settings = f'repoURL: {fleet.url}\ntargetRevision: main\nkubernetes: {{version: "1.34"}}\n'
    clusters = {f"gitops/clusters/{name}/cluster.yaml": cluster_file(name) for name in CLUSTERS}
    fleet.commit({**FILES, "gitops/fleet.yaml": spec("Fleet", settings), **clusters})
    chart = bootstrap_chart(run_directory / "monorepo-chart")
    words = ("--set", f"fleet.repoURL={fleet.url},fleet.targetRevision=main,fleet.path=gitops")
    with live.lent():
        live.cluster.apply(template(helm4, chart, *words)["Application", "argocd", ROOT])
        for name in EVERY:
            live.settled(name, fleet.head)
        yield Monorepo(live, fleet, cmp)


def test_everything_comes_from_the_one_application(monorepo: Monorepo) -> None:
    def place(name: str) -> tuple[Any, Any]:
        found = monorepo.live.application(name)
        return found["spec"]["source"]["path"], found["metadata"]["annotations"][PATHS]

    static = "/gitops/fleet.yaml;/gitops/profiles;/gitops/services;."
    read = "/gitops/fleet.yaml;/gitops/profiles;/gitops/services/abroad;/gitops/services/shared;."
    assert place(ROOT) == ("gitops/clusters", static)
    assert place("sub-one") == ("gitops/clusters/sub-one", static)
    assert place("sub-one-small") == ("gitops/services/small", ".")
    assert place("sub-one-abroad") == ("gitops/clusters/sub-one", read)
    for name in EVERY:
        assert monorepo.live.state(name) == GOOD
    assert config(monorepo.live.cluster, "sub-two-abroad", "config")["data"] == {"of": "shared"}


def test_the_rest_of_the_repository_calls_no_plugin(monorepo: Monorepo) -> None:
    """Root and clusters go on to the commit, with the manifests that they have; the services stay where they are."""
    before = monorepo.fleet.head
    files = {"services/shop/main.go": "package shop\n", "profiles/more.txt": "Of more.\n", "fleet.yaml": "ships: 4\n"}
    assert monorepo.calls(files, (ROOT, *CLUSTERS)) == 0
    assert {monorepo.revision(f"{name}-{service}") for name in CLUSTERS for service in SERVICES} == {before}


def test_a_service_of_the_fleet_calls_it_for_whom_it_concerns(monorepo: Monorepo) -> None:
    """Once for the root and for each cluster, and for the service on each: `abroad` moves on unrendered."""
    files = {"gitops/services/small/config.yaml": config_map("config", of="a change")}
    assert monorepo.calls(files, EVERY) == 1 + 2 * len(CLUSTERS)
    assert config(monorepo.live.cluster, "sub-one-small", "config")["data"] == {"of": "a change"}
