"""Where values come from: on small fleets by table, and on the reference fleet against what is resolved."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fleets import chart, request, resolved, write
from program import CHECKOUT, run

from cmp_plugin.argocd.applications import Origin, cluster_applications
from cmp_plugin.charts.contents import ChartFiles, chart_files
from cmp_plugin.commands.explain.cluster import named_by, profiles
from cmp_plugin.commands.explain.defaults import assumed
from cmp_plugin.commands.explain.model import Explained
from cmp_plugin.commands.explain.settings import ORDER, Explanation, cluster_facts
from cmp_plugin.commands.explain.trails import Statement
from cmp_plugin.errors import CmpError, Location
from cmp_plugin.fleet.block import leaves
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import plan
from cmp_plugin.fleet.resolve import resolve
from cmp_plugin.fleet.value_path import parsed, written
from cmp_plugin.goyaml.load import node, plain
from cmp_plugin.render.render import render
from cmp_plugin.specs.check import known_keys
from cmp_plugin.system.process import Deadline

CLUSTER = "labels: {env: prod}\nkubernetes: {version: '1.34'}\nprofiles: [p]\n"
FILES = {
    "fleet.yaml": "vars: {domain: example.com, deep: 'd.${vars.domain}'}\ndefaults: {metadata: {labels: {team: x}}}\n",
    "profiles/p.yaml": "labels: {tier: gold}\nservices:\n  web: {valuesFiles: [values/web.yaml]}\n",
    "profiles/values/web.yaml": "size: 2\nhost: ${vars.domain}\n",
    "services/web/service.yaml": """\
        namespace: web
        chart: {path: chart}
        values:
          size: 1
          url: https://${vars.deep}/${service.namespace}
          list+: [own]
          map: {a: null}
          free: {x: 1, b: 2}
        patches: {p: {target: {kind: Pod}, patch: {spec: {a: 1}}}}
        variants:
          prod: {when: {env: prod}, values: {tier: "${cluster.labels.tier}"}}
          dev: {when: {env: [dev, test]}, values: {size: 9}}
          none: {when: {gpu: "!x", env: dev}, values: {size: 8}}
        """,
    "clusters/c/cluster.yaml": CLUSTER
    + "services:\n  web:\n    values: {size: 3, free: {x: null}}\n    patches: {p: null}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path, FILES | chart("services/web/chart"))


def explanation(root: Path, cluster: str = "c", key: str = "web") -> Explanation:
    asked = request(root, cluster, key)
    try:
        resolved = resolve(asked)
    except CmpError:
        resolved = None
    found = chart_files(resolved.service, asked.tree) if resolved and resolved.service.chart else None
    assert found is None or isinstance(found, ChartFiles)
    return Explanation(open_cluster(open_fleet(str(root)), cluster), asked, found)


def told(one: Explained, made: Explanation) -> str:
    """`value | who made it | over whom | (what is referred to)`, each with its line."""

    def word(said: Statement) -> str:
        value = "" if said.does == "removes" else f" {json.dumps(made.explainer.said_value(said))}"
        return f"{said.layer}:{said.node.at.line} {said.does}{value}"

    parts = [
        json.dumps(one.value),
        "; ".join(map(word, one.trail.effective)),
        "; ".join(map(word, one.trail.overridden)),
    ]
    reads = [
        f"{read.name}={read.value}@{read.trail.effective[0].layer if read.trail.effective else ''}"
        for read in one.reads
    ]
    return " | ".join([*parts, *reads])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "values.size",
            "3 | cluster c:8 sets 3 | profile p:1 sets 2; service web:6 sets 1",
        ),
        ("size", "3 | cluster c:8 sets 3 | profile p:1 sets 2; service web:6 sets 1"),
        # A values file knows no references.
        ("host", '"${vars.domain}" | profile p:2 sets "${vars.domain}" | '),
        (
            "url",
            (
                '"https://d.example.com/web" | service web:7 sets "https://d.example.com/web" | '
                " | service.namespace=web@service web | vars.deep=d.example.com@fleet | vars.domain=example.com@fleet"
            ),
        ),
        ("tier", '"gold" | service web, variant prod:13 sets "gold" |  | cluster.labels.tier=gold@profile p'),
        ("values.list", '["chart", "own"] | service web:8 appends ["own"]; chart small 1.0.0:1 sets ["chart"] | '),
        ("list[0]", '"chart" | chart small 1.0.0:1 sets "chart" | '),
        ("list[1]", '"own" | service web:8 sets "own" | '),
        ("map.a", 'null | service web:9 removes | chart small 1.0.0:2 sets "chart"'),
        ("free.x", "null | cluster c:8 removes | service web:10 sets 1"),
        ("patches.p", 'null | cluster c:9 removes | service web:11 sets {"spec": {"a": 1}}; service web:11 sets "Pod"'),
        ("chart.path", '"/services/web/chart" | service web:4 sets "/services/web/chart" | '),
        ("metadata.labels.team", '"x" | fleet, defaults:4 sets "x" | '),
        ("vars.domain", '"example.com" | fleet:3 sets "example.com" | '),
        ("releaseName", '"web" | default:0 sets "web" | '),
        ("enabled", "true | default:0 sets true | "),
        ("application.revisionHistoryLimit", "3 | default:0 sets 3 | "),
    ],
)
def test_a_value(root: Path, path: str, expected: str) -> None:
    made = explanation(root)
    (one,) = made.at(parsed(path))
    assert told(one, made) == expected


def test_variants_say_why(root: Path) -> None:
    found = {one.name: one for one in explanation(root).variants}
    assert {name: one.applies for name, one in found.items()} == {"prod": True, "dev": False, "none": False}
    (env,) = found["dev"].conditions
    assert (env.wanted, env.actual, env.holds) == (("dev", "test"), "prod", False)
    assert str(env.trail.effective[0].node.at) == "clusters/c/cluster.yaml:3:15"
    gpu, env = found["none"].conditions
    assert (gpu.actual, gpu.holds, gpu.trail.effective, env.holds) == (None, True, (), False)


def test_what_variants_would_say(root: Path) -> None:
    (one,) = explanation(root).at(("values", "size"))
    assert [(each.variant.name, plain(each.said.node)) for each in one.unmatched] == [("dev", 9), ("none", 8)]


def test_a_map_is_everything_below_it(root: Path) -> None:
    found = explanation(root).at(("values", "map"))
    assert [(written(one.path), one.state) for one in found] == [("values.map.a", "removed")]
    found = explanation(root).at(("free",))
    assert [(written(one.path), one.state) for one in found] == [("values.free.x", "removed"), ("values.free.b", "set")]


def test_the_overview_has_what_layers_say_and_not_more(root: Path) -> None:
    found = [written(one.path) for one in explanation(root).overview()]
    assert found[:2] == ["namespace", "chart"]
    assert {"values.size", "values.list", "values.map.a", "patches.p", "metadata.labels.team"} <= set(found)
    assert not {"values.map", "vars.domain", "enabled", "application.name"} & set(found)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("values.sise", 'c/web has no value "values.sise" (did you mean "values.size"?)'),
        ("free.z.deeper", 'c/web has no value "free.z.deeper"'),
        ("list[7]", 'services/web/service.yaml:8:10: c/web has no value "values.list[7]" (the list has 2 items)'),
        ("size.x", 'clusters/c/cluster.yaml:8:20: c/web has no value "values.size.x"'),
        ("qqqq", 'c/web has no value "qqqq"'),
        ("Deployment", 'c/web has no value "Deployment" (an object is written Kind/name)'),
        ("qqqq/zzzz", 'c/web has no value "qqqq/zzzz" (an object is written Kind/name)'),
    ],
)
def test_a_path_to_nothing(root: Path, path: str, error: str) -> None:
    with pytest.raises(CmpError) as caught:
        explanation(root).at(parsed(path))
    assert str(caught.value) == error


def test_a_path_into_what_a_var_holds(tmp_path: Path) -> None:
    """A value that is one reference has the var's type, and the var's places inside."""
    files = FILES | {
        "fleet.yaml": "vars:\n  nodes:\n  - {name: a, effect: x}\n",
        "profiles/p.yaml": "",
        "services/web/service.yaml": "namespace: web\nchart: {path: chart}\nvalues: {tolerations: '${vars.nodes}'}\n",
        "clusters/c/cluster.yaml": CLUSTER + "services: {web: }\n",
    }
    made = explanation(write(tmp_path, files | chart("services/web/chart")))
    for path in ("tolerations[0].effect", "values.tolerations[a].effect"):
        (one,) = made.at(parsed(path))
        assert (written(one.path), one.value) == ("values.tolerations[0].effect", "x")
        assert str(one.trail.effective[0].node.at) == "services/web/service.yaml:5:23"
        assert [(read.name, read.trail.effective[0].layer) for read in one.reads] == [("vars.nodes", "fleet")]


def test_vars_of_the_service_win_and_hide(tmp_path: Path) -> None:
    files = FILES | {
        "services/web/service.yaml": "resources: [x.yaml]\nvars: {domain: own.example, gone: x}\n",
        "services/web/x.yaml": "",
        "profiles/p.yaml": "services: {web: {metadata: {labels: {d: '${vars.domain}'}}}}\n",
        "clusters/c/cluster.yaml": CLUSTER
        + "services: {web: {vars: {gone: null}, metadata: {labels: {x: '${vars.nope}'}}}}\n",
    }
    made = explanation(write(tmp_path, files))
    (one,) = made.at(("vars", "domain"))
    assert told(one, made) == '"own.example" | service web:4 sets "own.example" | fleet:3 sets "example.com"'
    (one,) = made.at(("metadata", "labels", "d"))
    assert (one.value, one.reads[0].trail.effective[0].layer) == ("own.example", "service web")
    # What cannot be worked out is shown as it is written, and why.
    (one,) = made.at(("metadata", "labels", "x"))
    assert (one.value, one.problem) == (
        "${vars.nope}",
        'clusters/c/cluster.yaml:6:61: c/web: ${vars.nope} is not known here (did you mean "vars.deep"?)',
    )
    with pytest.raises(CmpError):
        made.at(("vars", "gone"))


DEFAULTS = """\
list: [chart]
map: {a: chart, b: {c: chart}}
text: chart
none: null
empty: {}
"""


@pytest.mark.parametrize(
    "values",
    [
        "{}",
        "{map: {a: own}}",
        "{map: null}",
        "{map: {a: null}}",
        "{map: {b: null}, text: null}",
        "{map: {}}",
        "{none: own, empty: {x: 1}}",
        "{list+: [own]}",
        "{list: null}",
        "{list: []}",
        "{new: {deep: {er: 1}}, map: {b: {d: own}}}",
        "{text: {a: own}}",
        "{unknown: null}",
    ],
)
def test_it_is_what_helm_computes(tmp_path: Path, values: str, helm4: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nulls, empty maps and lists that grow, against the values that the chart's templates see."""
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)
    files = FILES | {
        "services/web/service.yaml": f"namespace: web\nchart: {{path: chart}}\nvalues: {values}\n",
        "profiles/p.yaml": "",
        "clusters/c/cluster.yaml": CLUSTER + "services: {web: }\n",
    }
    root = write(tmp_path, files | chart("services/web/chart", **{"values.yaml": DEFAULTS}))
    made = explanation(root)
    (printed,) = render(resolved(root).service, request(root).tree, Deadline(60)).manifests
    real = json.loads(printed.value["data"]["values"])
    said = {one.path[1:]: one.value for one in made.at(("values",)) if one.value is not None}
    assert said == {
        keys[1:]: plain(leaf) for keys, leaf in leaves(node(real, Location("")), ("values",)) if leaf.value is not None
    }


# --- the reference fleet ---


@pytest.mark.parametrize("name", open_fleet(CHECKOUT).names("Cluster"))
def test_it_explains_what_is_resolved(name: str) -> None:
    """Every value of every service, and what stands where nobody says anything."""
    cluster = open_cluster(open_fleet(CHECKOUT), name)
    planned = plan(cluster)
    applications = cluster_applications(cluster, planned, Origin("https://git.example.com", "main", ""))
    for one, application in zip(planned, applications, strict=True):
        made = Explanation(cluster, one.request, None)
        for keys, leaf in leaves(one.resolved.values, ("values",)):
            (found,) = made.at(keys) if keys != ("values",) else made.at(("enabled",))
            assert keys == ("values",) or found.value == plain(leaf)
        check_service(made, one.resolved.service)
        check_assumed(made, application)


def check_service(made: Explanation, service: Any) -> None:
    (namespace,) = [one.value for one in made.overview() if one.path == ("namespace",)] or [""]
    assert namespace == service.namespace
    labels = {
        one.path[-1]: one.value
        for one in made.overview()
        if one.path[:2] == ("metadata", "labels") and one.state == "set"
    }
    assert labels == dict(service.labels)
    (release,) = [one.value for one in made.at(("releaseName",))] if service.chart else [service.release]
    assert release == service.release


def check_assumed(made: Explanation, application: dict[str, Any]) -> None:
    """The generated Application has the value that is said to hold."""
    metadata, spec = application["metadata"], application["spec"]
    real = {
        "application.name": metadata["name"],
        "application.namespace": metadata["namespace"],
        "application.project": spec["project"],
        "application.finalizers": metadata.get("finalizers", []),
        "application.revisionHistoryLimit": spec["revisionHistoryLimit"],
        "application.automated.prune": spec["syncPolicy"]["automated"]["prune"],
        "application.automated.selfHeal": spec["syncPolicy"]["automated"]["selfHeal"],
    }
    options = {text.partition("=")[0]: text.partition("=")[2] for text in spec["syncPolicy"]["syncOptions"]}
    said = {written(one.path): one.value for one in made.at(("application",))}
    assert {path: said[path] for path in real} == real
    shown = {path[-1]: value for path, value in ((parsed(p), v) for p, v in said.items()) if path[1] == "syncOptions"}
    assert {key: str(value).lower() if isinstance(value, bool) else value for key, value in shown.items()} == options


def test_every_field_has_its_place_in_the_overview() -> None:
    fields = {name.removesuffix("+") for kind in ("Instance", "Provision") for name in known_keys((), ("ref", kind))}
    assert fields == set(ORDER)


def test_a_service_of_which_nobody_says_anything(tmp_path: Path, clean_env: dict[str, str]) -> None:
    files = {"services/web/service.yaml": "", "clusters/c/cluster.yaml": "services: {web: }\n"}
    root = str(write(tmp_path, files))
    done = run(["explain", "c", "web"], root, clean_env)
    assert (done.code, done.stdout.decode().splitlines()[0]) == (0, "web on c: services/web")
    done = run(["explain", "c"], root, clean_env)
    assert (done.code, done.stdout.decode().splitlines()[-1].split()[:2]) == (0, ["web", "services/web"])


def test_assumed_without_a_chart() -> None:
    cluster = open_cluster(open_fleet(CHECKOUT), "gke.prod")
    (one,) = [each for each in plan(cluster) if each.request.key == "namespaces"]
    assert "releaseName" not in assumed(one.request, "gke.prod", False)


def test_facts_of_a_cluster() -> None:
    cluster = open_cluster(open_fleet(CHECKOUT), "gke.prod")
    _, facts = cluster_facts(cluster)
    found = {written(one.path): one for one in facts}
    assert {
        key.removeprefix("labels."): one.value for key, one in found.items() if key.startswith("labels.")
    } == cluster.facts.labels
    assert found["vars.gcpProject"].value == "example-prod"
    assert [read.name for read in found["vars.gcpProject"].reads] == ["cluster.labels.env"]
    assert found["kubernetes.version"].value == cluster.facts.kube_version
    assert [one.name for one in profiles(cluster)] == ["base", "prod", "platform", "gcp", "istio", "shop"]
    assert [one.by for one in profiles(cluster)][:3] == ["fleet", "cluster gke.prod", "profile gcp"]
    assert [one.by for one in named_by(cluster, "web")] == ["profile shop", "cluster gke.prod"]


def test_the_sync_wave_follows_from_the_others(clean_env: dict[str, str]) -> None:
    done = run(["explain", "gke.prod", "web", "application.wave", "-o", "json"], CHECKOUT, clean_env)
    (found,) = json.loads(done.stdout)["values"]
    waves = {one.request.key: one.wave for one in plan(open_cluster(open_fleet(CHECKOUT), "gke.prod"))}
    assert (found["value"], found["state"]) == (waves["web"], "default")


def test_a_pinned_service_is_read_as_its_revision_has_it(tmp_path: Path, clean_env: dict[str, str]) -> None:
    root = write(tmp_path, FILES | chart("services/web/chart"))

    def git(*words: str) -> str:
        names = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
        done = subprocess.run(
            ["git", *names, *words], cwd=root, env=clean_env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    service, cluster = root / "services/web/service.yaml", root / "clusters/c/cluster.yaml"
    service.write_text(service.read_text().replace("url: https://${vars.deep}", "# moved\n  url: http://other"))
    cluster.write_text(cluster.read_text().replace("  web:\n", f"  web:\n    revision: {git('rev-parse', 'HEAD')}\n"))
    done = run(["explain", "c", "web", "url", "-o", "json"], str(root), clean_env)
    (found,) = json.loads(done.stdout)["values"]
    assert (found["value"], found["by"][0]["at"]["line"]) == ("https://d.example.com/web", 7)
    assert "is read as revision" in done.stderr.decode()
    done = run(["explain", "c", "web", "size", "-o", "json"], str(root), clean_env)
    (found,) = json.loads(done.stdout)["values"]
    assert found["by"][0]["at"]["file"] == "clusters/c/cluster.yaml"
    assert [one["layer"] for one in found["over"]] == ["profile p", "service web"]


def test_what_cannot_be_rendered_is_explained_all_the_same(tmp_path: Path, clean_env: dict[str, str]) -> None:
    files = FILES | {"clusters/c/cluster.yaml": CLUSTER + "services: {web: {namespace: null, values: {size: 4}}}\n"}
    root = write(tmp_path, files | chart("services/web/chart"))
    done = run(["explain", "c", "web", "size"], str(root), clean_env)
    assert (done.code, b"values.size: 4 " in done.stdout) == (0, True)
    assert (
        b"warning: c/web cannot be rendered: services/web/service.yaml:7:8: c/web: ${service.namespace} has"
        in done.stderr
    )


def test_a_terminal_and_a_pipe_say_the_same(clean_env: dict[str, str]) -> None:
    """The JSON holds everything that the text shows."""
    text = run(["explain", "gke.prod", "web"], CHECKOUT, clean_env).stdout.decode()
    done = run(["explain", "gke.prod", "web", "-o", "json"], CHECKOUT, clean_env)
    found = json.loads(done.stdout)
    assert found["chart"] == {"name": "web", "version": "0.3.0"}
    for one in found["values"]:
        for said in one["by"]:
            assert f"{said['at']['file']}:{said['at']['line']}" in text
            assert said["layer"] in text
