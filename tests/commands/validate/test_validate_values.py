"""Values against charts: what templates mention, which keys are unknown, what schemas refuse; and Helm's own view."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fleets import request, resolved, write
from packing import archive, file

from cmp_plugin.charts.contents import ChartFiles, read_chart
from cmp_plugin.charts.store import digest_of
from cmp_plugin.commands.validate.coalesce import chart_values, switched_on
from cmp_plugin.commands.validate.findings import Finding, in_order, warning
from cmp_plugin.commands.validate.json_schema import Elsewhere, Unusable, compiled, read
from cmp_plugin.commands.validate.keys import known_keys, unknown_keys
from cmp_plugin.commands.validate.mentions import mentions
from cmp_plugin.commands.validate.schema_work import work
from cmp_plugin.commands.validate.values import value_findings
from cmp_plugin.errors import InputError, Location
from cmp_plugin.fleet.plan import Planned
from cmp_plugin.goyaml.load import load_values

AT = Location("services/web/service.yaml", 4, 8)
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


def chart(root: Path, files: dict[str, str]) -> ChartFiles:
    for name, text in {"Chart.yaml": CHART, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return read_chart(str(root), "chart", AT)


def unknown(values: str, found: ChartFiles) -> list[str]:
    """The unknown keys of some values, with what may have been meant."""
    listed = unknown_keys(load_values(values.encode(), "v.yaml"), known_keys(found))
    return [str(one.error).partition("knows no value ")[2] for one in listed]


def test_what_templates_mention(tmp_path: Path) -> None:
    text = """{{/* not .Values.comment */}}
      {{ .Values.a.b }} {{ $.Values.c | quote }} {{ index .Values "d-e" "f" }} {{ if .Values.g }}{{ end }}
      {{ if and (not .Values.h) (eq .Values.i 1) }}{{ end }} {{ with .Values.j }}{{ .k }}{{ end }} {{ hasKey .Values.l "m" }}
      {{ omit .Values.s "t" }}"""
    found = mentions(chart(tmp_path, {"templates/x.yaml": text, "values.yaml": "# n: 1\no:\n  # see p.q\n  r: 1\n"}))
    assert {("a",), ("a", "b"), ("c",), ("d-e", "f"), ("g",), ("h",), ("i",), ("j",), ("l", "m")} <= found.paths
    assert ("comment",) not in found.paths
    assert {("a", "b"), ("c",), ("d-e", "f"), ("j",), ("s",)} <= found.whole
    assert not {("a",), ("g",), ("h",), ("i",), ()} & found.whole
    assert {"k", "n", "o", "p", "q", "r", "t"} <= found.words


VALUES = """\
replicas: 1
image: {tag: "1", repository: x}
open: {}
env: {LOG_LEVEL: info, timeout: 5}
settings: {loud: true, level: 3}
"""
TEMPLATE = """\
{{ .Values.replicas }} {{ .Values.image.tag }} {{ .Values.undocumented }} {{ toYaml .Values.env }}
{{ toYaml .Values.open }} {{ with .Values.settings }}{{ .loud }}{{ .level }}{{ .secretOption }}{{ end }}
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("replicas: 2", []),
        ("undocumented: 1", []),
        ("settings: {secretOption: 1}", []),
        ("open: {anything: {at: all}}", []),
        ("env: {OTHER: x, LOG_LEVELS: y, timeouts: 1}", ['env.timeouts (did you mean "timeout"?)']),
        ("image: {pullSecret: x}", ["image.pullSecret"]),
        ("image: {tags: x}", ['image.tags (did you mean "tag"?)']),
        ("nothing: 1", ["nothing"]),
        ("global: {a: b}\nx-anchors: {a: b}\n_anchors: 1\ntags: {a: true}", []),
        ("image: plain", []),
        ("replicas: {a: b}", []),
        ("settings: {levle: 3, other: 1}", ['settings.levle (did you mean "level"?)']),
    ],
)
def test_unknown_keys(values: str, expected: list[str], tmp_path: Path) -> None:
    found = chart(tmp_path, {"values.yaml": VALUES, "templates/x.yaml": TEMPLATE})
    assert [text.replace(" [unknown-value]", "") for text in unknown(values, found)] == expected


def test_a_chart_that_prints_all_of_its_values_may_take_anything(tmp_path: Path) -> None:
    found = chart(tmp_path, {"values.yaml": VALUES, "templates/values.yaml": "{{ toYaml .Values }}"})
    assert unknown("nothing: 1\nimage: {pullSecret: x}", found) == []
    assert unknown("replcas: 1", found) == ['replcas (did you mean "replicas"?)']


def test_istio_keeps_its_defaults_one_level_down(tmp_path: Path) -> None:
    values = "_internal_defaults_do_not_set:\n  autoscaleMin: 1\n"
    merged = "{{ $x := mustMergeOverwrite $.Values._internal_defaults_do_not_set $.Values }}"
    found = chart(tmp_path, {"values.yaml": values, "templates/x.yaml": merged})
    assert unknown("autoscaleMin: 2", found) == []
    assert unknown("autoscaleMni: 2", found) == ['autoscaleMni (did you mean "autoscaleMin"?)']


def test_properties_of_a_schema_are_known(tmp_path: Path) -> None:
    schema = {"properties": {"a": {"properties": {"deep": {}}}, "b": True}}
    found = chart(tmp_path, {"values.yaml": "a: {x: 1}\n", "values.schema.json": json.dumps(schema)})
    assert unknown("a: {deep: 1, x: 2}\nb: 1", found) == []
    assert unknown("a: {deeep: 1}\nc: 1", found) == ["c"]


PARENT = (
    CHART
    + """\
dependencies:
  - {name: sub, version: 1.0.0, alias: first, condition: first.enabled}
  - {name: sub, version: 1.0.0, alias: second, condition: "nowhere.at.all,second.on", tags: [off]}
  - {name: sub, version: 1.0.0, alias: third, tags: [off, maybe]}
"""
)
SUB = {
    "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "charts/sub/values.yaml": "port: 1\nmap: {a: 1, b: 2}\nglobal: {low: sub}\n",
    "charts/sub/templates/x.yaml": "",
}
NESTED = {
    "Chart.yaml": PARENT,
    "values.yaml": "first: {port: 2}\nsecond: {on: false}\nglobal: {high: parent, both: parent}\nlist: [a]\nkeep: {x: 1, y: 2}\n",
    **SUB,
}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"first": {"enabled": False}},
        {"first": {"enabled": True, "map": {"a": None, "c": 3}}, "second": {"on": True}},
        {"global": {"both": "user"}, "keep": None, "list": ["b"]},
        {"keep": {"x": None, "z": {"deep": 1}}, "tags": {"off": False}},
        {"tags": {"off": False, "maybe": True}, "third": {"map": {"b": {"c": 1}}}},
        {"first": {"global": {"both": "sub", "own": 1}}},
        {"keep": "text", "first": {"map": [1]}},
        {"first": {"port": None, "map": {"b": None}}},
    ],
)
def test_values_are_what_helm_sees(values: dict[str, Any], tmp_path: Path, helm4: str) -> None:
    """Helm prints the values of the chart and of each subchart that is on."""
    files = {**NESTED, "templates/x.yaml": PRINT % "", "charts/sub/templates/x.yaml": PRINT % ""}
    found = chart(tmp_path / "web", files)
    (tmp_path / "v.json").write_text(json.dumps(values))
    words = [helm4, "template", "x", str(tmp_path / "web"), "-f", str(tmp_path / "v.json")]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env={"HOME": str(tmp_path)})
    seen = [json.loads(line.partition("values: ")[2]) for line in printed.stdout.splitlines() if "values: " in line]
    ours = [each for _, each in switched_on(chart_values(found), values)]
    assert sorted(map(canonical, ours)) == sorted(map(canonical, seen))


PRINT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nvalues: {{ toJson .Values }}\n%s"


def canonical(values: Any) -> str:
    """Helm gives a subchart that is off no values of its own, and an empty `global` to one that is on."""
    kept = {key: value for key, value in values.items() if key not in ("first", "second", "third")}
    return json.dumps({key: value for key, value in kept.items() if (key, value) != ("global", {})}, sort_keys=True)


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "global": {},
        "port": {"type": "integer"},
        "map": {"additionalProperties": {"type": "integer"}},
        "enabled": {},
        "on": {},
        "list": {"type": "array", "items": {"type": "string"}},
    },
}


def findings(root: Path, values: str, schema: Any = SCHEMA, **files: str) -> list[str]:
    """What `validate` says about these values of a service whose chart has this schema."""
    content = {
        "Chart.yaml": CHART,
        "values.yaml": "list: [a]\nport: 1\n",
        "templates/x.yaml": "{{ .Values.list }}",
        **files,
    }
    content.setdefault("values.schema.json", json.dumps(schema))
    written = {f"services/web/chart/{name}": text for name, text in content.items()}
    written["services/web/service.yaml"] = "namespace: web\nchart: {path: chart}\nvalues:\n" + "".join(
        f"  {line}\n" for line in values.splitlines()
    )
    written["clusters/c/cluster.yaml"] = 'kubernetes: {version: "1.34"}\nservices: {web: }\n'
    write(root, written)
    planned = Planned("c", request(root), resolved(root), 0)
    return [str(one) for one in in_order(value_findings([planned])[0])]


def test_a_chart_from_elsewhere_that_we_cannot_read_is_no_error(tmp_path: Path) -> None:
    """Helm may; what is in the fleet itself is another matter."""
    broken = {"small/Chart.yaml": b"apiVersion: v2\nname: small\nversion: 1.0.0\n", "small/values.yaml": b"a: [\n"}
    spec = 'namespace: web\nchart: {repo: "https://charts.example.com", name: small}\nversion: 1.0.0\n'
    cluster = 'kubernetes: {version: "1.34"}\nservices: {web: }\n'
    write(tmp_path, {"services/web/service.yaml": spec, "clusters/c/cluster.yaml": cluster})
    (tmp_path / "services/web/charts").mkdir()
    place = archive(
        tmp_path / "services/web/charts/small-1.0.0.tgz", [file(name, data) for name, data in broken.items()]
    )
    (tmp_path / "services/web/service.lock").write_text(
        "apiVersion: cmp-plugin/v1alpha1\nkind: Lock\ncharts:\n"
        f'  - {{name: small, repository: "https://charts.example.com", version: 1.0.0, digest: "{digest_of(str(place))}"}}\n'
    )
    planned = Planned("c", request(tmp_path), resolved(tmp_path), 0)
    found, unseen = value_findings([planned])
    assert found == []
    assert [text.partition(":")[0] for text in unseen.charts] == ["small-1.0.0/values.yaml"]
    pinned = planned._replace(resolved=planned.resolved._replace(revision="v1"))
    assert value_findings([pinned]) == ([], ((), ()))


REFUSED = [
    ("port: text", "6:3: c/web: the values schema of chart web refuses port: this is not of type integer"),
    ("prot: 1", '6:3: c/web: the values schema of chart web refuses prot: no such key (did you mean "port"?)'),
    ("map: {a: {secret: x}}", "6:9: c/web: the values schema of chart web refuses map.a: this is not of type integer"),
    ("list+: [1]", "6:3: c/web: the values schema of chart web refuses list[1]: this is not of type string"),
    ("list: [a, 1]", "6:13: c/web: the values schema of chart web refuses list[1]: this is not of type string"),
]


@pytest.mark.parametrize(("values", "said"), REFUSED)
def test_refused_where_it_was_written(values: str, said: str, tmp_path: Path) -> None:
    assert findings(tmp_path, values) == [f"services/web/service.yaml:{said}"]


@pytest.mark.parametrize("values", ["port: 3", "list+: [b]", "port: null", "map: {a: 1}", "global: {a: 1}"])
def test_accepted(values: str, tmp_path: Path) -> None:
    assert findings(tmp_path, values) == []


def test_every_draft_that_helm_takes(tmp_path: Path) -> None:
    for number, draft in enumerate(DRAFTS):
        schema = {"$schema": draft, "properties": {"port": {"type": "integer"}}}
        (said,) = findings(tmp_path / str(number), "port: text", schema)
        assert "refuses port" in said


DRAFTS = [
    *(f"http://json-schema.org/draft-0{number}/schema#" for number in (4, 6, 7)),
    *(f"https://json-schema.org/draft/{date}/schema" for date in ("2019-09", "2020-12")),
]


def test_no_value_is_printed(tmp_path: Path) -> None:
    schema = {
        "properties": {
            "a": {"const": 1},
            "b": {"enum": ["x"]},
            "c": {"pattern": "^y$"},
            "d": {"not": {}},
            "e": {"oneOf": [{}, {}]},
        }
    }
    said = "\n".join(findings(tmp_path, "\n".join(f"{key}: hunter2hunter2" for key in "abcde"), schema))
    assert said.count("refuses") == 5
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:1/x.json", "https://example.com/x.json", "file:///etc/hostname"]
)
def test_a_schema_that_refers_elsewhere_is_not_followed(reference: str) -> None:
    with pytest.raises(Elsewhere):
        compiled({"properties": {"a": {"$ref": reference}}})


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"type": "nothing"}', '{"$ref": "#/nowhere"}', '{"pattern": "("}', "[" * 100_000]
)
def test_a_schema_that_is_none(text: str) -> None:
    with pytest.raises(Unusable):
        compiled(read(text.encode()))


def test_patterns_take_linear_time() -> None:
    validator = compiled({"pattern": "^(a+)+$"})
    assert validator.refusals("a" * 5000 + "b") != []


def doubling(levels: int) -> dict[str, Any]:
    """Each level asks for the one below twice."""
    named = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, levels)}
    return {"$defs": {"a0": {"type": "object"}, **named}, "$ref": f"#/$defs/a{levels - 1}"}


def test_references_that_multiply_are_not_followed() -> None:
    assert [work(doubling(levels), 10**9) for levels in (1, 2, 3, 10)] == [2, 6, 14, 2046]
    tree = {"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}
    chain = {"properties": {"next": {"$ref": "#"}}}
    assert (work(tree, 10**6), work(chain, 10**6) < 1000, work({"$ref": "#"}, 10**6)) == (10**6, True, 10**6)
    assert compiled(doubling(10)).refusals(1) != []
    for schema in (doubling(60), tree, {"allOf": [{"$ref": "#name"}, {"$ref": "#name"}], "$anchor": "name"}):
        with pytest.raises(Unusable, match="makes too much of one value"):
            compiled(schema)


def test_a_pattern_with_flags_of_go_is_left_out() -> None:
    properties = {"a": {"pattern": "^(?i)x$"}, "b": {"type": "integer"}, "pattern": {"type": "null"}}
    validator = compiled({"$schema": DRAFTS[0], "properties": properties})
    assert [one.where for one in validator.refusals({"a": "y", "b": "z", "pattern": 1})] == ["b", "pattern"]


def test_alternatives_say_what_is_meant() -> None:
    either = {
        "anyOf": [{"type": "string"}, {"type": "object", "required": ["q"], "properties": {"z": {"type": "integer"}}}]
    }
    said = [(one.where, one.message) for one in compiled({"properties": {"c": either}}).refusals({"c": {"z": "x"}})]
    assert sorted(said) == [("c.q", "it is required"), ("c.z", "this is not of type integer")]
    (only,) = compiled({"properties": {"c": either}}).refusals({"c": 5})
    assert only.message == "this is not of type object or string"
    (none,) = compiled({"anyOf": [{"minimum": 3}, {"multipleOf": 7}]}).refusals(1)
    assert none.message == "this fits none of the forms that are allowed"


def test_what_many_clusters_share_is_one_finding() -> None:
    at = Location("services/web/service.yaml", 3, 1)
    found = [Finding(InputError(f"{cluster}/web: wrong", at)) for cluster in ("a", "b", "c")]
    found += [warning("unused", "no news where an error is", at), Finding(InputError("a/web: wrong", Location("x")))]
    assert [str(one) for one in in_order(found)] == [
        "services/web/service.yaml:3:1: a/web and 2 more: wrong",
        "x: a/web: wrong",
    ]
