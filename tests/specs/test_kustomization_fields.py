"""The table of Kustomize's fields: as the real Kustomize has them, and what a fragment may hold of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import node, plain
from cmp_plugin.specs.kustomization_fields import (
    FIELDS,
    MAP,
    MAPS,
    TEXT,
    TEXTS,
    Stage,
    fragment_field,
    paths,
    with_paths,
)

AT = Location("services/web/service.yaml", 7, 3)
OF_FORM: dict[str, Any] = {TEXT: "x", MAP: {}, TEXTS: ["x"], MAPS: [{}]}

# A field with its tag, as reflection finds it in the program: its name, the tag's length in a byte or two, the tag.
TAGGED = re.compile(rb'[A-Z][A-Za-z0-9]*[\x00-\xff]{1,2}json:"(\w+),omitempty" yaml:"(\w+),omitempty"')


def complaint(kustomize: str, directory: Path, field: str, value: str) -> str:
    """What the real Kustomize says to a kustomization with one field."""
    (directory / "kustomization.yaml").write_text(f"{field}: {value}\n")
    return subprocess.run([kustomize, "build", directory], capture_output=True, text=True, check=False).stderr


def test_the_rows_are_the_fields_of_the_real_kustomize(kustomize: str, tmp_path: Path) -> None:
    """Every name that any field of the program has in YAML is tried: which are a kustomization's, it says itself."""
    program = Path(kustomize).read_bytes()
    names = {json.decode() for json, yaml in TAGGED.findall(program) if json == yaml}
    assert len(names) > 100  # those of all types together, a patch's and a Helm chart's among them
    known = {name for name in names if "unknown field" not in complaint(kustomize, tmp_path, name, "null")}
    assert known == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_the_form_of_a_field_is_the_real_ones(name: str, kustomize: str, tmp_path: Path) -> None:
    taken = [
        form
        for form, value in OF_FORM.items()
        if "cannot unmarshal" not in complaint(kustomize, tmp_path, name, str(value))
    ]
    assert taken == [FIELDS[name].form]


def test_every_path_of_a_field_is_found_and_changed() -> None:
    fields = {
        "resources": (["a", "kind: X\n"], ["<a>", "<kind: X\n>"]),
        "patches": ([{"path": "a", "target": {"path": "b"}}, {"patch": "c"}], [{"path": "<a>", "target": {"path": "b"}}, {"patch": "c"}]),
        "openapi": ({"path": "a"}, {"path": "<a>"}),
        "secretGenerator": (
            [{"files": ["a", "key=b"], "envs": ["c"], "env": "d", "literals": ["e=f"]}],
            [{"files": ["<a>", "key=<b>"], "envs": ["<c>"], "env": "<d>", "literals": ["e=f"]}],
        ),
        "namePrefix": ("a", "a"),
        "nothing": ("a", "a"),
    }  # fmt: skip
    for name, (written, expected) in fields.items():
        for key in (name, f"{name}+"):
            changed = with_paths(key, node(written, AT), lambda path: path.with_value(f"<{path.value}>"))
            assert plain(changed) == expected, key
    generator = node([{"Files": ["a", "key=b"], "env": "d", "literals": ["e=f"]}], AT)
    assert [path.value for path in paths("secretGenerator", generator)] == ["a", "key=b", "d"]
    assert [path.value for path in paths("namePrefix", node("a", AT))] == []


def test_what_is_no_text_is_no_path() -> None:
    written = [{"path": 5}, {"path": None}, "x"]
    assert plain(with_paths("patches", node(written, AT), lambda path: path.with_value("changed"))) == written


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("patchs", [], 'unknown key "patchs" in kustomize (did you mean "patches"?)'),
        ("patches", {}, "kustomize.patches must be a list of maps"),
        ("configMapGenerator", ["x"], "kustomize.configMapGenerator must be a list of maps"),
        ("generatorOptions", ["x"], "kustomize.generatorOptions must be a map"),
        ("resources+", [5], "kustomize.resources must be a list of strings"),
        ("namePrefix", 5, "kustomize.namePrefix must be a string"),
        ("patches", "${vars.x}", "kustomize.patches must be a list of maps"),
        ("helmCharts", [{"name": "x"}], '"helmCharts" has no place in a fragment (use the service\'s `chart`)'),
        ("helmGlobals", {}, '"helmGlobals" has no place in a fragment (use the service\'s `chart`)'),
        (
            "helmChartInflationGenerator",
            [{}],
            '"helmChartInflationGenerator" has no place in a fragment (use the service\'s `chart`)',
        ),
        ("bases", ["x"], '"bases" has no place in a fragment (use `resources`)'),
        ("imageTags", [{}], '"imageTags" has no place in a fragment (use `images`)'),
    ],
)
def test_what_a_fragment_cannot_have(key: str, value: object, error: str) -> None:
    (wrong,) = fragment_field(key, node(value, AT), final=True)
    assert str(wrong).removeprefix(f"{AT}: ") == error


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if not field.refused])
def test_what_a_fragment_may_have(name: str) -> None:
    for key in (name, f"{name}+"):
        assert fragment_field(key, node(OF_FORM[FIELDS[name].form], AT), final=True) == []
        assert fragment_field(key, node(None, AT), final=True) == []
        assert fragment_field(key, node("${vars.x}", AT)) == []


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("before", ["components", "patchesStrategicMerge", "patches"]),
        (
            "after",
            [
                *("namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations"),
                *("patchesJson6902", "replicas", "imageTags", "images", "replacements", "vars"),
                *("transformers", "validators"),
            ],
        ),
    ],
)
def test_the_rows_are_in_kustomizes_order(stage: Stage, names: list[str]) -> None:
    """As target.KustTarget of api 0.21.2 puts its transformers together."""
    assert [name for name, field in FIELDS.items() if field.stage == stage] == names
