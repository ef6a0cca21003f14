"""A vendored fleet renders where there is no network; one that is not vendored does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fleets import chart, write
from netless import run_without_network
from program import run
from serving import Repository

CLUSTER = """\
destination: {name: a}
services: {remote: , own: , plain: }
"""


@pytest.fixture
def fleet(tmp_path: Path, served: Repository) -> Path:
    """A chart from elsewhere, a chart of the fleet that depends on one, and no chart."""
    dependency = f'dependencies: [{{name: vee, version: 1.x, repository: "{served.url}"}}]\n'
    chart_yaml = f"apiVersion: v2\nname: own\nversion: 1.0.0\n{dependency}"
    files = {
        "fleet.yaml": 'repoURL: https://git.example.com/fleet.git\nkubernetes: {version: "1.34"}\n',
        "services/remote/service.yaml": f'namespace: x\nchart: {{repo: "{served.url}", name: small}}\nversion: 1.0.0\n'
        'values: {list+: [more]}\npatches: {p: {target: {kind: ConfigMap}, patch: {metadata: {labels: {a: "b"}}}}}\n',
        "services/own/service.yaml": "namespace: x\nchart: {path: chart}\n",
        **chart("services/own/chart", **{"Chart.yaml": chart_yaml}),
        "services/plain/service.yaml": "namespace: x\nresources: [map.yaml]\n",
        "services/plain/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n",
        "clusters/a/cluster.yaml": CLUSTER,
    }
    return write(tmp_path / "checkout", files)


@pytest.fixture
def env(tmp_path: Path, clean_env: dict[str, str], helm4: str, kustomize: str) -> dict[str, str]:
    tools = {"CMP_PLUGIN_HELM": helm4, "CMP_PLUGIN_KUSTOMIZE": kustomize}
    return {**clean_env, **tools, "CMP_PLUGIN_CACHE_DIR": str(tmp_path / "cache2")}


@pytest.fixture
def vendored(fleet: Path, env: dict[str, str], tmp_path: Path) -> Path:
    """A copy of the vendored fleet elsewhere; the cache that helped to make it is gone."""
    for verb in ("lock", "vendor"):
        done = run([verb], str(fleet), env)
        assert done.code == 0, done.stderr
    online = run(["preview"], str(fleet), env)
    assert online.code == 0, online.stderr
    (tmp_path / "online").write_bytes(online.stdout)
    shutil.rmtree(tmp_path / "cache2")
    return Path(shutil.copytree(fleet, tmp_path / "copy"))


def test_a_vendored_fleet_needs_no_network(vendored: Path, env: dict[str, str], tmp_path: Path) -> None:
    offline = run_without_network(["preview"], str(vendored), env)
    assert (offline.code, offline.stderr) == (0, b"")
    assert offline.stdout == (tmp_path / "online").read_bytes()
    for text in (b"chart: small 1.0.0", b"chart: vee v1.0.0", b"name: plain"):
        assert text in offline.stdout
    assert run_without_network(["validate"], str(vendored), env).code == 0
    assert run_without_network(["lock", "--check"], str(vendored), env).code == 0


def test_a_service_alone_needs_no_network(vendored: Path, env: dict[str, str], tmp_path: Path) -> None:
    """What Argo CD's sidecar gets: one service's directory, and the layers as a parameter."""
    shown = run(["preview", "a", "--applications", "-o", "json"], str(vendored), env)
    assert shown.code == 0, shown.stderr
    applications = {one["metadata"]["name"]: one for one in map(json.loads, shown.stdout.splitlines())}
    application = applications["a-remote"]
    parameters = json.dumps(application["spec"]["source"]["plugin"]["parameters"])
    alone = tmp_path / "alone" / "services" / "remote"
    shutil.copytree(vendored / "services" / "remote", alone)
    argocd = {"ARGOCD_APP_NAME": "x", "ARGOCD_APP_NAMESPACE": "x", "ARGOCD_APP_PARAMETERS": parameters}
    generated = run_without_network(["generate"], str(alone), {**env, **argocd})
    assert (generated.code, generated.stderr) == (0, b"")
    assert b"small 1.0.0" in generated.stdout


def test_what_is_not_vendored_needs_one(fleet: Path, env: dict[str, str], served: Repository) -> None:
    """The namespace is what it should be: the same command fails in it."""
    assert run(["lock"], str(fleet), {**env}).code == 0
    shutil.rmtree(env["CMP_PLUGIN_CACHE_DIR"])
    offline = run_without_network(["preview", "a", "remote"], str(fleet), env)
    assert (offline.code, offline.stdout) == (1, b"")
    assert f"chart small 1.0.0 cannot be fetched from {served.url}: " in offline.stderr.decode()
    told = run_without_network(["preview", "a", "remote"], str(fleet), {**env, "CMP_PLUGIN_OFFLINE": "1"})
    assert told.stderr.decode().startswith(
        "services/remote/service.yaml:4:8: a/remote: chart small 1.0.0 is neither vendored nor in the cache"
    )


def test_a_stored_chart_needs_no_network(fleet: Path, env: dict[str, str]) -> None:
    for words in (["lock"], ["preview"]):
        assert run(words, str(fleet), env).code == 0
    assert run_without_network(["preview"], str(fleet), env).code == 0
