"""Upstream charts with default values through this program: what `helm template` printed elsewhere."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fleets import write
from program import run
from serving import Repository
from upstream import CHARTS, PRINTED

from cmp_plugin.charts.archive import inspect
from cmp_plugin.goyaml.load import dump_json, dump_values, load_manifests

ARCHIVES = sorted(path.name for path in CHARTS.glob("*.tgz"))
# What PRINTED was made with besides default values.
VALUES = {
    "kube-prometheus-stack": "values: {grafana: {adminPassword: fixed}}\n",
    "cert-manager": "values: {crds: {enabled: true}}\n",
}


def printed(archive: str) -> Path:
    """Where it says what helm printed for this archive."""
    return PRINTED / archive.removesuffix(".tgz") / "manifests.yaml.gz"


@pytest.mark.parametrize("archive", ARCHIVES or ["none"])
@pytest.mark.skipif(not PRINTED.is_dir(), reason=f"{PRINTED.name} with what helm printed is not beside the checkout")
def test_default_render(
    archive: str, tmp_path: Path, served: Repository, environment: dict[str, str], kustomize: str
) -> None:
    """Object by object, on Argo CD's reading, as Kustomize hands it on (it drops `annotations: null`)."""
    facts = inspect(str(CHARTS / archive))
    write(
        tmp_path,
        {
            "fleet.yaml": 'kubernetes: {version: "1.34.0"}\n',
            "services/it/service.yaml": f'namespace: ns\nreleaseName: rel\nskipTests: false\nversion: "{facts.version}"\n'
            f'chart: {{repo: "{served.url}", name: {facts.name}}}\n{VALUES.get(facts.name, "")}',
            "clusters/c/cluster.yaml": "destination: {name: c}\nservices: {it: }\n",
        },
    )
    done = run(["preview", "c", "it", "-o", "json"], str(tmp_path), environment)
    assert done.code == 0, done.stderr
    expected = built(printed(archive), tmp_path / "whole", kustomize)
    ours = [json.loads(line) for line in done.stdout.splitlines()]
    assert Counter(map(dump_json, ours)) == Counter(map(dump_json, expected))
    assert len(ours) > 1


def built(manifests: Path, directory: Path, kustomize: str) -> list[dict[str, Any]]:
    """What `kustomize build` makes of them, read as Argo CD reads them before, and no type changed."""
    directory.mkdir()
    objects = [document.value for document in load_manifests(gzip.decompress(manifests.read_bytes()))]
    (directory / "objects.yaml").write_bytes(b"\n---\n".join(map(dump_values, objects)))
    (directory / "kustomization.yaml").write_text("resources: [objects.yaml]\n")
    done = subprocess.run(
        [kustomize, "build", str(directory)], capture_output=True, timeout=300, env={"PATH": ""}, check=False
    )
    assert done.returncode == 0, done.stderr
    return [document.value for document in load_manifests(done.stdout)]


def test_every_chart_has_its_print() -> None:
    """The comparison is of all that is there, and it is not nothing."""
    if PRINTED.is_dir():
        assert [archive for archive in ARCHIVES if not printed(archive).is_file()] == []
    names = {re.sub(r"-v?\d+\.\d+\.\d+\.tgz$", "", archive) for archive in ARCHIVES}
    assert names >= {"kube-prometheus-stack", "istiod", "base", "cni", "gateway", "cert-manager", "crossplane"}
    assert names >= {"argo-cd", "metrics-server"}
