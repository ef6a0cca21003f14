"""docs/argocd-values.yaml through the real argo-cd chart: repo-server gets the sidecar and its settings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from program import CHECKOUT
from upstream import CHARTS

VALUES = Path(CHECKOUT) / "docs" / "argocd-values.yaml"


@pytest.mark.parametrize("chart", ["argo-cd-10.1.1.tgz", "argo-cd-9.5.10.tgz"])
def test_repo_server_gets_the_sidecar(chart: str, helm4: str) -> None:
    words = [helm4, "template", "argocd", str(CHARTS / chart), "--namespace", "argocd", "--values", str(VALUES)]
    done = subprocess.run(words, capture_output=True, check=True, timeout=120)
    objects = [each for each in yaml.load_all(done.stdout, Loader=yaml.CBaseLoader) if each]
    (deployment,) = [each for each in objects if named(each, "Deployment", "argocd-repo-server")]
    pod = deployment["spec"]["template"]["spec"]
    ours = yaml.safe_load(VALUES.read_text())["repoServer"]
    assert [each["name"] for each in pod["containers"]] == ["repo-server", "cmp-plugin"]
    sidecar = pod["containers"][1]
    (wanted,) = ours["extraContainers"]
    assert sidecar["command"] == wanted["command"]
    assert [each["name"] for each in sidecar["volumeMounts"]] == [each["name"] for each in wanted["volumeMounts"]]
    assert {each["name"] for each in wanted["volumeMounts"]} <= {each["name"] for each in pod["volumes"]}
    (parameters,) = [each for each in objects if named(each, "ConfigMap", "argocd-cmd-params-cm")]
    assert parameters["data"]["reposerver.plugin.use.manifest.generate.paths"] == "true"
    assert ".git" in parameters["data"]["reposerver.plugin.tar.exclusions"]


def named(value: dict[str, Any], kind: str, name: str) -> bool:
    return bool(value["kind"] == kind and value["metadata"]["name"] == name)
