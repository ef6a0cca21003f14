"""`kustomize build`: nothing from outside, and its errors as one line without content."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import pytest

from cmp_plugin.errors import ToolError
from cmp_plugin.system.process import Deadline
from cmp_plugin.tools import kustomize as kustomize_tool
from cmp_plugin.tools.discovery import Tool
from cmp_plugin.tools.kustomize import explain

SECRET = "hunter2"
OBJECT = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData: {{a: {SECRET}}}\n"
FUNCTION = "apiVersion: v1\nkind: F\nmetadata: {name: f, annotations: {config.kubernetes.io/function: '%s'}}\n"


class Case(NamedTuple):
    """A kustomization that fails, files beside it, and the error with `DIR` for its directory."""

    name: str
    kustomization: str
    error: str
    files: dict[str, str] = {}


CASES = [
    Case("a missing file", "resources: [nope.yaml]", "DIR/nope.yaml does not exist"),
    Case("a missing directory", "resources: [nope/]", "DIR/nope does not exist"),
    Case(
        "no YAML",
        "resources: [x.yaml]",
        "accumulating resources from 'x.yaml': MalformedYAMLError: yaml: line 1: did not find expected node"
        " content in File: x.yaml",
        {"x.yaml": "a: [\n"},
    ),
    Case(
        "no kustomization in YAML",
        "resources: [",
        "invalid Kustomization: yaml: line 1: did not find expected node content",
    ),
    Case(
        "an unknown field",
        "resourcez: []",
        'invalid Kustomization: json: unknown field "resourcez"',
    ),
    Case(
        "a field of the wrong type",
        "namespace: [x]",
        "invalid Kustomization: json: cannot unmarshal array into Go struct field Kustomization.namespace of"
        " type string",
    ),
    Case(
        "one object twice",
        "resources: [x.yaml, y.yaml]",
        "merging resources from 'y.yaml': may not add resource with an already registered id:"
        " Secret.v1.[noGrp]/x.[noNs]",
        {"x.yaml": OBJECT, "y.yaml": OBJECT},
    ),
    Case(
        "no name",
        "resources: [x.yaml]",
        "accumulating resources from 'x.yaml': missing metadata.name in v1 Secret",
        {"x.yaml": OBJECT.replace("name: x", f"labels: {{a: {SECRET}}}")},
    ),
    Case(
        "an address",
        "resources: ['https://user:hunter2@example.com/x.yaml']",
        "a render loads nothing from https://example.com/x.yaml",
    ),
    Case(
        "a git address",
        "resources: ['https://example.com/some/repository.git//dir?ref=v1']",
        "a render loads nothing from https://example.com/some/repository.git//dir?ref=v1",
    ),
    Case(
        "outside",
        "resources: [../elsewhere.yaml]",
        "accumulating resources from '../elsewhere.yaml': security; file 'PARENT/elsewhere.yaml' is not in or"
        " below 'DIR'",
        {"../elsewhere.yaml": OBJECT},
    ),
    Case(
        "a cycle",
        "resources: [below]",
        "cycle detected: candidate root 'DIR' contains visited root 'DIR/below'",
        {"below/kustomization.yaml": "resources: [..]"},
    ),
    Case(
        "a chart",
        "helmCharts: [{name: x, repo: 'https://example.com', version: '1'}]",
        "HelmChartInflationGenerator: must specify --enable-helm",
    ),
    Case(
        "a function that is a program",
        "resources: [x.yaml]\ntransformers: [f.yaml]",
        "external plugins disabled; unable to load external plugin 'F'",
        {"x.yaml": OBJECT, "f.yaml": FUNCTION % "exec: {path: ./x.sh}"},
    ),
    Case(
        "a function that is a container",
        "resources: [x.yaml]\ntransformers: [f.yaml]",
        "external plugins disabled; unable to load external plugin 'F'",
        {"x.yaml": OBJECT, "f.yaml": FUNCTION % "container: {image: x}"},
    ),
    Case(
        "a patch that is none",
        f"resources: [x.yaml]\npatches: [{{patch: '{SECRET}: ['}}]",
        "PatchTransformer: unable to parse SM or JSON patch",
        {"x.yaml": OBJECT},
    ),
    Case(
        "a literal that is none",
        f"secretGenerator: [{{name: x, literals: [{SECRET}]}}]",
        "loading KV pairs: a literal source is no key=value",
    ),
    Case(
        "a missing env file",
        "secretGenerator: [{name: x, envs: [nope.env]}]",
        "loading KV pairs: env source files: [nope.env]: DIR/nope.env does not exist",
    ),
]


def lay_out(directory: Path, kustomization: str, files: dict[str, str]) -> None:
    for name, text in {"kustomization.yaml": kustomization, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build(kustomize: str, directory: Path, workdir: Path) -> bytes:
    tool = Tool(kustomize, "5.8.2")
    return kustomize_tool.build(tool, str(directory), workdir=str(workdir), deadline=Deadline(60))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_errors(kustomize: str, tmp_path: Path, case: Case) -> None:
    directory = tmp_path / "d"
    lay_out(directory, case.kustomization, case.files)
    with pytest.raises(ToolError) as caught:
        build(kustomize, directory, tmp_path)
    said = str(caught.value).replace(str(directory), "DIR").replace(str(tmp_path), "PARENT")
    assert said == case.error
    assert SECRET not in caught.value.stderr


def test_warnings_are_no_output_and_nobodys_settings_have_a_say(
    kustomize: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, workdir = tmp_path / "-d", tmp_path / "w"
    workdir.mkdir()
    lay_out(directory, "resources: [x.yaml]\ncommonLabels: {a: b}\n", {"x.yaml": OBJECT})
    expected = build(kustomize, directory, workdir)
    assert expected.startswith(b"apiVersion: v1\nkind: Secret\n")
    for name, value in {
        "HOME": "/nonexistent",
        "KUSTOMIZE_PLUGIN_HOME": str(tmp_path),
        "GIT_TRACE": "1",
        "KUSTOMIZE_ENABLE_ALPHA_COMMANDS": "true",
        "GODEBUG": "nonsense=1",
    }.items():
        monkeypatch.setenv(name, value)
    assert build(kustomize, directory, workdir) == expected
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("", ""),
        ("# Warning: old\nError: boom\nmore\n", "boom more"),
        ("panic: oh\n\ngoroutine 1:\n\tmain()\n", "panic: oh"),
    ],
)
def test_texts(stderr: str, reason: str) -> None:
    assert explain(stderr) == reason


@pytest.mark.parametrize(
    "words",
    [
        "accumulation err='",
        "cycle ",
        "evalsymlink failure on '",
        "literal sources [",
        " in object {{",
        "//",
        "`: ",
    ],
)
def test_an_endless_text_is_read_in_no_time(words: str) -> None:
    started = time.monotonic()
    assert len(explain("Error: " + words * 50_000)) < 20_000
    assert time.monotonic() - started < 5
