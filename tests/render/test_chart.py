"""A service's chart with its values, through both helms: appends, errors, hostile charts."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cmp_plugin.errors import CmpError, InputError, Location
from cmp_plugin.fleet.service import Append, Chart, ResolvedService
from cmp_plugin.goyaml.load import load
from cmp_plugin.render.chart import LocatedChart, chart_manifests
from cmp_plugin.render.context import RenderContext
from cmp_plugin.render.manifest import Manifest
from cmp_plugin.specs.merge import merge_values, prepared, split_appends
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline
from cmp_plugin.tools.discovery import Tool

HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: Service\nchart:\n  path: chart\nvalues:\n"
SPEC = "services/web/service.yaml"
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
SUB = "apiVersion: v2\nname: sub\nversion: 1.0.0\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
PRINT = OBJECT + "data: {values: {{ toJson .Values | quote }}}\n"


def service(values: str = "", **changes: Any) -> ResolvedService:
    """A service at kind.local whose service.yaml has the chart and these `values` (indented by two)."""
    spec = load((HEAD + values if values else HEAD + "  {}\n").encode(), SPEC)
    assert isinstance(spec.value, dict)
    kept, appends = split_appends(prepared(spec.value["values"]))
    chart = spec.value["chart"]
    return ResolvedService(
        cluster="kind.local",
        name="web",
        entry="web",
        at=Location(SPEC),
        namespace="ns",
        release="web",
        chart=Chart(chart.at, path="/services/web/chart"),
        include_crds=True,
        skip_tests=True,
        values=kept,
        appends=tuple(Append(path, items, items.key or items.at) for path, items in appends),
        resources=(),
        kustomize=None,
        patches=(),
        images=(),
        labels=(),
        annotations=(),
        allow=frozenset(),
        kube_version="1.34",
        api_versions=(),
        helm_range="~4.3",
        kustomize_range="~5.8",
        tools_strict=False,
    )._replace(**changes)


class Fleet(NamedTuple):
    """A fleet with one chart, and a helm."""

    root: Path
    tool: Tool

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, text in {"Chart.yaml": CHART, **files}.items():
            path = self.root / "services/web/chart" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def render(self, of: ResolvedService) -> list[Manifest]:
        workdir = self.root / "workdir"
        workdir.mkdir(exist_ok=True)
        context = RenderContext(of, FileTree(str(self.root), ("/services",)), str(workdir), Deadline(60))
        return chart_manifests(context, LocatedChart(str(self.root / "services/web/chart"), self.tool))

    def values(self, of: ResolvedService, source: str = "web/templates/x.yaml") -> Any:
        """The values that the chart's template saw."""
        (printed,) = [one.value for one in self.render(of) if one.source == f"chart template {source}"]
        return json.loads(printed["data"]["values"])

    def error(self, of: ResolvedService) -> CmpError:
        with pytest.raises(CmpError) as caught:
            self.render(of)
        assert str(self.root) not in str(caught.value)
        return caught.value


@pytest.fixture(params=["4.3.1", "3.22.0"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path, helm4: str, helm3: str) -> Fleet:
    root = tmp_path / "fleet"
    root.mkdir()
    return Fleet(root, Tool(helm4 if request.param == "4.3.1" else helm3, request.param))


def test_values_and_objects(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "a: 1\nb: {c: 2, d: 3}\nl: [1]\n"})
    of = service('  b: {c: null, e: "é😀\\u2028"}\n  l: []\n  s: "yes"\n')
    (document,) = fleet.render(of)
    assert document.source == "chart template web/templates/x.yaml"
    assert document.value["metadata"] == {"name": "x"}
    assert fleet.values(of) == {"a": 1, "b": {"d": 3, "e": "é😀\u2028"}, "l": [], "s": "yes"}


# --- key+ ---------------------------------------------------------------------------------------

DEPENDENCY = "dependencies:\n- {name: sub, version: 1.x%s}\n"


class Case(NamedTuple):
    """A chart, values with `key+`, and a part of what the chart then sees."""

    name: str
    files: Mapping[str, str | bytes]
    values: str
    path: str
    expected: Any


def packed(files: Mapping[str, str | bytes], top: str = "sub/") -> bytes:
    """A chart archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(top + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


IN_SUB = {"charts/sub/Chart.yaml": SUB, "charts/sub/values.yaml": "args: [low]\nother: 1\n"}
APPENDS = [
    Case("the chart's own list", {"values.yaml": "a: {l: [1, {x: 2}]}\n"}, "  a: {l+: [3]}\n", "a.l", [1, {"x": 2}, 3]),
    Case("nothing there", {}, "  a: {l+: [3]}\n", "a.l", [3]),
    Case("null there", {"values.yaml": "l:\n"}, "  l+: [3]\n", "l", [3]),
    Case("an empty list", {"values.yaml": "l: []\n"}, "  l+: [3]\n", "l", [3]),
    Case("no items", {"values.yaml": "l: [1]\n"}, "  l+: []\n", "l", [1]),
    Case("below a scalar of the chart", {"values.yaml": "a: text\n"}, "  a: {l+: [3]}\n", "a.l", [3]),
    Case("large numbers", {"values.yaml": "l: [1e6, 0.1, 9007199254740993]\n"}, "  l+: [2]\n", "l", [1000000, 0.1, 9007199254740992, 2]),
    Case("texts", {"values.yaml": 'l: ["<&>", "é😀", "\\u2028", "1"]\n'}, "  l+: ['2']\n", "l", ["<&>", "é😀", "\u2028", "1", "2"]),
    Case("a key of an object's kind", {"values.yaml": "kind: [1]\nmetadata: [1]\n"}, "  kind+: [2]\n", "kind", [1, 2]),
    Case("two at once", {"values.yaml": "a: [1]\nb: [2]\n"}, "  a+: [3]\n  b+: [4]\n", "b", [2, 4]),
    Case("a subchart's list", IN_SUB, "  sub: {args+: [high]}\n", "sub.args", ["low", "high"]),
    Case("a parent over its subchart", {**IN_SUB, "values.yaml": "sub: {args: [mid]}\n"}, "  sub: {args+: [high]}\n", "sub.args", ["mid", "high"]),
    Case("a parent's null over its subchart", {**IN_SUB, "values.yaml": "sub: {args: null}\n"}, "  sub: {args+: [high]}\n", "sub.args", ["high"]),
    Case(
        "an alias",
        {**IN_SUB, "Chart.yaml": CHART + DEPENDENCY % ", alias: other"},
        "  other: {args+: [high]}\n",
        "other.args",
        ["low", "high"],
    ),
    Case(
        "two aliases of one chart",
        {
            **IN_SUB,
            "Chart.yaml": CHART + (DEPENDENCY % ", alias: one") + "- {name: sub, version: 1.x, alias: two}\n",
            "values.yaml": "two: {args: [mid]}\n",
        },
        "  one: {args+: [high]}\n  two: {args+: [high]}\n",
        "two.args",
        ["mid", "high"],
    ),
    Case(
        "an archive",
        {"charts/sub-1.0.0.tgz": packed({"Chart.yaml": SUB, "values.yaml": "args: [low]\n"})},
        "  sub: {args+: [high]}\n",
        "sub.args",
        ["low", "high"],
    ),
    Case(
        "an archive in an archive",
        {
            "charts/sub.tgz": packed(
                {
                    "Chart.yaml": SUB,
                    "charts/deep.tgz": packed(
                        {"Chart.yaml": SUB.replace("sub", "deep"), "values.yaml": "args: [low]\n"}, "deep/"
                    ),
                }
            )
        },
        "  sub: {deep: {args+: [high]}}\n",
        "sub.deep.args",
        ["low", "high"],
    ),
    Case(
        "imported values",
        {
            **IN_SUB,
            "charts/sub/values.yaml": "exports: {data: {l: [imported]}}\n",
            "Chart.yaml": CHART + DEPENDENCY % ", import-values: [data]",
        },
        "  l+: [high]\n",
        "l",
        ["imported", "high"],
    ),
    Case("a global list", {"values.yaml": "global: {l: [1]}\n"}, "  global: {l+: [2]}\n", "global.l", [1, 2]),
    Case(
        "a condition that the values switch on",
        {
            **IN_SUB,
            "Chart.yaml": CHART + DEPENDENCY % ", condition: sub.enabled",
            "values.yaml": "sub: {enabled: false}\n",
        },
        "  sub: {enabled: true, args+: [high]}\n",
        "sub.args",
        ["low", "high"],
    ),
    Case(
        "a schema, hooks and templates that fail without the values",
        {
            "values.yaml": "l: [1]\n",
            "values.schema.json": '{"properties": {"l": {"minItems": 2}}}',
            "templates/f.yaml": "{{ if lt (len .Values.l) 2 }}{{ fail `too few` }}{{ end }}",
        },
        "  l+: [2]\n",
        "l",
        [1, 2],
    ),
    Case("what is left out of charts/", {"values.yaml": "l: [1]\n", "charts/_a.tgz": "x", "charts/.b/c": "x"}, "  l+: [2]\n", "l", [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("case", APPENDS, ids=[case.name for case in APPENDS])
def test_appends(fleet: Fleet, case: Case) -> None:
    fleet.write({"templates/x.yaml": PRINT, **case.files})
    seen = fleet.values(service(case.values))
    for key in case.path.split("."):
        seen = seen[key]
    assert seen == case.expected


@pytest.mark.parametrize("default", ["{x: 1}", "text", "1", "false"])
def test_appending_to_something_else(fleet: Fleet, default: str) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": f"a: {{l: {default}}}\n"})
    error = fleet.error(service("  a:\n    l+: [1]\n"))
    assert isinstance(error, InputError)
    assert str(error) == (
        "services/web/service.yaml:7:5: kind.local/web: a.l+ appends to something that is no list in the chart"
    )


def test_a_list_of_a_lower_layer_is_the_base_and_the_charts_is_not(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "l: [chart]\n"})
    assert fleet.values(service("  l: [layer]\n")) == {"l": ["layer"]}


def test_an_append_without_items_of_ours_changes_nothing_else(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "a: {b: 1, l: [1], n: null}\nc: 2\n"})
    plain = fleet.values(service("  d: 1\n"))
    assert fleet.values(service("  d: 1\n  a: {l+: []}\n")) == plain


# --- nulls (what Helm makes of them, on which the rules for values rest) -------------------------


def test_null_deletes_the_charts_default(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "a: {b: 1, c: 2}\nd: 3\n"})
    assert fleet.values(service("  a: {b: null}\n  d: null\n")) == {"a": {"c": 2}}


def test_a_null_that_no_default_answers_stays(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "a: {b: 1}\n"})
    seen = fleet.values(service("  top: null\n  a: {deep: null}\n  c: {d: null}\n"))
    assert seen == {"top": None, "a": {"b": 1, "deep": None}, "c": {"d": None}}


def test_a_null_of_the_chart_itself(fleet: Fleet) -> None:
    """Where the majors differ: Helm 4 drops it, Helm 3 keeps it, unless a layer sets null, too."""
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "top: null\na: {b: null, c: null}\n"})
    kept = {} if fleet.tool.version.startswith("4") else {"top": None}
    assert fleet.values(service()) == {"a": {"b": None, "c": None} if kept else {}, **kept}
    both = {"b": None, "c": None} if kept else {"b": None}
    assert fleet.values(service("  a: {b: null}\n")) == {"a": both, **kept}


def test_a_layer_that_sets_the_key_again_has_the_charts_default_underneath(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT, "values.yaml": "a: {b: 1, c: 2}\n"})
    low, high = service("  a: null\n").values, service("  a: {c: 3}\n").values
    merged = service()._replace(values=merge_values(low, high))
    assert fleet.values(merged) == {"a": {"b": 1, "c": 3}}


# --- errors -------------------------------------------------------------------------------------

AT = "services/web/service.yaml:4:3: kind.local/web: "
HERE = "services/web/chart/"


@pytest.mark.parametrize(
    ("files", "values", "error"),
    [
        (
            {"templates/deployment.yaml": "a: 1\nb:   {{ .Values.a.b.c }}\n"},
            "",
            HERE + "templates/deployment.yaml:2:15: kind.local/web: helm: nil pointer evaluating interface {}.b"
            " (at <.Values.a.b.c>)",
        ),
        (
            {"charts/sub/Chart.yaml": SUB, "charts/sub/templates/x.yaml": "{{ fail `no` }}"},
            "",
            HERE + "charts/sub/templates/x.yaml:1:3: kind.local/web: helm: no",
        ),
        (
            {"charts/s.tgz": packed({"Chart.yaml": SUB, "templates/x.yaml": "{{ fail `no` }}"})},
            "",
            AT + "helm: charts/sub/templates/x.yaml:1:3: no",
        ),
        (
            {"templates/x.yaml": "a: 1\n b: 2\n"},
            "",
            HERE + "templates/x.yaml: kind.local/web: helm: what it prints is no Kubernetes object in YAML:"
            " line 2: mapping values are not allowed in this context",
        ),
        (
            {"Chart.yaml": CHART + "dependencies:\n- {name: redis, version: 1.x}\n"},
            "",
            HERE + "Chart.yaml: kind.local/web: helm: dependencies are missing in charts/: redis",
        ),
        (
            {"values.yaml": "a: [\n"},
            "",
            HERE + "values.yaml: kind.local/web: helm: line 1: did not find expected node content",
        ),
        (
            {"Chart.yaml": CHART + "kubeVersion: '>=1.99'\n"},
            "",
            AT + "helm: chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.34",
        ),
        (
            {"charts/sub/Chart.yaml": SUB},
            "  sub: hunter2\n",
            AT + "helm: type mismatch on sub",
        ),
        (
            {"templates/x.yaml": "a: {{ mustToDate `2006` .Values.s }}"},
            "  s: hunter2\n",
            HERE + "templates/x.yaml:1:6: kind.local/web: helm: error calling mustToDate: parsing time *** as ***:"
            " cannot parse *** as *** (at <mustToDate `2006` .Values.s>)",
        ),
        (
            {"templates/x.yaml": "a: {{ index .Values .Values.s .Values.s }}"},
            "  s: hunter2\n  hunter2: hunter2\n",
            HERE + "templates/x.yaml:1:6: kind.local/web: helm: error calling index: cannot index slice/array with"
            " type string (at <index .Values .Values.s .Values.s>)",
        ),
        (
            {"crds/c.yaml": "a: [\n"},
            "",
            AT + "web/crds/c.yaml as rendered:3:1: ",
        ),
        (
            {"templates/x.yaml": OBJECT, "values.schema.json": '{"properties": {"num": {"type": "integer"}}}'},
            "  a: 1\n  num: hunter2\n",
            ("services/web/service.yaml:7:3: kind.local/web: the values schema of chart web refuses num: got string,"
            " want integer"),
        ),
        (
            {
                "templates/x.yaml": OBJECT,
                "values.schema.json": '{"properties": {"image": {"additionalProperties": false}}}',
            },
            "  image:\n    tga: x\n",
            ("services/web/service.yaml:7:5: kind.local/web: the values schema of chart web refuses image: additional"
            " properties 'tga' not allowed"),
        ),
        (
            {"templates/x.yaml": OBJECT, "values.schema.json": '{"required": ["image"]}'},
            "",
            AT + "the values schema of chart web refuses the values: missing property 'image'",
        ),
        (
            {
                "templates/x.yaml": OBJECT,
                "charts/sub/Chart.yaml": SUB,
                "charts/sub/values.schema.json": '{"properties": {"a/b": {"items": {"type": "integer"}}}}',
            },
            "  sub:\n    a/b:\n    - 1\n    - hunter2\n",
            ("services/web/service.yaml:9:7: kind.local/web: the values schema of chart sub refuses a~1b.1: got"
            " string, want integer"),
        ),
    ],
)  # fmt: skip
def test_errors(fleet: Fleet, files: Mapping[str, str | bytes], values: str, error: str) -> None:
    fleet.write(files)
    said = str(fleet.error(service(values)))
    assert said.startswith(error) if error.endswith(": ") else said == error
    assert "hunter2" not in said


def test_every_refusal_of_a_schema_at_its_own_line(fleet: Fleet) -> None:
    schema = {"properties": {name: {"type": "integer"} for name in "abc"}}
    fleet.write({"templates/x.yaml": OBJECT, "values.schema.json": json.dumps(schema)})
    said = str(fleet.error(service("  b: x\n  a: z\n  c: 1\n"))).splitlines()
    refuses = "kind.local/web: the values schema of chart web refuses"
    assert said == [
        f"services/web/service.yaml:6:3: {refuses} b: got string, want integer",
        f"services/web/service.yaml:7:3: {refuses} a: got string, want integer",
    ]


def test_what_the_chart_says_itself_is_said_in_full(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": "{{ fail `mode production needs a password` }}"})
    said = str(fleet.error(service("  mode: production\n")))
    assert said.endswith("helm: mode production needs a password")


def test_an_unknown_secret_is_cut_out_of_any_other_text(fleet: Fleet) -> None:
    """Sprig's functions are many; whatever they quote, it stands in the values."""
    fleet.write({"templates/x.yaml": "a: {{ semverCompare .Values.s `1.0.0` }}"})
    said = str(fleet.error(service("  s: correct-horse\n")))
    assert "correct-horse" not in said and "semverCompare" in said


def test_a_helm_that_takes_too_long(fleet: Fleet, tmp_path: Path) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    script.chmod(0o755)
    fleet.write({"templates/x.yaml": OBJECT})
    slow = fleet._replace(tool=Tool(str(script), "4.3.1"))
    tree = FileTree(str(slow.root), ("/services",))
    (tmp_path / "w").mkdir()
    context = RenderContext(service(), tree, str(tmp_path / "w"), Deadline(4))
    with pytest.raises(CmpError) as caught:
        chart_manifests(context, LocatedChart(str(slow.root / "services/web/chart"), slow.tool))
    assert str(caught.value) == AT + "helm was stopped: the render took longer than 4 s"


# --- hostile charts (only the copy for `key+` is ours to guard; helm has its own bounds) ---------


def test_names_in_an_archive_lead_nowhere(fleet: Fleet, tmp_path: Path) -> None:
    hostile: dict[str, str | bytes] = {
        "Chart.yaml": SUB,
        "values.yaml": "args: [low]\n",
        "charts/../../../../../escaped/values.yaml": "x: 1\n",
        "charts/../values.yaml": "x: 1\n",
        "../escaped.yaml": "x",
        "/escaped.yaml": "x",
    }
    archive = packed(hostile)
    fleet.write({"templates/x.yaml": PRINT, "charts/sub.tgz": archive})
    said = str(fleet.error(service("  sub: {args+: [high]}\n")))
    assert said.startswith(AT + "the chart holds ") and said.endswith(", which lies outside of the chart's directory")
    assert not (fleet.root / "workdir/probe").exists()
    assert not list(tmp_path.rglob("escaped*"))


def test_an_archive_that_unpacks_to_too_much(fleet: Fleet) -> None:
    bomb = packed({"Chart.yaml": SUB, "bomb": bytes(110 * 1024 * 1024)})
    assert len(bomb) < 200_000
    fleet.write({"templates/x.yaml": PRINT, "charts/sub.tgz": bomb})
    said = str(fleet.error(service("  sub: {args+: [high]}\n")))
    assert said == AT + "the chart unpacks to more than 200 times its size"


def test_charts_in_charts_without_an_end(fleet: Fleet) -> None:
    fleet.write({"templates/x.yaml": PRINT})
    (fleet.root / "services/web/chart/charts").mkdir()
    os.symlink("..", fleet.root / "services/web/chart/charts/again")
    said = str(fleet.error(service("  sub: {args+: [high]}\n")))
    assert said.startswith(AT + "helm: open services/web/chart/charts/again/") and "too many levels" in said


@pytest.mark.parametrize(
    "garbage",
    [b"", b"garbage", b"\x1f\x8b\x08garbage", packed({"a": "b"})[:40]],
    ids=["empty", "text", "gzip's first bytes", "cut off"],
)
def test_archives_that_are_none(fleet: Fleet, garbage: bytes) -> None:
    fleet.write({"templates/x.yaml": PRINT, "charts/sub.tgz": garbage})
    said = str(fleet.error(service("  sub: {args+: [high]}\n")))
    assert said.startswith(AT)
