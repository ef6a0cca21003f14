"""docs/argocd-values.yaml fits the argo-helm chart, and the API server takes what comes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from checkout import CHECKOUT

if TYPE_CHECKING:
    from live import Live

# The chart's default values and what it renders with them; the chart itself is not at hand.
REAL = Path(CHECKOUT).parent / "shared/real"
CHARTS = sorted(REAL.glob("argo-cd-*"))
VALUES: dict[str, Any] = yaml.safe_load(Path(CHECKOUT, "docs/argocd-values.yaml").read_text())

real_charts = pytest.mark.skipif(not CHARTS, reason="what real charts print is not in the repository")


def rendered(chart: Path) -> dict[str, Any]:
    """repo-server's Deployment as the chart renders it by default."""
    printed = gzip.decompress((chart / "manifests.yaml.gz").read_bytes()).decode()
    source = "# Source: argo-cd/templates/argocd-repo-server/deployment.yaml\n"
    (document,) = [each for each in printed.split("\n---\n") if source in each]
    loaded: dict[str, Any] = yaml.safe_load(document)
    return loaded


def with_values(deployment: dict[str, Any]) -> dict[str, Any]:
    """The Deployment with our values: the chart appends containers, variables and volumes."""
    pod, ours = deployment["spec"]["template"]["spec"], VALUES["repoServer"]
    pod["containers"][0]["env"] += ours["env"]
    pod["containers"] += ours["extraContainers"]
    pod["volumes"] += ours["volumes"]
    return deployment


def test_nothing_in_them_is_a_template() -> None:
    """The chart evaluates extraContainers as a template."""
    assert "{{" not in json.dumps(VALUES)


def test_the_sidecar_is_the_images() -> None:
    """What the image says of itself and what the values ask for are the same."""
    dockerfile = Path(CHECKOUT, "sidecar.Dockerfile").read_text()
    (sidecar,) = VALUES["repoServer"]["extraContainers"]
    assert f"ENTRYPOINT {json.dumps(sidecar['command'])}" in dockerfile
    assert f"USER {sidecar['securityContext']['runAsUser']}" in dockerfile
    assert "/home/argocd/cmp-server/config" not in {each["mountPath"] for each in sidecar["volumeMounts"]}


@real_charts
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_chart_knows_every_key(chart: Path) -> None:
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    for key, value in VALUES["repoServer"].items():
        assert isinstance(defaults["repoServer"][key], type(value)), key
    container = rendered(chart)["spec"]["template"]["spec"]["containers"][0]
    read = [each["valueFrom"].get("configMapKeyRef", {}) for each in container["env"] if "valueFrom" in each]
    assert set(VALUES["configs"]["params"]) <= {each.get("key") for each in read}


@real_charts
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_volumes_are_there(chart: Path) -> None:
    pod = with_values(rendered(chart))["spec"]["template"]["spec"]
    volumes = [each["name"] for each in pod["volumes"]]
    assert len(volumes) == len(set(volumes))
    for container in pod["containers"]:
        assert {each["name"] for each in container["volumeMounts"]} <= set(volumes)


@real_charts
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_api_server_takes_the_deployment(live: Live, chart: Path) -> None:
    deployment = with_values(rendered(chart))
    deployment["metadata"]["namespace"] = "default"
    words = ("create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-")
    taken = json.loads(live.cluster.kubectl(*words, text=json.dumps(deployment)))
    sidecar = taken["spec"]["template"]["spec"]["containers"][1]
    assert sidecar["name"] == "cmp-plugin" and sidecar["securityContext"]["runAsUser"] == 999
