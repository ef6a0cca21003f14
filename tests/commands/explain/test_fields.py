"""What made a field of a finished object: the real helm and kustomize on a fleet that does a bit of everything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fleets import request, resolved, write
from hypothesis import given
from hypothesis import strategies as st
from program import run

from cmp_plugin.charts.contents import ChartFiles, chart_files
from cmp_plugin.commands.explain.bisect import another, deciding, likeness
from cmp_plugin.commands.explain.fields import Fields, FieldStory
from cmp_plugin.commands.explain.rerender import opened_rerenderer
from cmp_plugin.commands.explain.settings import Explanation
from cmp_plugin.commands.explain.trials import Failed
from cmp_plugin.errors import CmpError, Location
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.value_path import value_path
from cmp_plugin.goyaml.load import load_documents
from cmp_plugin.render.compare import ABSENT, Absent
from cmp_plugin.render.kustomize.patch_parts import nearest
from cmp_plugin.system.process import Deadline

TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: {{ .Release.Namespace }}, labels: {chart: site, team: none}}
spec:
  replicas: {{ .Values.replicas }}
  {{- if .Values.pause }}
  paused: true
  {{- end }}
  {{- with .Values.strategy }}
  strategy: {type: {{ . }}}
  {{- end }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      priorityClassName: {{ required "a priority" .Values.priority }}
      containers:
      - name: main
        image: {{ .Values.image.name }}:{{ .Values.image.tag | default "v1" }}
        args: {{ toJson .Values.args }}
        env: [{name: A, value: {{ .Values.greeting | quote }}}]
"""
OTHERS = """\
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: {{ .Values.password }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {both: {{ and .Values.one .Values.two | quote }}, fixed: chart}
---
apiVersion: v1
kind: ConfigMap
metadata: {generateName: made-}
data: {a: b}
"""
# An object that is called after a value.
TITLED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Values.title }}}
data: {title: fixed}
"""
FILES = {
    "fleet.yaml": "vars: {zone: eu}\ndefaults: {metadata: {labels: {team: platform}}}\n",
    "clusters/c/cluster.yaml": """\
        labels: {env: prod}
        kubernetes: {version: "1.34"}
        services:
          web:
            values: {replicas: 3, args+: [--c]}
            patches: {zones: {patch: {spec: {template: {spec: {nodeSelector: {zone: "${vars.zone}"}}}}}}}
        """,
    "services/web/service.yaml": """\
        namespace: ns
        chart: {path: chart}
        values:
          replicas: 2
          priority: high
          password: swordfish
          one: true
          two: true
        patches:
          zones: {target: {kind: Deployment}, patch: {spec: {template: {spec: {nodeSelector: {zone: us}}}}}}
          json:
            target: {name: web}
            patch:
              - {op: add, path: /spec/template/spec/containers/0/env/0, value: {name: B, value: b}}
              - {op: replace, path: /spec/template/spec/containers/0/args/0, value: --patched}
          file: {path: patch.yaml}
        images: {registry.example/app: {newTag: v2}}
        resources: [extra.yaml, dir/]
        metadata: {annotations: {note: ours}}
        kustomize:
          commonAnnotations: {from: fragment}
          configMapGenerator: [{name: generated, literals: [a=b], options: {disableNameSuffixHash: true}}]
        """,
    "services/web/patch.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: ns}
        spec:
          template:
            spec:
              containers:
              - name: main
                resources: {limits: {memory: 1Gi}}
        """,
    "services/web/extra.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata:\n  a: b\n",
    "services/web/dir/kustomization.yaml": "resources: [inner.yaml]\ncommonAnnotations: {dir: added}\n",
    "services/web/dir/inner.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inner}\ndata: {x: z}\n",
    "services/web/chart/Chart.yaml": "apiVersion: v2\nname: site\nversion: 1.0.0\n",
    "services/web/chart/values.yaml": "replicas: 1\nimage: {name: registry.example/app, tag: ''}\n"
    "args: [--a]\ngreeting: Good morning\npause: false\nstrategy: Recreate\none: false\ntwo: false\ntitle: titled\nunused: {x: 1}\n",
    "services/web/chart/values.schema.json": '{"properties": {"strategy": {"enum": ["Recreate", null]}}}',
    "services/web/chart/templates/web.yaml": TEMPLATE,
    "services/web/chart/templates/others.yaml": OTHERS,
    "services/web/chart/templates/titled.yaml": TITLED,
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("fleet"), FILES)


@pytest.fixture(autouse=True, scope="module")
def tools(helm4: str, kustomize: str, clean_env: dict[str, str]) -> Iterator[None]:
    """Here and in what is started from here; `clean_env` finds its tools before they are named so."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CMP_PLUGIN_HELM", helm4)
        patched.setenv("CMP_PLUGIN_KUSTOMIZE", kustomize)
        yield


@contextmanager
def opened(root: Path, most: int = 40) -> Iterator[Fields]:
    wanted, service = request(root), resolved(root).service
    chart = chart_files(service, wanted.tree) if service.chart else None
    assert chart is None or isinstance(chart, ChartFiles)
    explanation = Explanation(open_cluster(open_fleet(str(root)), "c"), wanted, chart)
    with opened_rerenderer(service, wanted.tree, Deadline(600), most, lambda: None) as rerenderer:
        yield Fields(explanation, rerenderer)


@pytest.fixture(scope="module")
def fields(fleet: Path, tools: None) -> Iterator[Fields]:
    """One `Rerenderer` for many questions."""
    with opened(fleet, most=10_000) as made:
        yield made


def story(fields: Fields, words: str) -> FieldStory:
    wanted = value_path([words])
    assert wanted.object is not None
    return fields.story(wanted.object, wanted.path)


def told(story: FieldStory) -> list[str]:
    """The value, then a line for each maker and each deciding value."""
    makers = [f"{one.what} @ {place(one.at)} -> {shown(one.value)}" for one in story.makers]
    decides = [
        f"{'without' if one.removed else 'not'} {'.'.join(map(str, one.story.path))} -> {shown(one.otherwise)}"
        for one in story.decides
    ]
    return [shown(story.value), *makers, *decides]


def place(at: Location | None) -> str:
    return f"{at.file.removeprefix('services/web/')}:{at.line}" if at else "-"


def shown(value: Any) -> str:
    return "absent" if isinstance(value, Absent) else "failed" if isinstance(value, Failed) else json.dumps(value)


WEB = "chart template site/templates/web.yaml @ chart/templates/web.yaml:0"
CASES: list[tuple[str, list[str]]] = [
    ("Deployment/web spec.replicas", ["3", f"{WEB} -> 3", "without values.replicas -> 1"]),
    (
        "Deployment/web spec.template.spec.priorityClassName",
        ['"high"', f'{WEB} -> "high"', 'not values.priority -> "high-x"'],
    ),
    # The chart's own value, which nobody sets.
    (
        "Deployment/web spec.template.spec.containers[main].env[A].value",
        ['"Good morning"', f'{WEB} -> "Good morning"', 'not values.greeting -> "Good morning-x"'],
    ),
    # One item of the chart's own list, to which a layer adds.
    (
        "Deployment/web spec.template.spec.containers[0].args[1]",
        ['"--c"', f'{WEB} -> "--c"', "without values.args -> absent"],
    ),
    # The chart's schema admits nothing else, so it is seen without.
    ("Deployment/web spec.strategy.type", ['"Recreate"', f'{WEB} -> "Recreate"', "without values.strategy -> absent"]),
    # Neither a value nor a patch: the template itself.
    ("Deployment/web spec.selector.matchLabels.app", ['"web"', f'{WEB} -> "web"']),
    ("deployment/web spec.replicas", ["3", f"{WEB} -> 3", "without values.replicas -> 1"]),
    ("ns/Deployment.apps/web kind", ['"Deployment"', f'{WEB} -> "Deployment"']),
    ("Deployment/web metadata.namespace", ['"ns"', f'{WEB} -> "ns"', 'not namespace -> "ns-x"']),
    (
        "ConfigMap/web-config metadata.name",
        [
            '"web-config"',
            'chart template site/templates/others.yaml @ chart/templates/others.yaml:0 -> "web-config"',
            'not releaseName -> "web-x-config"',
        ],
    ),
    # Two that are needed together are both found.
    (
        "ConfigMap/web-config data.both",
        [
            '"true"',
            'chart template site/templates/others.yaml @ chart/templates/others.yaml:0 -> "true"',
            'without values.one -> "false"',
            'without values.two -> "false"',
        ],
    ),
    # A value that gives the object another name decides its name, and nothing else in it.
    (
        "ConfigMap/titled metadata.name",
        [
            '"titled"',
            'chart template site/templates/titled.yaml @ chart/templates/titled.yaml:0 -> "titled"',
            'not values.title -> "titled-x"',
        ],
    ),
    (
        "ConfigMap/titled data.title",
        ['"fixed"', 'chart template site/templates/titled.yaml @ chart/templates/titled.yaml:0 -> "fixed"'],
    ),
    # A higher layer has redefined the patch: its line counts.
    (
        "Deployment/web spec.template.spec.nodeSelector.zone",
        ['"eu"', 'patch zones @ clusters/c/cluster.yaml:8 -> "eu"', f"{WEB} -> absent"],
    ),
    (
        "Deployment/web spec.template.spec.containers[main].env[B].value",
        ['"b"', 'patch json @ service.yaml:16 -> "b"', f"{WEB} -> absent"],
    ),
    (
        "Deployment/web spec.template.spec.containers[0].args[0]",
        ['"--patched"', 'patch json @ service.yaml:17 -> "--patched"', f'{WEB} -> "--a"'],
    ),
    (
        "Deployment/web spec.template.spec.containers.main.resources.limits.memory",
        ['"1Gi"', 'patch file @ patch.yaml:9 -> "1Gi"', f"{WEB} -> absent"],
    ),
    (
        "Deployment/web spec.template.spec.containers[main].image",
        [
            '"registry.example/app:v2"',
            'image registry.example/app @ - -> "registry.example/app:v2"',
            f'{WEB} -> "registry.example/app:v1"',
        ],
    ),
    ("Deployment/web metadata.labels.team", ['"platform"', 'metadata.labels @ - -> "platform"', f'{WEB} -> "none"']),
    (
        "Deployment/web metadata.annotations.from",
        ['"fragment"', 'kustomize.commonAnnotations @ - -> "fragment"', f"{WEB} -> absent"],
    ),
    ("Deployment/web metadata.annotations.note", ['"ours"', 'metadata.annotations @ - -> "ours"', f"{WEB} -> absent"]),
    # Files: the line of the field, or of the object; none where a kustomization changed what its file says.
    ("ConfigMap/extra data.a", ['"b"', 'resource services/web/extra.yaml @ extra.yaml:5 -> "b"']),
    ("ConfigMap/inner data.x", ['"z"', 'resource services/web/dir @ dir/inner.yaml:4 -> "z"']),
    ("ConfigMap/inner metadata.annotations.dir", ['"added"', 'resource services/web/dir @ - -> "added"']),
    ("ConfigMap/generated data.a", ['"b"', 'kustomize.configMapGenerator @ service.yaml:24 -> "b"']),
    (
        "ConfigMap/made-* data.a",
        ['"b"', 'chart template site/templates/others.yaml @ chart/templates/others.yaml:0 -> "b"'],
    ),
]


@pytest.mark.parametrize(("words", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_field(fields: Fields, words: str, expected: list[str]) -> None:
    assert told(story(fields, words)) == expected


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Deployment/wbe", 'c/web: there is no object Deployment/wbe (did you mean "Deployment/web"?)'),
        ("Deploymnt/web", 'c/web: there is no object Deploymnt/web (did you mean "Deployment/web"?)'),
        ("other/Deployment/web", "c/web: there is no object other/Deployment/web (there is Deployment/web)"),
        ("Job/none", "c/web: there is no object Job/none"),
        (
            "Deployment/web spec.replica",
            'c/web: Deployment/web has no field "spec.replica" (did you mean "spec.replicas"?)',
        ),
        (
            "Deployment/web spec.template.spec.containers[5]",
            'c/web: Deployment/web has no field "spec.template.spec.containers[5]" (the list has 1 item)',
        ),
    ],
)
def test_nothing_there(fields: Fields, words: str, error: str) -> None:
    with pytest.raises(CmpError) as caught:
        story(fields, words)
    assert str(caught.value) == error


def test_an_object(fields: Fields) -> None:
    wanted = value_path(["Deployment/web"]).object
    assert wanted is not None
    found = fields.object_story(wanted)
    assert found.origin.what == "chart template site/templates/web.yaml"
    assert [(one.maker.what, one.fields) for one in found.changes] == [
        ("patch zones", ("spec.template.spec.nodeSelector",)),
        ("patch json", ("spec.template.spec.containers[main].args[0]", "spec.template.spec.containers[main].env[B]")),
        ("patch file", ("spec.template.spec.containers[main].resources",)),
        (
            "kustomize.commonAnnotations",
            ("metadata.annotations", "spec.template.metadata.annotations"),
        ),
        ("image registry.example/app", ("spec.template.spec.containers[main].image",)),
        ("metadata.labels", ("metadata.labels.team",)),
        ("metadata.annotations", ("metadata.annotations.note",)),
    ]


@pytest.mark.parametrize("words", ["stringData.password", "stringData", "metadata.name", ""])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_secret_is_not_shown(fleet: Path, words: str, output: str, clean_env: dict[str, str]) -> None:
    """Not by the object, and not by the values that made it."""
    done = run(["explain", "c", "web", "Secret/hidden", *words.split(), "-o", output], str(fleet), clean_env)
    assert (done.code, done.stderr) == (0, b"")
    assert b"swordfish" not in done.stdout
    assert words != "stringData.password" or b"values.password" in done.stdout


def test_a_secret_is_marked(fields: Fields) -> None:
    assert story(fields, "Secret/hidden stringData.password").secret
    assert not story(fields, "Secret/hidden metadata.name").secret
    assert not story(fields, "ConfigMap/extra data.a").secret


@pytest.mark.parametrize("most", range(6))
def test_without_renders_nothing_is_claimed(fleet: Path, most: int) -> None:
    """What is said after few renders is true, and that something is missing is said too."""
    with opened(fleet, most) as made:
        found = story(made, "ConfigMap/web-config data.both")
    everything = {'without values.one -> "false"', 'without values.two -> "false"'}
    assert set(told(found)[2:]) <= everything
    assert not found.complete


def test_names_that_change(tmp_path: Path) -> None:
    """An object that ends up with another name and namespace than it was printed with."""
    files = FILES | {
        "services/web/service.yaml": FILES["services/web/service.yaml"].replace(
            "kustomize:\n", "kustomize:\n          namePrefix: pre-\n          namespace: moved\n"
        )
    }
    with opened(write(tmp_path, files), 100) as made:
        found = story(made, "Deployment/pre-web metadata.name")
        assert told(found) == ['"pre-web"', 'kustomize.namePrefix @ - -> "pre-web"', f'{WEB} -> "web"']
        found = story(made, "moved/Deployment/pre-web spec.template.spec.nodeSelector.zone")
        assert told(found)[:2] == ['"eu"', 'patch zones @ clusters/c/cluster.yaml:8 -> "eu"']
        found = story(made, "Deployment/pre-web metadata.namespace")
        assert told(found)[:2] == ['"moved"', 'kustomize.namespace @ - -> "moved"']


def test_a_service_without_a_chart(tmp_path: Path) -> None:
    files = {
        "clusters/c/cluster.yaml": "services: {web: {patches: {p: {target: {name: x}, patch: {data: {b: two}}}}}}\n",
        "services/web/service.yaml": "",
        "services/web/kustomization.yaml": "resources: [x.yaml]\nnamePrefix: ''\n",
        "services/web/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: one\n  b: one\n",
    }
    with opened(write(tmp_path, files)) as made:
        assert told(story(made, "ConfigMap/x data.a")) == ['"one"', 'resource services/web @ x.yaml:5 -> "one"']
        assert told(story(made, "ConfigMap/x data.b")) == [
            '"two"',
            'patch p @ clusters/c/cluster.yaml:3 -> "two"',
            'resource services/web @ x.yaml:6 -> "one"',
        ]


# --- what decides ---


@given(st.integers(0, 40), st.sets(st.integers(0, 39), max_size=4))
def test_what_decides_is_found_in_few_questions(count: int, wanted: set[int]) -> None:
    questions = 0

    def differs(settings: Sequence[int]) -> bool:
        nonlocal questions
        questions += 1
        return bool(wanted & set(settings))

    assert list(deciding(range(count), differs)) == sorted(one for one in wanted if one < count)
    assert questions <= 1 + 12 * len(wanted)


@pytest.mark.parametrize(
    ("value", "changed"),
    [
        (True, False),
        (1, 2),
        (1.5, 2.5),
        ("a", "a-x"),
        ("", "x"),
        ("8080", "8081"),
        (None, "x"),
        ([], None),
        ([1, 2], [1]),
        ({}, None),
    ],
)
def test_another(value: object, changed: object) -> None:
    assert another(value) == changed


def test_another_list_is_without_what_is_there() -> None:
    assert another(["a", "b", "c"], "a") == ["b", "c"]
    assert another(["a", "b", "c"], "x") == ["a", "b"]


def test_likeness() -> None:
    """The value that a person would look at first comes first."""

    def best(field: str, there: object, values: dict[str, object]) -> str:
        path = value_path([f"Deployment/x {field}"]).path
        return max(values, key=lambda name: likeness(path, there, name.split("."), values[name]))

    assert best("spec.replicas", 1, {"enabled": True, "replicaCount": 1, "port": 80}) == "replicaCount"
    assert best("spec.replicas", 3, {"a.replicas": 1, "b.count": 3, "a.b": 2}) == "b.count"
    trace = {"env.other": "2", "traceSampling": 3, "traceLevel": 3}
    assert best("spec.containers[x].env[PILOT_TRACE_SAMPLING].value", "1", trace) == "traceSampling"
    image = "registry.example/app:v1"
    assert (
        best("spec.containers[0].image", image, {"image.repository": "registry.example/app", "tag": "v", "x": ""})
        == "image.repository"
    )
    assert (
        best("spec.resources", {"limits": {"cpu": "1m"}}, {"limits.cpu": "2", "resources.limits.cpu": "1m"})
        == "resources.limits.cpu"
    )


# --- places ---

DOCUMENT = """\
spec:
  replicas: 1
  containers:
  - name: a
    image: x
  - name: b
    image: y
    ports:
    - containerPort: 80
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("spec", "replicas"), 2),
        (("spec", "containers", 1, "image"), 7),
        # In the object the list begins with another item than in the file.
        (("spec", "containers", 0), None),
        (("spec", "containers", 2, "ports", 0, "containerPort"), 9),
        (("spec", "containers", 2, "ports", 0, "protocol"), 9),
        (("status",), None),
    ],
)
def test_nearest(path: tuple[str | int, ...], line: int | None) -> None:
    (node,) = load_documents(DOCUMENT.encode(), "f.yaml")
    items = [
        {"name": "new"},
        {"name": "a", "image": "x"},
        {"name": "b", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
    ]
    value: dict[str, Any] = {"spec": {"replicas": 1, "containers": items}}
    if path[2:3] == (1,):
        value["spec"]["containers"] = [items[0], items[2]]
    found, steps = nearest(node, value, path)
    assert (found.start.line if steps else None) == (3 if path == ("spec", "containers", 0) else line)


def test_absent_is_not_null() -> None:
    assert shown(ABSENT) == "absent" and shown(None) == "null"
