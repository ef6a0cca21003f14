"""The chart that installs Argo CD: its values, its own objects, and the service that it becomes.

argo-helm's chart is not at hand here, so another takes its place; tests/real_charts has the real one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from bootstrapping import CHART, bootstrap_chart, copy_fleet, helm, lint, put_dependency, service_objects, template
from program import CHECKOUT, run

from cmp_plugin.argocd.applications import PATHS, PLUGIN

ROOT = ("Application", "argocd", "fleet")
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
FLEET: dict[str, Any] = yaml.safe_load(Path(CHECKOUT, "fleet.yaml").read_text())


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bootstrap_chart(tmp_path_factory.mktemp("bootstrap"))


@pytest.fixture(scope="module")
def objects(chart: Path, helm4: str) -> dict[Any, dict[str, Any]]:
    return template(helm4, chart)


def test_there_is_one_definition() -> None:
    """Where a person looks for it, and where the fleet has it."""
    assert Path(CHECKOUT, "bootstrap/chart").resolve() == CHART.resolve()
    assert Path(CHECKOUT, "bootstrap/chart").is_symlink()


def test_lint(chart: Path, helm4: str) -> None:
    lint(helm4, chart)


def test_both_helms_agree(chart: Path, helm3: str, objects: dict[Any, Any]) -> None:
    assert template(helm3, chart) == objects


# --- values ---


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("fleet.repoURL=fleet", "repoURL"),
        ("fleet.repoUrl=https://git.example.com/fleet.git", "repoUrl"),
        ("fleet.repoURL=null", "repoURL"),
        ("fleet.targetRevision=", "targetRevision"),
        ("fleet.path=/gitops", "path"),
        ("fleet.path=gitops/", "path"),
        ("fleet.path=../fleet", "path"),
        ("fleet.managementCluster=The One", "managementCluster"),
        ("fleet.credentialsSecret=Not A Name", "credentialsSecret"),
        ("global.cmpPlugin.image=ghcr.io/example/cmp-plugin", "image"),
        ("global.cmpPlugin.tag=1", "tag"),
        ("argocd.server.replicas=2", "argocd"),
    ],
)
def test_a_wrong_value_is_named(chart: Path, helm4: str, setting: str, said: str) -> None:
    done = helm(helm4, "template", "argocd", chart, "--set", setting)
    assert done.returncode and said in done.stderr and "values.schema.json" not in done.stdout


@pytest.mark.parametrize(
    "setting",
    [
        "fleet.repoURL=git@git.example.com:platform/fleet.git",
        "fleet.repoURL=ssh://git@git.example.com:2222/fleet.git",
        "fleet.path=deploy/git.ops-2/fleet",
        "fleet.credentialsSecret=fleet-repository",
        "global.cmpPlugin.image=registry.example.com:5000/cmp-plugin@sha256:" + 64 * "0",
    ],
)
def test_a_right_value_is_taken(chart: Path, helm4: str, setting: str) -> None:
    assert template(helm4, chart, "--set", setting)


def test_the_values_are_the_fleets() -> None:
    assert VALUES["fleet"]["repoURL"] == FLEET["repoURL"]
    assert VALUES["fleet"]["targetRevision"] == FLEET["targetRevision"]
    name = VALUES["fleet"]["managementCluster"]
    management = yaml.safe_load(Path(CHECKOUT, f"clusters/{name}/cluster.yaml").read_text())
    assert "argocd" in management["services"] and management["destination"] == {"name": "in-cluster"}


def test_the_sidecar_is_the_documented_one() -> None:
    """Who adds it to an Argo CD that is there already gets the same."""
    documented = yaml.safe_load(Path(CHECKOUT, "docs/argocd-values.yaml").read_text())
    ours = VALUES["argo-cd"]
    assert documented["configs"]["params"].items() <= ours["configs"]["params"].items()
    (sidecar,) = ours["repoServer"]["extraContainers"]
    same = {**sidecar, "image": VALUES["global"]["cmpPlugin"]["image"]}
    assert {**ours["repoServer"], "extraContainers": [same]} == documented["repoServer"]


# --- objects ---


def test_the_sidecar_has_the_image(chart: Path, helm4: str) -> None:
    image = "registry.example.com/cmp-plugin:1.2.3"
    deployment = template(helm4, chart, "--set", f"global.cmpPlugin.image={image}")[
        "Deployment", "argocd", "argocd-repo-server"
    ]
    sidecar = deployment["spec"]["template"]["spec"]["containers"][1]
    assert (sidecar["name"], sidecar["image"]) == (PLUGIN, image)


def test_timeouts_leave_room_for_a_whole_render(objects: dict[Any, dict[str, Any]]) -> None:
    from cmp_plugin.argocd.contract import TIMEOUT

    params = objects["ConfigMap", "argocd", "argocd-cmd-params-cm"]["data"]
    timeouts = [float(value) for name, value in params.items() if name.endswith("repo.server.timeout.seconds")]
    assert len(timeouts) == 3 and min(timeouts) >= 2 * TIMEOUT


def test_the_root_application(chart: Path, helm4: str) -> None:
    settings = "fleet.repoURL=https://git.example.com/f.git,fleet.targetRevision=live,fleet.managementCluster=hub"
    root = template(helm4, chart, "--set", settings)[ROOT]
    assert root["spec"]["source"] == {
        "repoURL": "https://git.example.com/f.git",
        "targetRevision": "live",
        "path": "clusters",
        "plugin": {"name": PLUGIN},
    }
    assert root["spec"]["syncPolicy"] == {
        "automated": {"prune": True, "selfHeal": True},
        "retry": {"limit": -1, "refresh": True},
    }
    assert root["spec"]["info"] == [{"name": "Management cluster", "value": "hub"}]
    assert "finalizers" not in root["metadata"]
    assert root["metadata"]["annotations"][PATHS] == "/fleet.yaml;/profiles;/services;."


def test_the_root_application_of_a_fleet_below_the_top(chart: Path, helm4: str) -> None:
    root = template(helm4, chart, "--set", "fleet.path=deploy/fleet")[ROOT]
    assert root["spec"]["source"]["path"] == "deploy/fleet/clusters"
    paths = "/deploy/fleet/fleet.yaml;/deploy/fleet/profiles;/deploy/fleet/services;."
    assert root["metadata"]["annotations"][PATHS] == paths


def test_notes_say_what_comes_next(chart: Path, helm4: str) -> None:
    words = ("--dry-run=client", "--namespace", "argocd", "--set", "fleet.managementCluster=hub")
    plain = helm(helm4, "install", "argocd", chart, *words).stdout.partition("NOTES:\n")[2]
    assert "get application hub" in plain and "secret" not in plain
    private = helm(
        helm4, "install", "argocd", chart, *words, "--set", "fleet.credentialsSecret=fleet-repository"
    ).stdout
    assert "create secret generic fleet-repository" in private


# --- the service that it becomes ---


@pytest.fixture(scope="module")
def management(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fleet after `helm dependency build bootstrap/chart`."""
    root = copy_fleet(tmp_path_factory.mktemp("fleet"))
    put_dependency(root / "services/argocd/chart", None)
    return root


def test_the_service_is_what_helm_installed(
    management: Path, clean_env: dict[str, str], objects: dict[Any, dict[str, Any]]
) -> None:
    assert service_objects(management, clean_env) == objects


def test_its_application_never_takes_argocd_away(management: Path, clean_env: dict[str, str]) -> None:
    done = run(["preview", "management", "--applications", "-o", "json"], str(management), clean_env)
    assert done.code == 0, done.stderr.decode()
    (application,) = [
        each
        for line in done.stdout.splitlines()
        if (each := json.loads(line))["metadata"]["name"] == "management-argocd"
    ]
    assert "finalizers" not in application["metadata"]
    assert application["spec"]["source"]["path"] == "services/argocd"
    assert application["spec"]["destination"] == {"name": "in-cluster", "namespace": "argocd"}
    assert "Prune=confirm" in application["spec"]["syncPolicy"]["syncOptions"]


def test_nothing_of_argo_helm_is_in_the_repository() -> None:
    assert not os.path.exists(CHART / "charts"), "fetched charts are not for the repository"
