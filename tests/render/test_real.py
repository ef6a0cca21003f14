"""Real charts' output: a chart of ours prints it, and a render is what Helm and Kustomize make of it."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from program import CHECKOUT

from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.goyaml.load import dump_json, load_manifests
from cmp_plugin.render.kustomize.order import ordered
from cmp_plugin.render.manifest import Manifest, emit
from cmp_plugin.render.render import expand, render
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline
from services import chart, image, lay_out, patch, service

REAL = Path(CHECKOUT, "..", "shared", "real")
CHARTS = sorted(path.parent.name for path in REAL.glob("*/manifests.yaml.gz"))

pytestmark = pytest.mark.skipif(not CHARTS, reason="the real charts' output is not beside the checkout")


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch, helm4: str, kustomize: str) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", kustomize)


def printing(name: str, root: Path) -> tuple[ResolvedService, FileTree]:
    """A service whose chart prints what the real one printed."""
    tree = lay_out(root, {"web/chart/Chart.yaml": "apiVersion: v2\nname: printing\nversion: 1.0.0\n"})
    printed = gzip.decompress((REAL / name / "manifests.yaml.gz").read_bytes())
    (root / "services/web/chart/templates").mkdir()
    (root / "services/web/chart/printed.yaml").write_bytes(printed)
    (root / "services/web/chart/templates/all.yaml").write_text('{{ .Files.Get "printed.yaml" }}')
    return service(chart=chart("/services/web/chart")), tree


def run(argv: list[str]) -> bytes:
    done = subprocess.run(argv, capture_output=True, timeout=300, env={**os.environ, "PATH": ""}, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def lines(manifests: list[Manifest]) -> list[str]:
    return emit(manifests).decode().splitlines()


def without_nulls(value: Any) -> Any:
    """A merge keeps the null that JSON spells out, and drops the empty value that YAML has for it."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return [without_nulls(child) for child in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CHARTS)
def test_a_render_is_what_helm_prints(name: str, tmp_path: Path, helm4: str) -> None:
    made, tree = printing(name, tmp_path)
    place = str(tmp_path / "services/web/chart")
    argv = [helm4, "template", "web", place, "--namespace=web", "--kube-version=1.34.0", "--skip-tests"]
    printed = [one.value for one in load_manifests(run(argv))]
    assert len(printed) > 1
    for value in printed:
        if not value["metadata"].get("annotations", {"a": "b"}):
            del value["metadata"]["annotations"]  # as Kustomize leaves them
    ours = render(made, tree, Deadline(300)).manifests
    assert sorted(lines(ours)) == sorted(dump_json(value) for value in printed)
    assert ordered(ours) == ours


CHANGES: dict[str, Any] = {
    "patches": (
        patch(
            "spec: {revisionHistoryLimit: 3, template: {metadata: {labels: {patched: a}}}}",
            optional=True,
            kind="Deployment",
        ),
        patch(
            "metadata: {annotations: {patched: b}}",
            optional=True,
            kind="CustomResourceDefinition",
            name=".*s\\..*\\.io",
        ),
        patch(
            "[{op: add, path: /metadata/labels/patched, value: c}]",
            optional=True,
            kind="ServiceAccount|Service",
            labelSelector="app",
        ),
    ),
    "images": (
        image(".*/[a-z-]*controller", new_tag="9", optional=True),
        image("quay.io/.*", digest="sha256:aa", optional=True),
    ),
    "labels": (("team", "a"),),
    "annotations": (("note", "b"),),
}


@pytest.mark.parametrize("name", CHARTS)
def test_changed_it_is_what_kustomize_builds_and_what_expand_builds(
    name: str, tmp_path: Path, helm4: str, kustomize: str
) -> None:
    """Of the chart's output as JSON; and, once Kustomize has read both, of the chart itself."""
    made, tree = printing(name, tmp_path / "fleet")
    changed = made._replace(**CHANGES)
    ours = lines(render(changed, tree, Deadline(300)).manifests)
    for out, plain in (("rendered", True), ("chart", False)):
        for path, content in expand(changed, tree, Deadline(300), plain).files.items():
            (tmp_path / out / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / out / path).write_bytes(content)
    built = [kustomize, "build", "--enable-helm", "--helm-command", helm4]
    of_json = load_manifests(run([*built, str(tmp_path / "rendered")]))
    assert ours == [dump_json(one.value) for one in of_json]
    assert sum('"team":"a"' in line for line in ours) == len(ours)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "ours.yaml").write_text("\n---\n".join(ours))
    (tmp_path / "again" / "kustomization.yaml").write_text("resources: [ours.yaml]\n")
    of_chart, again = (load_manifests(run([*built, str(tmp_path / out)])) for out in ("chart", "again"))
    assert without_nulls([one.value for one in of_chart]) == without_nulls([one.value for one in again])
