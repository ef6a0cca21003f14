"""Which services' directories a render reads: with only these there, it gives the same bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fleets import chart, request, resolved, write
from program import run

from cmp_plugin.argocd.source_paths import services_read
from cmp_plugin.errors import CmpError

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: b}\n"
LIBRARY = "apiVersion: v2\nname: lib\nversion: 1.0.0\n"
ON_CLUSTER = "destination: {name: c}\nlabels: {env: prod}\nprofiles: [p]\nvars: {part: two}\nservices: {web: %s}\n"
COMMON = {
    "fleet.yaml": "kubernetes: {version: '1.34'}\nrepoURL: https://git.example.com/f.git\n",
    "profiles/p.yaml": "",
    "clusters/c/cluster.yaml": ON_CLUSTER % "",
    "services/web/service.yaml": "resources: [m.yaml]\n",
    "services/web/m.yaml": MAP.replace("NAME", "web"),
    **{
        f"services/{name}/{file}": text
        for name in ("one", "two", "unused")
        for file, text in {"kustomization.yaml": "resources: [m.yaml]\n", "m.yaml": MAP.replace("NAME", name)}.items()
    },
}

# name -> files besides the common ones, links, and the directories that are read besides services/web
READS: dict[str, tuple[dict[str, str], dict[str, str], set[str]]] = {
    "a file and a directory": (
        {"services/web/service.yaml": "resources: [m.yaml, ../one/m.yaml, /services/two]\n"},
        {},
        {"one", "two"},
    ),
    "in a variant, by the name of a var": (
        {
            "services/web/service.yaml": "resources: [m.yaml]\nvariants:\n"
            "  a: {when: {env: prod}, resources: ['../${vars.part}']}\n  b: {when: {env: dev}, resources: [../one]}\n"
        },
        {},
        {"two"},
    ),
    "named by a profile": ({"profiles/p.yaml": "services: {web: {resources: [../services/one]}}\n"}, {}, {"one"}),
    "named by the cluster's values files": (
        {
            "services/web/service.yaml": "namespace: web\nchart: {path: chart}\n",
            "clusters/c/cluster.yaml": ON_CLUSTER % "{valuesFiles: [/services/one/v.yaml, '/services/two/none.yaml?']}",
            "services/one/v.yaml": "map: {b: one}\n",
            **chart("services/web/chart"),
        },
        {},
        {"one", "two"},
    ),
    "a base of a base": (
        {
            "services/web/service.yaml": "",
            "services/web/kustomization.yaml": "resources: [m.yaml, ../one]\n",
            "services/one/kustomization.yaml": "resources: [m.yaml]\ncomponents: [../two]\n",
            "services/two/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            "resources: [m.yaml]\n",
        },
        {},
        {"one", "two"},
    ),
    "in the fragment": ({"services/web/service.yaml": "kustomize: {resources: [m.yaml, ../one]}\n"}, {}, {"one"}),
    "a patch": (
        {
            "services/web/service.yaml": "resources: [m.yaml]\n"
            "patches: {p: {target: {kind: ConfigMap}, path: ../one/patch.yaml}}\n",
            "services/one/patch.yaml": "data: {c: d}\n",
        },
        {},
        {"one"},
    ),
    "a chart of a chart": (
        {
            "services/web/service.yaml": "namespace: web\nchart: {path: chart}\n",
            **chart("services/web/chart"),
            "services/web/chart/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n"
            "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../../one'}]\n",
            "services/one/Chart.yaml": LIBRARY
            + "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../two'}]\n",
            "services/one/templates/m.yaml": MAP.replace("NAME", "lib-one"),
            "services/two/Chart.yaml": LIBRARY,
            "services/two/templates/m.yaml": MAP.replace("NAME", "lib-two"),
        },
        {},
        {"one", "two"},
    ),
    "a link inside of what is named anyway": (
        {"services/web/service.yaml": "resources: [m.yaml, ../one, more]\n"},
        {"services/web/more": "../one/sub"},
        {"one"},
    ),
}
SUB = {
    "services/one/sub/kustomization.yaml": "resources: [s.yaml]\n",
    "services/one/sub/s.yaml": MAP.replace("NAME", "sub"),
}


def fleet(root: Path, files: dict[str, str], links: dict[str, str]) -> Path:
    write(root, {**COMMON, **SUB, **files})
    for place, target in links.items():
        (root / place).symlink_to(target)
    return root


def read(root: Path) -> list[str]:
    return services_read(request(root), resolved(root).service)


def rendered(root: Path, clean_env: dict[str, str]) -> bytes:
    """What Argo CD gets from the form that names the cluster's directory."""
    named = json.dumps([{"name": "cluster", "string": "c"}, {"name": "service", "string": "web"}])
    done = run(["generate"], str(root / "clusters/c"), clean_env | {"ARGOCD_APP_PARAMETERS": named})
    assert (done.code, done.stderr) == (0, b"")
    return done.stdout


@pytest.mark.parametrize("name", READS)
def test_nothing_else_is_read(name: str, tmp_path: Path, clean_env: dict[str, str]) -> None:
    files, links, wanted = READS[name]
    root = fleet(tmp_path / "fleet", files, links)
    assert read(root) == sorted(f"/services/{each}" for each in {"web", *wanted})
    whole = rendered(root, clean_env)
    for each in {"one", "two", "unused"} - wanted:
        shutil.rmtree(root / "services" / each)
    assert rendered(root, clean_env) == whole


@pytest.mark.parametrize("place", ["services/web/link", "profiles/link", "clusters/c/link"])
def test_a_link_to_another_service_leaves_it_open(place: str, tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", {}, {place: "../" * place.count("/") + "services/unused"})
    with pytest.raises(CmpError, match="is a link that leads out"):
        read(root)


def test_a_base_on_another_machine_leaves_it_open(tmp_path: Path) -> None:
    commit = "0" * 40
    files = {"services/web/service.yaml": f"resources: [m.yaml, 'https://git.example.com/b.git//x?ref={commit}']\n"}
    with pytest.raises(CmpError, match="on another machine"):
        read(fleet(tmp_path / "fleet", files, {}))


def test_a_mirror_in_the_fleet_is_read(tmp_path: Path) -> None:
    files = {"fleet.yaml": COMMON["fleet.yaml"] + "mirrors: {'https://charts.example.com': services/one/mirror}\n"}
    assert read(fleet(tmp_path / "fleet", files, {})) == ["/services/one", "/services/web"]
