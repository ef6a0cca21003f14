"""ApplicationSets in a source: the Applications that Argo CD makes of them, in the manner of gitops-bridge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleets import chart as chart_files
from packing import index, package
from program import run
from serving import Repository
from trees import copied, is_as_expected, lay_out, previewed, said, texts

from cmp_plugin.charts.obtain import FetchContext
from cmp_plugin.commands.importing.application_files import Found
from cmp_plugin.commands.importing.applicationsets import applications_of
from cmp_plugin.commands.importing.conversion import ImportRequest, draft
from cmp_plugin.commands.importing.generators import ClusterSecret, at_path, cluster_secret, matches, selects
from cmp_plugin.commands.importing.variants import place_variants
from cmp_plugin.errors import CmpError, Location
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline

PUBLIC = "https://charts.example.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, helm4: str) -> Iterator[Repository]:
    """The chart `small`, which prints its values, in 1.0.0 and 1.2.0, by HTTP."""
    root = tmp_path_factory.mktemp("charts")
    packed = root / "packed"
    packed.mkdir()
    for version in ("1.0.0", "1.2.0"):
        manifest = f"apiVersion: v2\nname: small\nversion: {version}\n"
        lay_out(root, chart_files(f"{version}/small", **{"Chart.yaml": manifest}))
        package(helm4, root / version / "small", packed)
    index(helm4, packed)
    with Repository(str(packed)) as repository:
        yield repository


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str], served: Repository) -> Path:
    """The tree `bridge`, its charts served here; beside it the fleet made of it."""
    root = tmp_path_factory.mktemp("import")
    for path in copied("bridge", root).rglob("*.yaml"):
        path.write_text(path.read_text().replace(PUBLIC, served.url))
    done = run(["import", "applications", "bridge", "fleet"], str(root), clean_env)
    assert said(done) == (
        0,
        (
            "addon-small: equal on dev-1 (1), prod-1 (1), prod-2 (1)\n"
            "blue: equal on prod-1 (1), prod-2 (1)\n"
            "green: equal on prod-1 (1), prod-2 (1)\n"
        ),
        ["7 renders, 7 objects: every one is equal", "next: cd fleet && cmp-plugin preview dev-1"],
    )
    return root


def test_the_fleet_is_readable(
    bridge: Path, served: Repository, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for path, text in texts(bridge / "fleet").items():
        assert "s3cret" not in text
        lay_out(tmp_path, {path: text.replace(served.url, PUBLIC)})
    is_as_expected(tmp_path, "bridge", request.config.getoption("--regenerate"))


@pytest.mark.parametrize(
    ("cluster", "values"),
    [
        ("dev-1", {"region": "europe-west1", "map": {"a": "chart", "size": "small"}}),
        ("prod-1", {"region": "europe-west1", "map": {"a": "chart", "size": "large"}}),
        ("prod-2", {"region": "europe-west2", "map": {"a": "chart", "size": "large", "disk": "slow"}}),
    ],
)
def test_layers_of_values(bridge: Path, clean_env: dict[str, str], cluster: str, values: dict[str, Any]) -> None:
    """Worked out by hand from the files: for all, for the environment, for the cluster, from its annotations."""
    (shown,) = previewed(bridge / "fleet", cluster, "addon-small", clean_env)
    assert json.loads(shown["data"]["values"]) == {"list": ["chart"], **values}


def test_a_new_cluster_gets_its_environment(bridge: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    """What was a layer of files is one still: a label is enough."""
    for path, text in texts(bridge / "fleet").items():
        lay_out(tmp_path, {path: text})
    cluster = (
        "apiVersion: cmp-plugin/v1alpha1\nkind: Cluster\nlabels: {environment: prod}\ndestination: {name: prod-3}\n"
    )
    lay_out(tmp_path, {"clusters/prod-3/cluster.yaml": cluster + "services: {addon-small: }\n"})
    (shown,) = previewed(tmp_path, "prod-3", "addon-small", clean_env)
    assert json.loads(shown["data"]["values"])["map"]["size"] == "large"


# --- generators ---

CLUSTERS = [
    ClusterSecret("a", "https://a", {"env": "dev"}, {"team": "x"}),
    ClusterSecret("b.eu", "https://b", {"env": "prod", "example.com/zone": "1"}, {}),
]


@pytest.fixture
def asked(tmp_path: Path, helm4: str, monkeypatch: pytest.MonkeyPatch) -> ImportRequest:
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    tree = lay_out(tmp_path / "tree", {f"apps/{name}/x.yaml": "" for name in ("one", "two", ".three")})
    files = FileTree(str(tree.resolve()), ("/",))
    (tmp_path / "work").mkdir()
    return ImportRequest(files, "/", "tree", FetchContext(files, (), "~4.3", str(tmp_path / "work"), Deadline(60)))


def names(asked: ImportRequest, generators: list[Any], name: str, **spec: Any) -> list[str]:
    """The names that an ApplicationSet gives."""
    value = {"generators": generators, "template": {"metadata": {"name": name}, "spec": {"project": "x"}}, **spec}
    found = Found({"apiVersion": "argoproj.io/v1alpha1", "metadata": {"name": "s"}, "spec": value}, Location("s.yaml"))
    return [one.value["metadata"]["name"] for one in applications_of(found, CLUSTERS, asked)]


GIT: dict[str, Any] = {"git": {"directories": [{"path": "apps/*"}]}}
PROD: dict[str, Any] = {"clusters": {"selector": {"matchLabels": {"env": "prod"}}, "values": {"from": "{{name}}"}}}
CASES: dict[str, tuple[list[Any], str, list[str]]] = {
    "a list": ([{"list": {"elements": [{"x": "1"}, {"x": 2}]}}], "{{x}}-{{ y }}", ["1-{{ y }}", "2-{{ y }}"]),
    "all clusters, and the one that Argo CD runs on": ([{"clusters": {}}], "{{name}}", ["a", "b.eu", "in-cluster"]),
    "some clusters": ([PROD], "{{nameNormalized}}-{{values.from}}", ["b.eu-b.eu"]),
    "labels with dots": ([PROD], "{{metadata.labels.example.com/zone}}", ["1"]),
    "directories": ([GIT], "{{path.basename}}-{{path[0]}}-{{path}}", ["one-apps-apps/one", "two-apps-apps/two"]),
    "every with every": (
        [{"matrix": {"generators": [GIT, PROD]}}],
        "{{path.basename}}-{{name}}",
        ["one-b.eu", "two-b.eu"],
    ),
    "one over another": (
        [
            {
                "merge": {
                    "mergeKeys": ["name"],
                    "generators": [
                        {
                            "clusters": {
                                "selector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]},
                                "values": {"v": "1"},
                            }
                        },
                        {"list": {"elements": [{"name": "a", "values": {"v": "2"}}]}},
                    ],
                }
            }
        ],
        "{{name}}-{{values.v}}",
        ["a-2", "b.eu-1"],
    ),
    "one after the other": (
        [{"list": {"elements": [{"x": "1"}]}}, {"list": {"elements": [{"x": "2"}]}}],
        "{{x}}",
        ["1", "2"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_generators(asked: ImportRequest, case: str) -> None:
    generators, template, wanted = CASES[case]
    assert names(asked, generators, template) == wanted


@pytest.mark.parametrize(
    ("generators", "template", "wanted"),
    [
        (
            [{"clusters": {}}],
            '{{ .name | replace "." "-" }}{{ if eq .name "a" }}!{{ end }}',
            ["a!", "b-eu", "in-cluster"],
        ),
        (
            [GIT],
            '{{ index .path.segments 1 | upper }} "{{ .path.path }}"\n  x',
            ['ONE "apps/one"\n  x', 'TWO "apps/two"\n  x'],
        ),
        (
            [{"clusters": {"selector": {"matchLabels": {"env": "dev"}}, "values": {"v": '{{ printf "%s!" .name }}'}}}],
            "{{ .values.v }}",
            ["a!"],
        ),
    ],
)
def test_go_templates(asked: ImportRequest, generators: list[Any], template: str, wanted: list[str]) -> None:
    assert names(asked, generators, template, goTemplate=True) == wanted


@pytest.mark.parametrize(
    ("generators", "spec", "error"),
    [
        ([{"pullRequest": {}}], {}, "the generator pullRequest is not imported"),
        ([{"list": {}, "selector": {"matchLabels": {}}}], {}, "the generator selector is not imported"),
        ([{"git": {"files": [{"path": "x"}]}}], {}, "the generator git is imported for directories only"),
        ([{"matrix": {"generators": [GIT]}}], {}, "the generator matrix needs two generators"),
        ([{"list": {"elements": []}}], {}, "it makes no Application of the files and clusters at hand"),
        ([GIT], {"templatePatch": "x"}, "spec.templatePatch is not imported"),
        (
            [GIT],
            {"goTemplate": True, "template": {"metadata": {"name": "{{ .x | nothing }}"}, "spec": {}}},
            "its template is not understood",
        ),
        (
            [{"matrix": {"generators": [{"list": {"elements": [{}] * 200}}, {"list": {"elements": [{}] * 200}}]}}],
            {},
            "more than 10000",
        ),
        (["x"], {}, "it has a generator that is no map"),
    ],
)
def test_what_is_not_understood(asked: ImportRequest, generators: list[Any], spec: dict[str, Any], error: str) -> None:
    with pytest.raises(CmpError, match=error):
        names(asked, generators, "x", **spec)


def test_parameters_by_path() -> None:
    known = {"a": {"b.c": {"d": 1}}, "path": {"path": "x/y", "segments": ["x", "y"]}}
    assert [at_path(known, path) for path in ("a.b.c.d", "path", "path[1]", "path[2]", "a.x", "a.b.c.d.e")] == [
        1,
        "x/y",
        "y",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("a/b", "a/*", True),
        ("a/b/c", "a/*", False),
        ("a", "a/*", False),
        ("a/b", "./a/b/", True),
        ("a/bc", "a/b?", True),
    ],
)
def test_patterns(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, [pattern]) is fits


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "env", "operator": "In", "values": ["dev", "prod"]}, True),
        ({"key": "env", "operator": "NotIn", "values": ["prod"]}, False),
        ({"key": "zone", "operator": "NotIn", "values": ["1"]}, True),
        ({"key": "zone", "operator": "Exists"}, False),
        ({"key": "zone", "operator": "DoesNotExist"}, True),
        ({"key": "env", "operator": "Gt", "values": ["1"]}, False),
    ],
)
def test_selectors(expression: dict[str, Any], holds: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"env": "prod"}) is holds


def test_only_name_and_address_of_a_secret_are_read() -> None:
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    value = {
        "kind": "Secret",
        "metadata": {"name": "s", "labels": labels},
        "data": {"name": "YQ==", "server": "aHR0cHM6Ly9h", "config": "eA=="},
    }
    assert cluster_secret(value) == ClusterSecret("a", "https://a", labels, {})
    assert cluster_secret({**value, "data": {"name": "not base64"}}) == ClusterSecret("s", "", labels, {})
    assert cluster_secret({**value, "metadata": {"name": "s"}}) is None


# --- variants ---


def test_what_a_label_says_for_several() -> None:
    made = draft()
    made.services["s"] = {}
    for name, env, block in [
        ("a", "prod", {"version": "1", "values": {"x": 1, "y": 1}}),
        ("b", "prod", {"version": "1", "values": {"x": 1, "y": 2}}),
        ("c", "dev", {"values": {"x": 3}}),
    ]:
        made.clusters[name] = {"labels": {"env": env, "name": name}, "services": {"s": block}}
    place_variants(made, "s", [(name, "s") for name in "abc"])
    assert made.services["s"]["variants"] == {"prod": {"when": {"env": "prod"}, "version": "1", "values": {"x": 1}}}
    assert [made.block(name, "s") for name in "abc"] == [
        {"values": {"y": 1}},
        {"values": {"y": 2}},
        {"values": {"x": 3}},
    ]


def test_values_above_a_cluster_s_files_stay_above() -> None:
    made = draft()
    made.services["s"] = {}
    for name, files in (("a", ["/services/s/values/prod.yaml", "own.yaml"]), ("b", ["/services/s/values/prod.yaml"])):
        block = {"valuesFiles": files, "values": {"x": 1}}
        made.clusters[name] = {"labels": {"env": "prod"}, "services": {"s": block}}
    made.clusters["c"] = {"labels": {"env": "dev"}, "services": {"s": {}}}
    place_variants(made, "s", [(name, "s") for name in "abc"])
    assert made.services["s"]["variants"] == {"prod": {"when": {"env": "prod"}, "valuesFiles": ["values/prod.yaml"]}}
    assert [made.block(name, "s") for name in "ab"] == [
        {"valuesFiles": ["own.yaml"], "values": {"x": 1}},
        {"values": {"x": 1}},
    ]
