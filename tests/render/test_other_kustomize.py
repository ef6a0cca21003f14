"""A Kustomize of another series sees every object: the rules by which objects pass it by are those of 5.8."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_expand import CHART

from cmp_plugin.goyaml.load import load_manifests
from cmp_plugin.render.kustomize.build import KNOWN
from cmp_plugin.render.manifest import emit
from cmp_plugin.render.render import render
from cmp_plugin.specs.defaults import KUSTOMIZE
from cmp_plugin.system.process import Deadline
from services import chart, lay_out, patch, service

# The real program under another number, which keeps what it is given to build.
SCRIPT = """#!/bin/sh
if [ "$1" = version ]; then echo v%s; exit; fi
/bin/cp "$3/objects.yaml" %s
exec %s "$@"
"""


def rendered(tmp_path: Path, version: str, kustomize: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, list[str]]:
    """The stream, and the kinds of the objects that Kustomize got."""
    script, seen = tmp_path / f"kustomize-{version}", tmp_path / f"seen-{version}"
    script.write_text(SCRIPT % (version, seen, kustomize))
    script.chmod(0o755)
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", str(script))
    made = service(
        chart=chart("/services/web/chart"),
        patches=(patch("spec: {replicas: 3}", kind="Deployment"),),
        labels=(("team", "a"),),
        annotations=(("note", "b"),),
        kustomize_range=">=5",
    )
    manifests = render(made, lay_out(tmp_path / "fleet", CHART), Deadline(120)).manifests
    return emit(manifests), [one.value["kind"] for one in load_manifests(seen.read_bytes())]


def test_what_another_series_gets(tmp_path: Path, kustomize: str, helm4: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path / "cache"))
    known, seen = rendered(tmp_path, "5.8.9", kustomize, monkeypatch)
    assert seen == ["Deployment"]
    objects = [json.loads(line) for line in known.splitlines()]
    assert [one["kind"] for one in objects] == ["CustomResourceDefinition", "ConfigMap", "Secret", "Deployment"]
    assert {one["metadata"]["labels"]["team"] for one in objects} == {"a"}
    assert objects[3]["spec"]["replicas"] == 3
    for version in ("5.7.1", "5.9.0", "6.0.0"):
        stream, seen = rendered(tmp_path, version, kustomize, monkeypatch)
        assert sorted(seen) == ["ConfigMap", "CustomResourceDefinition", "Deployment", "Secret"], version
        assert stream == known, version


def test_without_anything_to_do_none_is_looked_for(tmp_path: Path, helm4: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    monkeypatch.setenv("CMP_PLUGIN_KUSTOMIZE", str(tmp_path / "none"))
    made = service(chart=chart("/services/web/chart"), labels=(("team", "a"),))
    assert len(render(made, lay_out(tmp_path, CHART), Deadline(120)).manifests) == 4


def test_the_default_is_known() -> None:
    assert KUSTOMIZE == KNOWN
