"""What `expand` writes is built by the real Kustomize and Helm into what a render gives."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_transform import EXTRA, FRAGMENT_FILES, FRAGMENTS

from cmp_plugin.errors import InputError
from cmp_plugin.fleet.service import Append
from cmp_plugin.goyaml.load import dump_json, load_manifests, node
from cmp_plugin.render.render import expand, render
from cmp_plugin.system.process import Deadline
from services import chart, image, lay_out, patch, service

CHART = {
    "web/chart/Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.0.0\ndependencies: [{name: sub, version: 0.1.0}]\n",
    "web/chart/values.yaml": "color: red\nlist: [a]\n",
    "web/chart/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
    "web/chart/charts/sub/templates/sub.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: sub}\n"
    "stringData: {chart: {{ .Chart.Name }}}\n",
    "web/chart/crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n",
    "web/chart/templates/test.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n",
    "web/chart/templates/all.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  namespace: {{ .Release.Namespace }}
  a: "1"
  color: {{ .Values.color }}
  list: {{ toJson .Values.list | quote }}
  kubernetes: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "a/v1" }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app: x}}
spec:
  replicas: 1
  template: {spec: {containers: [{name: web, image: "registry.example/web:1"}]}}
""",
}


@pytest.fixture(params=["4.3", "3.22"])
def helm(request: pytest.FixtureRequest, helm4: str, helm3: str) -> str:
    """Kustomize calls either."""
    return helm4 if request.param == "4.3" else helm3


def kustomize_build(kustomize: str, helm: str, directory: Path) -> list[str]:
    """What Kustomize makes of a directory, object by object as Argo CD reads it, in any order."""
    argv = [kustomize, "build", "--enable-helm", "--helm-command", helm, str(directory)]
    done = subprocess.run(argv, capture_output=True, timeout=120, env={**os.environ, "PATH": ""}, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return sorted(dump_json(one.value) for one in load_manifests(done.stdout))


def write(directory: Path, files: Any) -> Path:
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return directory


SERVICES: dict[str, dict[str, Any]] = {
    "a chart": {},
    "values": {"values": node({"color": "blue", "list": None}, chart("").at), "api_versions": ("a/v1",)},
    "no definitions": {"include_crds": False, "skip_tests": False},
    "everything": {
        "patches": (
            patch("metadata: {labels: {a: b}}", called="a label", kind="Deployment"),
            patch("spec: {replicas: 3}\n---\nspec: {paused: true}", called="a/label", kind="Deployment"),
            patch("[{op: add, path: /data/b, value: 'on'}]", called="a label", kind="ConfigMap"),
            patch("{apiVersion: v1, kind: Secret, metadata: {name: sub}, stringData: {b: c}}", called=".."),
            patch("{apiVersion: v1, kind: Secret, metadata: {name: none}}", called="nothing", optional=True),
        ),
        "images": (image("registry.example/web", new_name="mirror.example/web", digest="sha256:aa"),),
        "labels": (("team", "a"),),
        "annotations": (("note", "b"),),
        "resources": ("/services/web/extra.yaml", "/services/web/more"),
    },
    **{f"fragment: {name}": {"kustomize": fragment} for name, fragment in FRAGMENTS.items()},
}
MORE = {
    "web/more/kustomization.yaml": "resources: [../base, a.yaml]\nnameSuffix: -more\n",
    "web/more/a.yaml": EXTRA,
    "web/base/kustomization.yaml": "resources: [b.yaml]\n",
    "web/base/b.yaml": EXTRA.replace("extra", "base"),
}


@pytest.mark.parametrize("fields", SERVICES.values(), ids=SERVICES)
def test_kustomize_and_helm_build_it(
    tmp_path: Path, kustomize: str, helm: str, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm)
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", kustomize)
    tree = lay_out(tmp_path / "fleet", {**CHART, **FRAGMENT_FILES, **MORE})
    made = service(chart=chart("/services/web/chart"), helm_range="~4.3" if "4.3" in helm else "~3.22", **fields)
    rendered = sorted(dump_json(one.value) for one in render(made, tree, Deadline(60)).manifests)
    for name, plain in (("helm", False), ("rendered", True)):
        files = expand(made, tree, Deadline(60), plain).files
        assert kustomize_build(kustomize, helm, write(tmp_path / name, files)) == rendered
        assert ("rendered.json" in files) is plain
        assert ("helmCharts" in str(files["kustomization.yaml"])) is (not plain and "chart/values.yaml" not in files)


def test_what_is_appended_is_in_the_values(
    tmp_path: Path, kustomize: str, helm4: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    tree = lay_out(tmp_path, CHART)
    at = chart("").at
    made = service(chart=chart("/services/web/chart"), appends=(Append(("list",), node(["b"], at), at),))
    assert expand(made, tree, Deadline(60), False).files["values.yaml"] == b"list:\n- a\n- b\n"


def test_a_chart_from_elsewhere_is_named(tmp_path: Path) -> None:
    """No chart is fetched here: only what would be written is looked at."""
    from cmp_plugin.fleet.service import Chart
    from cmp_plugin.render.context import RenderContext
    from cmp_plugin.render.kustomize.build import Kustomizer
    from cmp_plugin.render.kustomize.references import References
    from cmp_plugin.render.kustomize.targets import Targets
    from cmp_plugin.render.overlay import expanded

    tree = lay_out(tmp_path, {})
    for source, entry in (
        (
            Chart(chart("").at, repo="https://charts.example", name="site", version="1.2.3"),
            {"name": "site", "repo": "https://charts.example"},
        ),
        (
            Chart(chart("").at, oci="oci://charts.example/team/site", version="1.2.3"),
            {"name": "site", "repo": "oci://charts.example/team"},
        ),
    ):
        context = RenderContext(service(chart=source), tree, str(tmp_path), Deadline(9))
        targets = Targets.find(context.service, [], Kustomizer(context))
        files = expanded(context, targets, References(tree), "", {}, False)
        (written,) = yaml.safe_load(files["kustomization.yaml"])["helmCharts"]
        assert {**written, **entry, "version": "1.2.3"} == written


def test_a_kustomization_stays_one(tmp_path: Path, kustomize: str, helm4: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", kustomize)
    tree = lay_out(tmp_path / "fleet", {**MORE, "api/kustomization.yaml": "resources: [../web/more]\n"})
    made = service(resources=("/services/api",))
    files = expand(made, tree, Deadline(60), False).files
    assert sorted(files) == [
        *("files/services/api/kustomization.yaml", "files/services/web/base/b.yaml"),
        *("files/services/web/base/kustomization.yaml", "files/services/web/more/a.yaml"),
        *("files/services/web/more/kustomization.yaml", "kustomization.yaml"),
    ]
    rendered = sorted(dump_json(one.value) for one in render(made, tree, Deadline(60)).manifests)
    assert kustomize_build(kustomize, helm4, write(tmp_path / "out", files)) == rendered


def test_both_sources_of_a_duplicate_are_named(tmp_path: Path, kustomize: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", kustomize)
    files = ("web/a.yaml", "web/b.yaml")
    tree = lay_out(tmp_path, dict.fromkeys(files, EXTRA))
    made = service(
        resources=[f"/services/{name}" for name in files], patches=(patch("data: {a: b}", kind="ConfigMap"),)
    )
    sources = "is there twice: from resource services/web/a.yaml and resource services/web/b.yaml"
    with pytest.raises(InputError, match=sources):
        render(made, tree, Deadline(60))
    with pytest.raises(InputError, match=sources):
        expand(made, tree, Deadline(60), False)


def test_objects_without_a_name(tmp_path: Path, kustomize: str, helm4: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n"
    tree = lay_out(tmp_path / "fleet", {**CHART, "web/chart/templates/job.yaml": job})
    made = service(chart=chart("/services/web/chart"))
    with pytest.raises(InputError, match="Kustomize refuses Job with generateName migrate-"):
        expand(made, tree, Deadline(60), False)
    files = expand(made, tree, Deadline(60), True).files
    assert b"migrate-" in files["without-name.json"] and b"migrate-" not in files["rendered.json"]
    built = kustomize_build(kustomize, helm4, write(tmp_path / "out", files))
    outcome = [dump_json(one.value) for one in render(made, tree, Deadline(60)).manifests]
    assert built == sorted(line for line in outcome if "migrate-" not in line)
