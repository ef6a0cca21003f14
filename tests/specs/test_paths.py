"""Paths in specs: what they are relative to, which fields are paths, where they may lead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleets import refusal, resolved, write
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.errors import CmpError, InputError, Location
from cmp_plugin.goyaml.load import node, plain
from cmp_plugin.specs.interpolate import Scope
from cmp_plugin.specs.paths import BlockFile, named_paths, with_canonical_paths
from cmp_plugin.system.files import allowed_in, canonical

AT = Location("clusters/c/cluster.yaml", 3, 1)
SCOPE = Scope({"cluster.name": "c", "cluster.labels.env": "prod"}, {"dir": node("d/${cluster.name}", AT)})
FILE = BlockFile("/services/web", ("/services",), lambda: SCOPE)


def changed(block: dict[str, Any], file: BlockFile = FILE) -> dict[str, Any]:
    result = plain(with_canonical_paths(node(block, AT), file))
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", "/services/web/a"),
        ("a/", "/services/web/a"),
        ("./a//b/.", "/services/web/a/b"),
        ("../other/x", "/services/other/x"),
        ("/profiles/x", "/profiles/x"),
        (".", "/services/web"),
        ("/", "/"),
        ("...", "/services/web/..."),
        ("a b/ü.yaml", "/services/web/a b/ü.yaml"),
    ],
)
def test_canonical(path: str, expected: str) -> None:
    assert canonical(path, "/services/web", AT) == expected


@pytest.mark.parametrize("path", ["../../../x", "/..", "/a/../../b", "a\\b", "a\0b", "https://x/y"])
def test_what_is_no_path_in_the_fleet(path: str) -> None:
    with pytest.raises(InputError) as refused:
        canonical(path, "/services/web", AT)
    assert str(refused.value).startswith("clusters/c/cluster.yaml:3:1: ")


STEPS = st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8).map("/".join)


@given(STEPS)
def test_a_canonical_path_never_climbs(path: str) -> None:
    try:
        found = canonical(path, "/services/web", AT)
    except InputError:
        return
    assert found.startswith("/") and ".." not in found.split("/") and "//" not in found
    assert canonical(found, "/elsewhere", AT) == found


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/services/x", True), ("/services", True), ("/servicesx", False), ("/clusters/c", False), ("/", False)],
)
def test_allowed_by_name(path: str, allowed: bool) -> None:
    assert allowed_in(path, ("/services",)) is allowed
    assert allowed_in(path, ("/",))


FRAGMENT = {
    "resources": ["r", "https://example.com/x?ref=v1"],
    "components": ["c"],
    "crds": ["d"],
    "configurations": ["e"],
    "generators": ["g"],
    "transformers": ["t", "apiVersion: x\nkind: y\n"],
    "validators": ["v"],
    "openapi": {"path": "o"},
    "patches": [{"path": "p", "target": {"name": "path"}}, {"patch": "x"}],
    "replacements": [{"path": "q"}, {"source": {"fieldPath": "metadata.name"}}],
    "configMapGenerator": [{"name": "n", "files": ["f", "key=f"], "envs": ["h"], "env": "i", "literals": ["a=b"]}],
    "secretGenerator": [{"name": "n", "files": ["f"]}],
    "namePrefix": "x",
}
PLACED = {
    "resources": ["/services/web/r", "https://example.com/x?ref=v1"],
    "components": ["/services/web/c"],
    "crds": ["/services/web/d"],
    "configurations": ["/services/web/e"],
    "generators": ["/services/web/g"],
    "transformers": ["/services/web/t", "apiVersion: x\nkind: y\n"],
    "validators": ["/services/web/v"],
    "openapi": {"path": "/services/web/o"},
    "patches": [{"path": "/services/web/p", "target": {"name": "path"}}, {"patch": "x"}],
    "replacements": [{"path": "/services/web/q"}, {"source": {"fieldPath": "metadata.name"}}],
    "configMapGenerator": [
        {
            "name": "n",
            "files": ["/services/web/f", "key=/services/web/f"],
            "envs": ["/services/web/h"],
            "env": "/services/web/i",
            "literals": ["a=b"],
        }
    ],
    "secretGenerator": [{"name": "n", "files": ["/services/web/f"]}],
    "namePrefix": "x",
}


@pytest.mark.parametrize("plus", ["", "+"])
def test_the_path_fields_of_a_fragment_and_no_others(plus: str) -> None:
    lists = {f"{key}{plus}" if isinstance(value, list) else key: value for key, value in FRAGMENT.items()}
    wanted = {f"{key}{plus}" if isinstance(value, list) else key: value for key, value in PLACED.items()}
    assert changed({"kustomize": lists}) == {"kustomize": wanted}


def test_the_path_fields_of_a_block_and_no_others() -> None:
    block: dict[str, Any] = {
        "namespace": "n",
        "chart": {"path": "c"},
        "valuesFiles": ["v", "w?"],
        "resources": ["r"],
        "patches": {"a": {"path": "p", "target": {"name": "x"}}, "b": {"patch": {"path": "x"}}, "c": None},
        "values": {"path": "x", "resources": ["r"]},
    }
    assert changed(block) == {
        **block,
        "chart": {"path": "/services/web/c"},
        "valuesFiles": ["/services/web/v", "/services/web/w?"],
        "resources": ["/services/web/r"],
        "patches": {**block["patches"], "a": {"path": "/services/web/p", "target": {"name": "x"}}},
    }
    names = [path.value for path in named_paths(with_canonical_paths(node(block, AT), FILE))]
    assert names == [f"/services/web/{name}" for name in ["c", "v", "w?", "r", "p"]]


def test_paths_are_interpolated_once_and_early() -> None:
    assert changed({"resources": ["${vars.dir}/$${vars.x}"]}) == {"resources": ["/services/web/d/c/${vars.x}"]}


@pytest.mark.parametrize("name", ["vars.own", "service.name", "cluster.labels.x"])
def test_what_a_path_does_not_see(name: str) -> None:
    with pytest.raises(CmpError) as refused:
        changed({"resources": [f"a/${{{name}}}"]})
    assert f"${{{name}}} is not known here" in str(refused.value)


def test_every_wrong_path_of_a_block_is_reported() -> None:
    with pytest.raises(CmpError) as refused:
        changed({"resources": ["/a", "ok", "/b"], "chart": {"path": "/c"}})
    assert len(str(refused.value).splitlines()) == 3


WHERE = [
    ("fleet.yaml", "defaults: {{resources: [{0}]}}", "services/x", "/services/x"),
    ("fleet.yaml", "defaults: {{resources: [{0}]}}", "shared/x", "refused"),
    ("profiles/p.yaml", "services: {{web: {{resources: [{0}]}}}}", "x", "/profiles/x"),
    ("profiles/p.yaml", "services: {{web: {{resources: [{0}]}}}}", "/clusters/c/x", "refused"),
    ("profiles/p.yaml", "services: {{web: {{resources: [{0}]}}}}", "../services/web/x", "/services/web/x"),
    ("services/web/service.yaml", "resources: [{0}]", "x", "/services/web/x"),
    ("services/web/service.yaml", "resources: [{0}]", "/clusters/c/x", "refused"),
    ("services/web/service.yaml", "resources: [{0}]", "../../shared/x", "refused"),
    ("services/web/service.yaml", "variants: {{v: {{when: {{a: b}}, resources: [{0}]}}}}", "x", "/services/web/x"),
    ("clusters/c/cluster.yaml", "services: {{web: {{resources: [{0}]}}}}", "x", "/clusters/c/x"),
    ("clusters/c/cluster.yaml", "services: {{web: {{resources: [{0}]}}}}", "../d/x", "refused"),
    ("clusters/c/cluster.yaml", "services: {{web: {{resources: [{0}]}}}}", "/shared/x", "refused"),
]


@pytest.mark.parametrize(("file", "text", "path", "expected"), WHERE)
def test_which_file_may_name_what(file: str, text: str, path: str, expected: str, tmp_path: Path) -> None:
    files = {
        "profiles/p.yaml": "",
        "services/web/service.yaml": "",
        "clusters/c/cluster.yaml": "services: {web: }",
    }
    files[file] = text.format(path)
    files["clusters/c/cluster.yaml"] += "\nprofiles: [p]\nlabels: {a: b}"
    root = write(tmp_path, files)
    if expected == "refused":
        assert "lies outside of profiles/, services/" in refusal(root)
    else:
        assert [each.path for each in resolved(root).service.resources] == [expected]


@pytest.mark.parametrize(("directories", "fits"), [("[shared]", True), ("[.]", True), ("[sha]", False)])
def test_directories_allow_more(directories: str, fits: bool, tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "fleet.yaml": f"directories: {directories}",
            "services/web/service.yaml": "resources: [/shared/x]",
            "clusters/c/cluster.yaml": "services: {web: }",
        },
    )
    if fits:
        assert [each.path for each in resolved(root).service.resources] == ["/shared/x"]
    else:
        assert 'service.yaml:3:13: "/shared/x" lies outside of profiles/, services/, sha/' in refusal(root)
