"""`import applications` with upstream charts: hundreds of objects, proven equal."""

from __future__ import annotations

from pathlib import Path

import yaml
from program import run
from serving import Repository
from upstream import CHARTS

WANTED = ("istiod", "cert-manager", "kube-prometheus-stack")


def application(chart: str, version: str, cluster: str, url: str) -> dict[str, object]:
    values = {"global": {"clusterName": cluster}, "crds": {"enabled": True}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": f"{chart}-{cluster}", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "chart": chart, "targetRevision": version, "helm": {"valuesObject": values}},
            "destination": {"name": cluster, "namespace": chart},
        },
    }


def test_upstream_charts(tmp_path: Path, served: Repository, environment: dict[str, str]) -> None:
    """Grafana's chart makes up a password at each render; that is said, and nothing else differs."""
    versions = yaml.safe_load((CHARTS / "index.yaml").read_text())["entries"]
    (tmp_path / "apps").mkdir()
    for chart in WANTED:
        for cluster in ("dev", "prod"):
            made = application(chart, versions[chart][0]["version"], cluster, served.url)
            (tmp_path / f"apps/{chart}-{cluster}.yaml").write_text(yaml.safe_dump(made))
    done = run(["import", "applications", "apps", "fleet"], str(tmp_path), environment)
    assert done.code == 0, done.stderr.decode()
    assert [line.partition(":")[0] for line in done.stdout.decode().splitlines()] == sorted(WANTED)
    assert "every one is equal" in done.stderr.decode()
    assert "'${cluster.name}'" in (tmp_path / "fleet/services/istiod/service.yaml").read_text()
