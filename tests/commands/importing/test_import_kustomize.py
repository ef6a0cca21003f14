"""`import kustomize`: bases and overlays become a fleet that gives the same objects, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from program import run
from trees import copied, is_as_expected, lay_out, previewed, said, same, texts, tool

BASE = "resources: [map.yaml]\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n"
PAIRS = [
    *(("web", cluster) for cluster in ("dev", "staging", "prod")),
    *(("worker", cluster) for cluster in ("staging", "prod")),
    *(("gateway", cluster) for cluster in ("prod", "prod-eu")),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str]) -> Path:
    """The tree `shop` and, beside it, the fleet made of it."""
    root = tmp_path_factory.mktemp("import")
    copied("shop", root)
    done = run(["import", "kustomize", "shop", "fleet"], str(root), clean_env)
    assert said(done) == (
        0,
        (
            "gateway: equal on prod (1), prod-eu (1)\n"
            "web: equal on dev (3), prod (4), staging (3)\n"
            "worker: equal on prod (2), staging (2)\n"
        ),
        [
            "warning: gateway keeps its overlays as directories: it builds on another overlay, gateway/overlays/prod",
            "7 renders, 16 objects: every one is equal",
            "next: cd fleet && cmp-plugin preview prod",
        ],
    )
    return root


def test_the_fleet_is_readable(shop: Path, request: pytest.FixtureRequest) -> None:
    is_as_expected(shop / "fleet", "shop", request.config.getoption("--regenerate"))


@pytest.mark.parametrize(("service", "cluster"), PAIRS)
def test_it_gives_the_same(shop: Path, clean_env: dict[str, str], kustomize: str, service: str, cluster: str) -> None:
    """ImportRequest without our proof: kustomize on the source, preview on the fleet."""
    built = tool(kustomize, "build", str(shop / "shop" / service / "overlays" / cluster))
    wanted = [value for value in yaml.safe_load_all(built) if value]
    assert wanted and same(wanted, previewed(shop / "fleet", cluster, service, clean_env))


def test_it_validates(shop: Path, clean_env: dict[str, str]) -> None:
    assert run(["validate", "--render"], str(shop / "fleet"), clean_env).code == 0


def test_check_compares_again(shop: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    """What differs is told by object and field; what is in a Secret is not told."""
    words = ["import", "kustomize", str(shop / "shop"), str(tmp_path), "--check"]
    for path, text in texts(shop / "fleet").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert run(words, str(tmp_path), clean_env).code == 0
    (tmp_path / "clusters/prod/worker/queue-url.txt").write_text("amqp://s3cret\n")
    cluster = tmp_path / "clusters/prod/cluster.yaml"
    cluster.write_text(cluster.read_text().replace("value: 4", "value: 5"))
    before = texts(tmp_path)
    code, stdout, lines = said(run(words, str(tmp_path), clean_env))
    assert (code, stdout) == (1, "")
    assert (
        "web/overlays/prod/kustomization.yaml: prod/web: Deployment web/web: spec.replicas is 4 in the source, 5 in the fleet"
        in lines
    )
    assert "s3cret" not in "".join(lines) and "amqp" not in "".join(lines)
    # The hash of the Secret's content is in its name.
    assert any(
        line.startswith("worker/overlays/prod/kustomization.yaml: prod/worker: Secret worker/shop-queue-")
        for line in lines
    )
    assert lines[0] == f"5 of 7 renders are equal, {len(lines) - 1} findings: the others differ"
    assert texts(tmp_path) == before


# --- what cannot be expressed ---

AWKWARD = {
    "good/base/kustomization.yaml": BASE,
    "good/base/map.yaml": MAP,
    "good/overlays/prod/kustomization.yaml": "resources: [../../base]\nnamespace: good\n",
    "chart/overlays/prod/kustomization.yaml": "helmCharts:\n  - {name: redis, repo: https://charts.example.com, version: 1.0.0}\n",
    "remote/overlays/dev/kustomization.yaml": "resources: ['https://git.example.com/base?ref=v1']\n",
    "missing/overlays/prod/kustomization.yaml": "resources: [nothing.yaml]\n",
    "twice/overlays/prod/kustomization.yaml": "resources: [../Prod]\n",
    "unknown/overlays/prod/kustomization.yaml": "resuorces: [a.yaml]\n",
    "twice/overlays/Prod/kustomization.yaml": "resources: [map.yaml]\n",
    "twice/overlays/Prod/map.yaml": MAP,
}
LISTED = [
    (
        "chart/overlays/prod/kustomization.yaml:1:1: prod/chart: helmCharts has no meaning here"
        " (give the service a chart, or another service)"
    ),
    "missing/overlays/prod/kustomization.yaml:1:13: prod/missing: missing/overlays/prod/nothing.yaml does not exist",
    (
        'remote/overlays/dev/kustomization.yaml:1:13: dev/remote: "https://git.example.com/base?ref=v1" is on another machine:'
        " a render reads this repository only (copy it into the repository and name it by its path)"
    ),
    "twice/overlays/prod: prod/twice: another overlay is for the cluster prod, too",
    (
        'unknown/overlays/prod/kustomization.yaml:1:1: prod/unknown: unknown key "resuorces" in a kustomization'
        ' (did you mean "resources"?)'
    ),
]


def test_what_cannot_be_expressed_is_listed(tmp_path: Path, clean_env: dict[str, str]) -> None:
    lay_out(tmp_path / "tree", AWKWARD)
    code, stdout, lines = said(run(["import", "kustomize", "tree", "fleet"], str(tmp_path), clean_env))
    assert (code, stdout) == (1, "")
    assert lines[1:] == LISTED
    assert (
        lines[0]
        == "2 of 2 renders are equal, 5 findings: nothing is written (--keep-going writes the fleet all the same)"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_keep_going_writes_the_rest(tmp_path: Path, clean_env: dict[str, str]) -> None:
    lay_out(tmp_path / "tree", AWKWARD)
    done = run(["import", "kustomize", "tree", "fleet", "--keep-going"], str(tmp_path), clean_env)
    assert said(done)[:2] == (1, "")
    assert said(done)[2][1:] == LISTED
    assert said(done)[2][0] == "2 of 2 renders are equal, 5 findings: the fleet is in fleet; `--check` compares again"
    assert run(["validate"], str(tmp_path / "fleet"), clean_env).code == 0


def test_keep_going_with_nothing_left(tmp_path: Path, clean_env: dict[str, str]) -> None:
    lay_out(tmp_path / "tree", {"web/overlays/prod/kustomization.yaml": "helmCharts: [{name: redis}]\n"})
    code, stdout, lines = said(run(["import", "kustomize", "tree", "fleet", "--keep-going"], str(tmp_path), clean_env))
    assert (code, stdout) == (1, "")
    assert lines[0] == "nothing is left to write a fleet of"
    assert len(lines) == 2


def test_the_fleet_is_no_part_of_the_source(shop: Path, clean_env: dict[str, str]) -> None:
    """Its own directories would be taken for overlays the next time."""
    done = run(["import", "kustomize", "shop", "shop/fleet"], str(shop), clean_env)
    assert done.code == 2
    assert (
        done.stderr
        == b"shop/fleet lies in the source, and would be a part of it from then on (name a directory outside)\n"
    )


def test_nothing_leaves_the_source(tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "secret.yaml").write_text("s3cret")
    lay_out(tmp_path / "tree", {"web/overlays/prod/kustomization.yaml": "resources: [secret.yaml]\n"})
    (tmp_path / "tree/web/overlays/prod/secret.yaml").symlink_to(tmp_path / "secret.yaml")
    code, stdout, lines = said(run(["import", "kustomize", "tree", "fleet"], str(tmp_path), clean_env))
    assert (code, stdout) == (1, "")
    assert "web/overlays/prod/secret.yaml is a link that leads out of the allowed directories" in lines[-1]
    assert "s3cret" not in "".join(lines)


def test_there_is_nothing_to_import(tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "tree").mkdir()
    code, _, lines = said(run(["import", "kustomize", "tree", "fleet"], str(tmp_path), clean_env))
    assert code == 1
    assert lines[0].startswith(
        "there is no overlay in the source (an overlay is a kustomization in one of overlays/<environment>, "
    )


# --- layouts ---

LAYOUTS = {
    "at the top": (
        {
            "base/kustomization.yaml": BASE,
            "base/map.yaml": MAP,
            "overlays/prod/kustomization.yaml": "resources: [../../base]\n",
        },
        {"services/tree/base/map.yaml", "clusters/prod/cluster.yaml"},
    ),
    "by environment, then by app": (
        {
            "base/web/kustomization.yaml": BASE,
            "base/web/map.yaml": MAP,
            "overlays/prod/web/kustomization.yaml": "resources: [../../../base/web]\nnamePrefix: prod-\n",
        },
        {"services/web/base/web/map.yaml"},
    ),
    "one name twice": (
        {
            "a/web/base/kustomization.yaml": BASE,
            "a/web/base/map.yaml": MAP,
            "a/web/overlays/prod/kustomization.yaml": "resources: [../../base]\n",
            "b/web/overlays/prod/kustomization.yaml": "resources: [map.yaml]\nnamespace: b\n",
            "b/web/overlays/prod/map.yaml": MAP,
        },
        {"services/a-web/base/map.yaml", "clusters/prod/b-web/map.yaml", "services/b-web/service.yaml"},
    ),
    "a base that apps share": (
        {
            "shared/kustomization.yaml": BASE,
            "shared/map.yaml": MAP,
            "web/overlays/prod/kustomization.yaml": "resources: [../../../shared]\nnamePrefix: web-\n",
            "api/overlays/prod/kustomization.yaml": "resources: [../../../shared]\nnamePrefix: api-\n",
        },
        {"tree/shared/map.yaml", "tree/web/overlays/prod/kustomization.yaml"},
    ),
    "a patch that hits nothing, which kustomize allows": (
        {
            "web/base/kustomization.yaml": BASE,
            "web/base/map.yaml": MAP,
            "web/overlays/prod/kustomization.yaml": "resources: [../../base]\npatches:\n"
            '  - target: {kind: Deployment}\n    patch: \'[{"op": "add", "path": "/spec/replicas", "value": 3}]\'\n',
        },
        {"services/web/overlays/prod/kustomization.yaml"},
    ),
    "texts that look like references": (
        {
            "web/overlays/prod/kustomization.yaml": "resources: [map.yaml]\nlabels: [{pairs: {a: '${cluster.name}'}, includeTemplates: true}]\n"
            "configMapGenerator:\n  - {name: made, literals: ['x=${vars.y}', 'port=1.10']}\n",
            "web/overlays/prod/map.yaml": MAP,
        },
        {"clusters/prod/web/map.yaml"},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path: Path, clean_env: dict[str, str], layout: str) -> None:
    files, made = LAYOUTS[layout]
    lay_out(tmp_path / "tree", files)
    done = run(["import", "kustomize", "tree", "fleet"], str(tmp_path), clean_env)
    assert done.code == 0, done.stderr.decode()
    assert made <= set(texts(tmp_path / "fleet"))
    assert run(["validate", "--render"], str(tmp_path / "fleet"), clean_env).code == 0
