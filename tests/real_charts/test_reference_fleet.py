"""The reference fleet's own clusters, rendered from upstream charts: whole, offline, by environment."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from netless import run_without_network
from program import CHECKOUT, run
from serving import Repository

CLUSTERS = ("gke.dev", "gke.prod", "management", "kind.local")


class Vendored(NamedTuple):
    """A locked and vendored copy of the fleet, and an environment without mirror and cache."""

    root: str
    env: dict[str, str]

    def objects(self, cluster: str, service: str) -> list[dict[str, Any]]:
        """What a service has on a cluster."""
        done = run(["preview", cluster, service, "-o", "json"], self.root, self.env)
        assert done.code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def copy_of_the_fleet(into: Path) -> Path:
    """Without locks: these charts are packed anew, so that their digests are not those of upstream's."""
    for name in ("profiles", "services", "clusters"):
        shutil.copytree(Path(CHECKOUT, name), into / name, ignore=shutil.ignore_patterns("service.lock", "*.tgz"))
    shutil.copy(Path(CHECKOUT, "fleet.yaml"), into)
    return into


@pytest.fixture(scope="module")
def vendored(tmp_path_factory: pytest.TempPathFactory, served: Repository, environment: dict[str, str]) -> Vendored:
    base = tmp_path_factory.mktemp("fleet")
    made = copy_of_the_fleet(base / "made")
    for verb in ("lock", "vendor"):
        done = run([verb], str(made), {**environment, "CMP_PLUGIN_CHART_MIRROR": served.url})
        assert done.code == 0, done.stderr
    copy = shutil.copytree(made, base / "copy")
    shutil.rmtree(made)
    shutil.rmtree(environment["CMP_PLUGIN_CACHE_DIR"])
    return Vendored(str(copy), environment)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_renders_whole_without_a_network(cluster: str, vendored: Vendored) -> None:
    done = run_without_network(["preview", cluster, "-o", "json"], vendored.root, vendored.env)
    assert (done.code, done.stderr) == (0, b"")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {one["kind"] for one in objects}
    assert "Namespace" in kinds or "Deployment" in kinds
    if cluster.startswith("gke"):
        assert len(objects) > 200
        assert kinds >= {"CustomResourceDefinition", "Prometheus", "ClusterIssuer", "Gateway", "DaemonSet"}


def test_from_served_charts_without_a_lock(
    tmp_path: Path, served: Repository, environment: dict[str, str], vendored: Vendored
) -> None:
    """As the fleet lies in the repository, with a mirror: the same bytes, and a warning for each chart."""
    fleet = copy_of_the_fleet(tmp_path / "fleet")
    env = {**environment, "CMP_PLUGIN_CHART_MIRROR": served.url}
    for cluster in ("gke.dev", "gke.prod"):
        done = run(["preview", cluster, "-o", "json"], str(fleet), env)
        assert done.code == 0, done.stderr
        warnings = done.stderr.decode().splitlines()
        assert warnings and all(line.startswith("warning: services/") for line in warnings)
        assert all("is not in services/" in line for line in warnings)
        assert done.stdout == run(["preview", cluster, "-o", "json"], vendored.root, vendored.env).stdout


def only(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The one object of this kind and name."""
    (found,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def test_differences_between_environments(vendored: Vendored) -> None:
    dev, prod = (vendored.objects(cluster, "prometheus") for cluster in ("gke.dev", "gke.prod"))
    specs = {}
    for env, objects in (("dev", dev), ("prod", prod)):
        (prometheus,) = [one for one in objects if one["kind"] == "Prometheus"]
        specs[env] = prometheus["spec"]
        specs[f"{env} chart"] = prometheus["metadata"]["labels"]["chart"]
        assert prometheus["spec"]["externalLabels"]["cluster"] == f"gke.{env}"
    assert (specs["dev chart"], specs["prod chart"]) == (
        "kube-prometheus-stack-88.5.3",
        "kube-prometheus-stack-88.2.0",
    )
    assert specs["dev"]["replicas"] == 1 and specs["prod"]["replicas"] > 1
    assert specs["dev"]["retention"] != specs["prod"]["retention"]


def test_patches_and_variants_reach_upstream_charts(vendored: Vendored) -> None:
    dev, prod = (vendored.objects(cluster, "cert-manager") for cluster in ("gke.dev", "gke.prod"))
    assert only(dev, "Deployment", "cert-manager")["spec"]["replicas"] == 1
    assert only(prod, "Deployment", "cert-manager")["spec"]["replicas"] == 2
    assert not [one for one in dev if one["kind"] == "PodDisruptionBudget"]
    assert len([one for one in prod if one["kind"] == "PodDisruptionBudget"]) == 3


@pytest.mark.parametrize(("cluster", "service"), [("gke.prod", "istiod"), ("gke.dev", "prometheus")])
def test_generate_gives_the_bytes_of_preview(cluster: str, service: str, vendored: Vendored) -> None:
    """From the cluster's directory, as Argo CD calls it, without a network."""
    parameters = json.dumps([{"name": "service", "string": service}])
    argocd = {"ARGOCD_APP_NAME": "x", "ARGOCD_APP_NAMESPACE": "x", "ARGOCD_APP_PARAMETERS": parameters}
    directory = os.path.join(vendored.root, "clusters", cluster)
    generated = run_without_network(["generate"], directory, {**vendored.env, **argocd})
    assert (generated.code, generated.stderr) == (0, b"")
    preview = run(["preview", cluster, service, "-o", "json"], vendored.root, vendored.env)
    assert generated.stdout == preview.stdout != b""
