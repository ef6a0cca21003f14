"""The version board: what it says of each service on each cluster, and what it calls late."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fleets import fleet_of_chance, write
from program import CHECKOUT

from cmp_plugin.commands.list.board import Board, board_of, selected
from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import Planned, plan
from cmp_plugin.tools.versions import rank

CHART = "{repo: 'https://charts.example.com', name: web}"
BASE = {
    "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
    "services/web/service.yaml": f"namespace: w\nchart: {CHART}\nversion: 1.2.0\n",
}


def board(root: Path, files: dict[str, str]) -> Board:
    return board_of(open_fleet(os.path.realpath(write(root, {**BASE, **files}))))


def clusters(*blocks: str) -> dict[str, str]:
    """Clusters c0, c1 ... with these blocks for the service `web`."""
    return {f"clusters/c{n}/cluster.yaml": f"services: {{web: {block}}}\n" for n, block in enumerate(blocks)}


def pins(found: Board) -> dict[str, tuple[str, str, str]]:
    return {f"{one.cluster}/{one.key}": (one.version, one.pin, one.newest) for one in found.deployments}


def test_a_pin_below_the_catalogue_lags(tmp_path: Path) -> None:
    found = board(tmp_path, clusters("", "{version: 1.1.9}", "{version: 1.3.0-rc.1}", "{version: v1.2.0}"))
    assert pins(found) == {
        "c0/web": ("1.2.0", "", "1.2.0"),
        "c1/web": ("1.1.9", "behind", "1.2.0"),
        "c2/web": ("1.3.0-rc.1", "ahead", "1.2.0"),
        "c3/web": ("v1.2.0", "", "1.2.0"),
    }
    assert [str(one.at) for one in found.deployments][:2] == [
        "services/web/service.yaml:5:10",
        "clusters/c1/cluster.yaml:3:27",
    ]


def test_what_most_clusters_run_counts_too(tmp_path: Path) -> None:
    """The catalogue was forgotten: whoever still runs its version lags."""
    found = board(tmp_path, clusters("", "{version: 2.0.0}", "{version: 2.0.0}"))
    assert [pin for _, pin, _ in pins(found).values()] == ["behind", "", ""]
    half = board(tmp_path / "half", clusters("", "{version: 2.0.0}"))
    assert [pin for _, pin, _ in pins(half).values()] == ["", "ahead"]


def test_another_chart_is_not_compared(tmp_path: Path) -> None:
    other = "{chart: {oci: oci://example.com/web}, version: 0.1.0}"
    found = board(
        tmp_path, clusters("", other, "{chart: {repo: 'https://charts.example.com/', name: web}, version: 1.0.0}")
    )
    assert [pin for _, pin, _ in pins(found).values()] == ["", "", "behind"]


def test_a_chart_that_only_clusters_name(tmp_path: Path) -> None:
    at = "{{chart: {{oci: oci://example.com/web}}, version: {}}}".format
    files = {"services/web/service.yaml": "namespace: w\n", **clusters(at("1.0.0"), at("1.1.0"), at("1.1.0"))}
    assert [pin for _, pin, _ in pins(board(tmp_path, files)).values()] == ["behind", "", ""]


def test_a_variant_can_lag(tmp_path: Path) -> None:
    own = BASE["services/web/service.yaml"] + "variants: {old: {when: {env: prod}, version: 1.0.0}}\n"
    files = {"services/web/service.yaml": own, "clusters/a/cluster.yaml": "labels: {env: prod}\nservices: {web: }\n"}
    (one,) = board(tmp_path, files).deployments
    assert (one.version, one.pin, str(one.at)) == ("1.0.0", "behind", "services/web/service.yaml:6:46")


def test_vars_are_worked_out(tmp_path: Path) -> None:
    files = {
        "clusters/a/cluster.yaml": 'vars: {web: 1.0.0}\nservices: {web: {version: "${vars.web}"}}\n',
        "clusters/b/cluster.yaml": 'vars: {web: false}\nservices: {web: {enabled: "${vars.web}"}}\n',
    }
    a, b = board(tmp_path, files).deployments
    assert (a.version, a.pin, str(a.at)) == ("1.0.0", "behind", "clusters/a/cluster.yaml:4:27")
    assert (b.is_on, str(b.at)) == (False, "clusters/b/cluster.yaml:4:27")


def test_instances_switches_and_what_nobody_uses(tmp_path: Path) -> None:
    files = {
        **BASE,
        "services/api/service.yaml": "resources: [api.yaml]\n",
        "services/db/service.yaml": "namespace: d\nchart: {path: chart}\n",
        "services/old/service.yaml": "resources: [old.yaml]\n",
        "profiles/base.yaml": "services: {api: {enabled: false}, db: }\n",
        "clusters/a/cluster.yaml": "profiles: [base]\nservices: {web: , web-b: {service: web, version: 1.0.0}}\n",
    }
    found = board(tmp_path, files)
    said = [(one.key, one.service, one.is_on, bool(one.chart), one.version, one.pin) for one in found.deployments]
    assert said == [
        ("api", "api", False, False, "", ""),
        ("db", "db", True, True, "", ""),
        ("web", "web", True, True, "1.2.0", ""),
        ("web-b", "web", True, True, "1.0.0", "behind"),
    ]
    assert [name for name in found.services if not found.used(name)] == ["api", "old"]
    assert found.services["db"].chart is not None and found.services["db"].chart.path == "/services/db/chart"


def test_what_provisions_a_cluster_is_on_the_manager(tmp_path: Path) -> None:
    files = {
        **BASE,
        "clusters/m/cluster.yaml": "allow: [empty]\n",
        "clusters/w/cluster.yaml": "provision: {service: web, managementCluster: m, version: 1.0.0}\nallow: [empty]\n",
        "clusters/x/cluster.yaml": "provision: {service: web, managementCluster: gone}\nallow: [empty]\n",
    }
    (one,) = board(tmp_path, files).deployments
    assert (one.cluster, one.key, one.service, one.version, one.pin) == ("m", "provision.w", "web", "1.0.0", "behind")


def test_a_revision_hides_what_its_commit_says(tmp_path: Path) -> None:
    found = board(tmp_path, clusters("{revision: v7}", "{revision: v7, version: 1.0.0}"))
    assert [(one.version, one.revision, one.pin) for one in found.deployments] == [
        ("", "v7", ""),
        ("1.0.0", "v7", "behind"),
    ]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("1.9.0", "1.10.0"),
        ("1.0.0-rc.2", "1.0.0-rc.10"),
        ("1.0.0-rc.1", "1.0.0"),
        ("v1.0.0", "1.0.1"),
        ("9.0.0", "10.0.0"),
    ],
)
def test_versions_compare_as_semantic_versions(low: str, high: str) -> None:
    first, second = rank(low), rank(high)
    assert first is not None and second is not None
    assert first < second and not second < first


def test_what_is_no_version_is_not_compared(tmp_path: Path) -> None:
    assert rank("1.0.0-a..b") is None
    found = board(tmp_path, clusters("{version: 1.0.0-a..b}", "{version: 1.0.0-a..b}", ""))
    assert [pin for _, pin, _ in pins(found).values()] == ["", "", ""]


def test_what_lags_in_a_selection_lags_behind_the_whole_fleet(tmp_path: Path) -> None:
    found = board(tmp_path, clusters("", "{version: 2.0.0}", "{version: 2.0.0}"))
    part = selected(found, lambda facts: facts.cluster == "c0", lambda service: True)
    assert pins(part) == {"c0/web": ("1.2.0", "behind", "2.0.0")}
    assert list(part.clusters) == ["c0"]


def test_every_error_is_told(tmp_path: Path) -> None:
    files = clusters("{surprise: 1}", "", "{service: wbe}") | {"services/bad/service.yaml": "surprise: 1\n"}
    with pytest.raises(CmpError) as error:
        board(tmp_path, files)
    assert [line.split(":")[0] for line in str(error.value).split("\n")] == [
        "clusters/c0/cluster.yaml",
        "clusters/c2/cluster.yaml",
        "services/bad/service.yaml",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_a_board_says_what_a_plan_says(seed: int, tmp_path: Path) -> None:
    """The short way against a full resolve of every service."""
    fleet = open_fleet(os.path.realpath(fleet_of_chance(tmp_path, seed)))
    compare(board_of(fleet), {name: plan(open_cluster(fleet, name)) for name in fleet.names("Cluster")})


def test_the_reference_fleet_as_planned() -> None:
    fleet = open_fleet(CHECKOUT)
    compare(board_of(fleet), {name: plan(open_cluster(fleet, name)) for name in fleet.names("Cluster")})


def compare(found: Board, planned: dict[str, list[Planned]]) -> None:
    for name, services in planned.items():
        wanted = {(one.request.key, one.request.entry, one.resolved.service.chart) for one in services}
        seen = {(one.key, one.service, one.chart) for one in found.deployments if one.cluster == name and one.is_on}
        assert seen == wanted
        for one in found.deployments:
            assert one.version == (one.chart.version if one.chart else "")
