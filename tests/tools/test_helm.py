"""`helm template` of both majors: nobody's own Helm has a say, and its errors become one line."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from cmp_plugin.errors import Location
from cmp_plugin.system.process import Deadline
from cmp_plugin.tools import helm
from cmp_plugin.tools.discovery import Tool
from cmp_plugin.tools.helm_errors import HelmError, Violation, explain

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
FACTS = (
    OBJECT
    + """data:
  release: {{ .Release.Name }} in {{ .Release.Namespace }}
  kubernetes: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "a/v1" }}
  values: {{ toJson .Values | quote }}
"""
)
TEST = OBJECT.replace("x}", "t, annotations: {helm.sh/hook: test}}")
CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n"


@pytest.fixture(params=["4.3.1", "3.22.0"])
def tool(request: pytest.FixtureRequest, helm4: str, helm3: str) -> Tool:
    return Tool(helm4 if request.param == "4.3.1" else helm3, request.param)


class Render(NamedTuple):
    """A chart and a private directory to render it in."""

    tool: Tool
    root: Path

    def chart(self, files: dict[str, str]) -> None:
        for name, text in {"Chart.yaml": CHART, **files}.items():
            path = self.root / "chart" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def __call__(
        self,
        values: object = None,
        *,
        include_crds: bool = True,
        skip_tests: bool = True,
        release: str = "web",
        seconds: float = 60,
    ) -> str:
        workdir = self.root / "work, with a comma"
        workdir.mkdir(exist_ok=True)
        (workdir / "values.json").write_text(json.dumps(values or {}, ensure_ascii=False))
        printed = helm.template(
            self.tool,
            chart_path=str(self.root / "chart"),
            release=release,
            namespace="ns",
            include_crds=include_crds,
            skip_tests=skip_tests,
            kube_version="1.34.2",
            api_versions=("a/v1", "b/v1"),
            values_file=str(workdir / "values.json"),
            workdir=str(workdir),
            deadline=Deadline(seconds),
        )
        assert os.listdir(workdir) == ["values.json"]
        return printed.decode()

    def error(self, values: object = None) -> HelmError:
        with pytest.raises(HelmError) as caught:
            self(values)
        return caught.value


@pytest.fixture
def render(tool: Tool, tmp_path: Path) -> Render:
    return Render(tool, tmp_path)


def test_everything_reaches_the_chart(render: Render) -> None:
    render.chart({"templates/x.yaml": FACTS, "values.yaml": "a: 1\nb: 2\n"})
    printed = render({"b": 3, "c": "é😀"}, release="one")
    assert "release: one in ns" in printed
    assert "kubernetes: v1.34.2 true" in printed
    assert r'values: "{\"a\":1,\"b\":3,\"c\":\"é😀\"}"' in printed


def test_a_release_name_is_never_an_option(render: Render) -> None:
    render.chart({"templates/x.yaml": OBJECT})
    with pytest.raises(HelmError, match='release name "--help": invalid release name'):
        render(release="--help")


def test_crds_and_tests_by_their_fields(render: Render) -> None:
    render.chart({"templates/x.yaml": OBJECT, "templates/t.yaml": TEST, "crds/c.yaml": CRD})
    for crds in (True, False):
        for no_tests in (True, False):
            printed = render(include_crds=crds, skip_tests=no_tests)
            assert ("crds/c.yaml" in printed, "templates/t.yaml" in printed) == (crds, not no_tests)


def test_an_archive(render: Render) -> None:
    render.chart({"templates/x.yaml": OBJECT})
    os.rename(render.root / "chart", render.root / "web")
    subprocess.run(["tar", "czf", "chart", "web"], cwd=render.root, check=True)
    assert "# Source: web/templates/x.yaml" in render()


def hostile_home(home: Path) -> dict[str, str]:
    """A home and an environment that break or change every helm that listens to them."""
    plugin = home / ".local/share/helm/plugins/broken/plugin.yaml"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("no: [plugin")
    repositories = home / ".config/helm/repositories.yaml"
    repositories.parent.mkdir(parents=True)
    repositories.write_text("repositories: [")
    kubeconfig = home / ".kube/config"
    kubeconfig.parent.mkdir()
    context = "{name: c, context: {cluster: c, user: u, namespace: elsewhere}}"
    kubeconfig.write_text(f"contexts: [{context}]\ncurrent-context: c\n")
    return {
        "HOME": str(home),
        "KUBECONFIG": str(kubeconfig),
        "HELM_PLUGINS": str(plugin.parent.parent),
        "HELM_NAMESPACE": "elsewhere",
        "HELM_DEBUG": "true",
        "HELM_KUBEVERSION": "9.9.9",
        "HELM_BURST_LIMIT": "nonsense",
        "HELM_REPOSITORY_CONFIG": str(repositories),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "TZ": "Pacific/Auckland",
        "LANG": "tr_TR.UTF-8",
        "GODEBUG": "nonsense=1",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    }


def test_nobodys_own_helm_has_a_say(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    render.chart({"templates/x.yaml": FACTS + "  clock: {{ now | date `MST` }}\n"})
    expected = render()
    assert "clock: UTC" in expected
    hostile = hostile_home(render.root / "home")
    bare = [render.tool.path, "template", "web", str(render.root / "chart")]
    heard = subprocess.run(bare, env=hostile, capture_output=True, text=True, check=False)
    assert heard.returncode or "elsewhere" in heard.stdout  # a helm that listens is disturbed
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    assert render() == expected


def test_the_network_is_refused(render: Render) -> None:
    reference = json.dumps({"$ref": "https://schemas.example.com/x.json"})
    render.chart({"templates/x.yaml": OBJECT, "values.schema.json": reference})
    assert str(render.error()) == (
        "the values do not fit the chart's schema: it refers to"
        " https://schemas.example.com/x.json, which a render does not load"
    )


def test_a_chart_that_takes_too_long(render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a queue of its own: other tests' helms do not use up the time
    loop = "{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}"
    render.chart({"templates/x.yaml": OBJECT + "data: {}\n" + loop})
    from cmp_plugin.errors import ToolError

    with pytest.raises(ToolError, match="^helm was stopped: the render took longer than 0.7 s$"):
        render(seconds=0.7)


class Case(NamedTuple):
    """A chart that fails, and the whole error. `helm4` and `helm3`: where only one of them fails."""

    name: str
    files: dict[str, str]
    error: str
    values: object = None
    only: str = ""


X = "templates/x.yaml"
SUB = "apiVersion: v2\nname: sub\nversion: 1.0.0\n"
SECRET = "hunter2"

CASES = [
    Case(
        "nil pointer",
        {X: "a: 1\nb:   {{ .Values.a.b.c }}\n"},
        "web/templates/x.yaml:2:15: nil pointer evaluating interface {}.b (at <.Values.a.b.c>)",
    ),
    Case(
        "in an included template",
        {
            "templates/_h.tpl": '{{ define "h" }}\n{{ .Values.a.b }}{{ end }}',
            X: 'a: {{ include "h" . }}',
        },
        "web/templates/_h.tpl:2:10: nil pointer evaluating interface {}.b"
        " (at <.Values.a.b>, included from templates/x.yaml:1:6)",
    ),
    Case(
        "in a subchart",
        {"charts/sub/Chart.yaml": SUB, f"charts/sub/{X}": "a: {{ .Values.a.b }}"},
        "web/charts/sub/templates/x.yaml:1:13: nil pointer evaluating interface {}.b (at <.Values.a.b>)",
    ),
    Case(
        "required",
        {X: 'a: {{ required "set foo.bar,\\nplease" .Values.foo }}'},
        "web/templates/x.yaml:1:6: set foo.bar, please",
    ),
    Case(
        "fail in an included template",
        {
            "templates/_h.tpl": '{{ define "h" }}{{ fail "no\\n\\nway" }}{{ end }}',
            X: '{{ include "h" . }}',
        },
        "web/templates/x.yaml:1:3: no way",
    ),
    Case("syntax", {X: "a: 1\nb: {{ if }}"}, "web/templates/x.yaml:2:1: missing value for if"),
    Case("no end", {X: "a: 1\n{{ if 1 }}\n"}, "web/templates/x.yaml:3:1: unexpected EOF"),
    Case(
        "unknown function",
        {X: "a: {{ nofunc . }}"},
        'web/templates/x.yaml:1:1: function "nofunc" not defined',
    ),
    Case(
        "unknown template",
        {X: 'a: {{ include "nothing" . }}'},
        'web/templates/x.yaml:1:6: error calling include: template: no template "nothing" associated with'
        ' template "gotpl" (at <include "nothing" .>)',
    ),
    Case(
        "endless recursion",
        {
            "templates/_h.tpl": '{{ define "h" }}{{ include "h" . }}{{ end }}',
            X: 'a: {{ include "h" . }}',
        },
        "web/templates/_h.tpl:1:19: error calling include: rendering template has a nested reference name:"
        ' h: unable to execute template (at <include "h" .>)',
    ),
    Case(
        "no YAML",
        {X: "a: 1\n b: 2\n"},
        "web/templates/x.yaml: what it prints is no Kubernetes object in YAML:"
        " line 2: mapping values are not allowed in this context",
    ),
    Case(
        "a list",
        {X: "- a\n"},
        "web/templates/x.yaml: what it prints is no Kubernetes object in YAML: cannot unmarshal array",
    ),
    Case(
        "metadata of a wrong type",
        {X: OBJECT.replace("{name: x}", "text")},
        "web/templates/x.yaml: what it prints is no Kubernetes object in YAML: cannot unmarshal string",
    ),
    Case(
        "schema",
        {
            X: OBJECT,
            "values.schema.json": '{"required": ["image"], "properties": {"replicas": {"type": "integer"}}}',
        },
        "the values do not fit the chart's schema: /: missing property 'image'; /replicas: got string, want integer",
        {"replicas": "3"},
    ),
    Case(
        "a schema that is none",
        {X: OBJECT, "values.schema.json": "{"},
        "the values do not fit the chart's schema: unexpected EOF",
    ),
    Case(
        "another Kubernetes",
        {"Chart.yaml": CHART + "kubeVersion: '>=1.99'\n"},
        "chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.34.2",
    ),
    Case(
        "missing dependencies",
        {
            "Chart.yaml": CHART
            + "dependencies:\n- {name: redis, version: 1.x, repository: 'https://charts.example.com'}\n"
            + "- {name: db, version: 1.x, repository: 'https://charts.example.com'}\n"
        },
        "chart/Chart.yaml: dependencies are missing in charts/: redis, db",
    ),
    Case(
        "Chart.yaml is no YAML",
        {"Chart.yaml": "apiVersion: v2\nname: [\n"},
        "chart/Chart.yaml: line 2: did not find expected node content",
    ),
    Case(
        "Chart.yaml without a name",
        {"Chart.yaml": "apiVersion: v2\nversion: 1.0.0\n"},
        "chart/Chart.yaml: validation: chart.metadata.name is required",
    ),
    Case(
        "Chart.yaml with a wrong version",
        {"Chart.yaml": CHART.replace("1.0.0", "one")},
        'chart/Chart.yaml: validation: chart.metadata.version "one" is invalid',
    ),
    Case("a library", {"Chart.yaml": CHART + "type: library\n"}, "library charts are not installable"),
    Case(
        "values.yaml is no YAML",
        {"values.yaml": "a: [\n"},
        "chart/values.yaml: line 1: did not find expected node content",
    ),
    Case(
        "values.yaml is a list",
        {"values.yaml": "- a\n"},
        "chart/values.yaml: cannot unmarshal array into Go value of type map[string]interface {}",
    ),
    Case(
        "a subchart without Chart.yaml",
        {"charts/sub/values.yaml": "a: 1\n"},
        "error unpacking subchart sub in web: Chart.yaml file is missing",
    ),
    Case(
        "a subchart that is no archive",
        {"charts/sub.tgz": "garbage"},
        "error unpacking subchart sub.tgz in web: unexpected EOF",
    ),
    Case(
        "two dependencies of one name",
        {
            "Chart.yaml": CHART + "dependencies:\n- &s {name: sub, version: 1.x, alias: a}\n- *s\n",
            "charts/sub/Chart.yaml": SUB,
        },
        'validation: more than one dependency with name or alias "a"',
    ),
    Case(
        "an unknown apiVersion",
        {"Chart.yaml": CHART.replace("v2", "v9")},
        "unsupported chart version",
        only="4",
    ),
    # What follows would quote the secret that stands in the values.
    Case(
        "range over a string",
        {X: "{{ range .Values.s }}{{ .x }}{{ end }}"},
        "web/templates/x.yaml:1:16: range can't iterate over this value (at <.Values.s>)",
        {"s": SECRET},
    ),
    Case(
        "values for a subchart that are no map",
        {"charts/sub/Chart.yaml": SUB},
        "type mismatch on sub",
        {"sub": SECRET},
    ),
    Case(
        "tpl",
        {X: "a: {{ tpl .Values.s . }}"},
        "web/templates/x.yaml:1:6: in tpl: nil pointer evaluating interface {}.b (at <tpl .Values.s .>)",
        {"s": SECRET + ' "{{ .Values.a.b }}'},
    ),
    Case(
        "tpl that does not parse",
        {X: "a: {{ tpl .Values.s . }}"},
        "web/templates/x.yaml:1:6: error calling tpl: cannot parse template ***: template: gotpl:1:"
        " function *** not defined (at <tpl .Values.s .>)",
        {"s": "{{ hunter2 }}"},
    ),
    Case(
        "a function that quotes its argument",
        {X: "a: {{ mustToDate `2006` .Values.s }}"},
        "web/templates/x.yaml:1:6: error calling mustToDate: parsing time *** as ***: cannot parse ***"
        " as *** (at <mustToDate `2006` .Values.s>)",
        {"s": SECRET},
    ),
    Case(
        "a regular expression",
        {X: "a: {{ mustRegexMatch .Values.s `x` }}"},
        "web/templates/x.yaml:1:6: error calling mustRegexMatch: error parsing regexp: missing closing ]:"
        " *** (at <mustRegexMatch .Values.s `x`>)",
        {"s": "[" + SECRET},
    ),
    Case(
        "an anchor",
        {X: "a: {{ .Values.s }}"},
        "web/templates/x.yaml: what it prints is no Kubernetes object in YAML: unknown anchor referenced",
        {"s": "*" + SECRET},
    ),
    Case(
        "schema with patterns and bounds",
        {
            X: OBJECT,
            "values.schema.json": json.dumps(
                {
                    "properties": {
                        "pattern": {"pattern": "^a$"},
                        "one": {"oneOf": [{"type": "integer"}, {"pattern": "^b"}]},
                        "least": {"minimum": 5},
                        "times": {"multipleOf": 5},
                    }
                }
            ),
        },
        "the values do not fit the chart's schema: /least: minimum: want 5; /one: 'oneOf' failed, none"
        " matched; got string, want integer; does not match pattern '^b'; /pattern: does not match pattern"
        " '^a$'; /times: multipleOf: want 5",
        {"pattern": SECRET + " does not match", "one": SECRET, "least": 3, "times": 4711},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_errors(render: Render, case: Case) -> None:
    render.chart(case.files)
    if case.only and not render.tool.version.startswith(case.only):
        render(case.values)
        return
    error = render.error(case.values)
    assert str(error) == case.error
    for text in (str(error), error.stderr):
        assert SECRET not in text and str(render.root) not in str(error)
    assert error.tool_exit_code == 1


def test_no_chart_at_all(render: Render) -> None:
    (render.root / "chart").mkdir()
    assert str(render.error()) == "chart/Chart.yaml: Chart.yaml file is missing"


def test_violations_are_told_one_by_one(render: Render) -> None:
    refuses = '{"properties": {"n": {"type": "integer"}}, "additionalProperties": false}'
    render.chart(
        {
            X: OBJECT,
            "values.schema.json": refuses.replace('"n"', '"sub": {}, "global": {}, "n"'),
            "charts/sub/Chart.yaml": SUB,
            "charts/sub/values.schema.json": refuses.replace('"n"', '"global": {}, "n"'),
        }
    )
    error = render.error({"n": "x", "sub": {"n": "y", "m": 1}})
    assert error.reason.violations == (
        Violation("sub", "", "additional properties 'm' not allowed"),
        Violation("sub", "/n", "got string, want integer"),
        Violation("web", "/n", "got string, want integer"),
    )


@pytest.mark.parametrize(
    ("stderr", "message", "at"),
    [
        ("", "", None),
        ("panic: oh\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1\n", "panic: oh", None),
        ("level=WARN msg=x\nError: boom\nmore\n", "boom more", None),
        ("coalesce.go:1: warning: y\nError: boom", "boom", None),
        ("Error: " + "x" * 5000, "x" * 2000 + " ...", None),
        (
            "Error: execution error at (web/templates/a b.yaml:3:4): it says: Error: no",
            "it says: Error: no",
            Location("web/templates/a b.yaml", 3, 4),
        ),
        (
            (
                'Error: template: web/templates/x.yaml:1:2: executing "web/templates/x.yaml" at <gt 1 2>:'
                " wrong number of args"
            ),
            "wrong number of args",
            Location("web/templates/x.yaml", 1, 2),
        ),
    ],
)
def test_texts(stderr: str, message: str, at: Location | None) -> None:
    reason = explain(stderr)
    assert (reason.message, reason.at) == (message, at)


@pytest.mark.parametrize(
    "words",
    [
        "can't use ",
        "range can't iterate over ",
        "%!t(",
        "error calling x: ",
        'template: a/b:1:1: executing "',
        "- at '",
    ],
)
def test_an_endless_text_is_read_in_no_time(words: str) -> None:
    for start in (
        "Error: ",
        "Error: values don't meet the specifications of the schema(s) in:\n",
        "",
    ):
        started = time.monotonic()
        assert len(explain(start + words * 50_000).message) < 2100
        assert time.monotonic() - started < 5


def test_a_helm_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\nkill -KILL $$\n")
    script.chmod(0o755)
    killed = Render(Tool(str(script), "4.3.1"), tmp_path)
    assert str(killed.error()) == "helm was ended by SIGKILL"
