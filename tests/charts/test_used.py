"""Which charts a fleet uses: a pin is what a full resolve of the same service finds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from fleets import fleet_of_chance, write
from program import CHECKOUT

from cmp_plugin.charts.used import chart_uses, cluster_uses
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import Fleet, open_fleet
from cmp_plugin.fleet.plan import plan

REPO = 'chart: {repo: "https://charts.example.com", name: web}\n'


def opened(root: Path) -> Fleet:
    return open_fleet(os.path.realpath(root))


def short(fleet: Fleet, cluster: str) -> set[tuple[str, ...]]:
    return {(use.entry, *use.chart[1:]) for use in cluster_uses(open_cluster(fleet, cluster))}


def full(fleet: Fleet, cluster: str) -> set[tuple[str, ...]]:
    """By a resolve of every service; what provisions a cluster is found from its manager."""
    found: set[tuple[str, ...]] = set()
    for one in plan(open_cluster(fleet, cluster)):
        service = one.resolved.service
        if service.chart is not None and not one.request.key.startswith("provision."):
            found.add((service.entry, *service.chart[1:]))
    return found


def test_the_reference_fleet() -> None:
    fleet = open_fleet(CHECKOUT)
    for cluster in fleet.names("Cluster"):
        provisioned = {use for use in short(fleet, cluster) if use[0].endswith("-cluster")}
        assert short(fleet, cluster) - provisioned == full(fleet, cluster)


@pytest.mark.parametrize("seed", range(60))
def test_fleets_of_chance(seed: int, tmp_path: Path) -> None:
    fleet = opened(fleet_of_chance(tmp_path, seed))
    for cluster in ("c", "d", "e"):
        assert short(fleet, cluster) == full(fleet, cluster)


def test_what_is_compared_is_not_nothing(tmp_path: Path) -> None:
    found = [short(opened(fleet_of_chance(tmp_path / str(seed), seed)), "c") for seed in range(20)]
    kinds = {(bool(chart[1]), bool(chart[2]), bool(chart[4])) for one in found for chart in one}
    assert kinds == {(True, False, False), (False, True, False), (False, False, True)}
    assert {chart[-1] for one in found for chart in one} >= {"", "1.0.0", "2.0.0", "9.0.0", "3.0.7"}


def test_what_provisions_a_cluster(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
        "services/gke-cluster/service.yaml": f"namespace: x\n{REPO}version: 1.0.0\n",
        "clusters/m/cluster.yaml": "destination: {name: m}\nallow: [empty]\n",
        "clusters/w/cluster.yaml": "destination: {name: w}\nallow: [empty]\n"
        "provision: {service: gke-cluster, managementCluster: m, version: 2.0.0}\n",
    }
    uses, errors = chart_uses(opened(write(tmp_path, files)))
    assert [(use.entry, use.cluster, use.chart.version) for use in uses] == [("gke-cluster", "w", "2.0.0")]
    assert errors == []


def test_errors_of_one_cluster_leave_the_others(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
        "services/web/service.yaml": f"namespace: x\n{REPO}version: 1.0.0\n",
        "clusters/a/cluster.yaml": "destination: {name: a}\nservices: {wep: }\n",
        "clusters/b/cluster.yaml": "destination: {name: b}\nservices: {web: }\n",
    }
    uses, errors = chart_uses(opened(write(tmp_path, files)))
    assert [use.cluster for use in uses] == ["b"]
    assert [str(error) for error in errors] == [
        'clusters/a/cluster.yaml:4:12: there is no service "wep" (did you mean "web"?)'
    ]


def test_values_that_are_wrong_do_not_stop_a_lock(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
        "services/web/service.yaml": f'namespace: x\n{REPO}version: 1.0.0\nvalues: {{a: "${{vars.unknown}}"}}\n',
        "clusters/a/cluster.yaml": "destination: {name: a}\nservices: {web: }\n",
    }
    uses, errors = chart_uses(opened(write(tmp_path, files)))
    assert ([use.entry for use in uses], errors) == (["web"], [])


def test_a_thousand_clusters(tmp_path: Path) -> None:
    """20 services each; the real bound is benchmarks/'s, this one only sees that the short way is taken."""
    files = {
        "fleet.yaml": 'kubernetes: {version: "1.34"}\nprofiles: [base]\n',
        "profiles/base.yaml": "services:\n" + "".join(f"  s{n}: {{values: {{a: {n}}}}}\n" for n in range(20)),
    }
    for number in range(20):
        files[f"services/s{number}/service.yaml"] = f"namespace: x\n{REPO}version: 1.0.{number}\n"
    for number in range(1000):
        files[f"clusters/c{number}/cluster.yaml"] = f"destination: {{name: c{number}}}\nservices: {{s0: }}\n"
    fleet = opened(write(tmp_path, files))
    started = time.process_time()
    uses, errors = chart_uses(fleet)
    assert (len(uses), errors) == (20, [])
    assert time.process_time() - started < 6
