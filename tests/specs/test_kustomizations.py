"""A kustomization of the repository is read as Kustomize reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmp_plugin.errors import InputError, Location
from cmp_plugin.goyaml.load import plain
from cmp_plugin.specs.kustomizations import Kustomization, read_kustomization
from cmp_plugin.system.files import FileTree

AT = Location("services/web/service.yaml", 4, 13)


def read(root: Path, text: str, name: str = "kustomization.yaml") -> Kustomization | None:
    (root / "web").mkdir()
    (root / "web" / name).write_text(text)
    return read_kustomization(FileTree(os.path.realpath(root), ("/",)), "/web", AT)


def test_it_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    found = read(tmp_path, "resources: [a.yaml]\n", "Kustomization")
    assert found is not None and found.file == "/web/Kustomization"


def test_another_file_is_no_kustomization(tmp_path: Path) -> None:
    assert read(tmp_path, "resources: [a.yaml]\n", "other.yaml") is None


def test_capitals_do_not_count_and_each_spelling_does(tmp_path: Path) -> None:
    text = "Resources: [a]\nresources: [b, c]\nCONFIGMAPGENERATOR: [{name: x}]\nBases: null\nresurCes: [d]\nlabels: {a: b}\n"
    found = read(tmp_path, text)
    assert found is not None
    fields = {name: [plain(value) for value in values] for name, values in found.fields.items()}
    assert fields == {
        "resources": [["a"], ["b", "c"]],
        "configMapGenerator": [[{"name": "x"}]],
        "resurces": [["d"]],
        "labels": [{"a": "b"}],
    }
    assert [item.value for item in found.items("resources")] == ["a", "b", "c"]
    assert found.items("labels") == found.items("bases") == found.items("absent") == []


def test_what_it_builds_on_is_listed_and_can_be_changed(tmp_path: Path) -> None:
    found = read(tmp_path, "components: [c]\nBases: [b]\nresources: [a, 5]\ncrds: [d]\nnamePrefix: x\n")
    assert found is not None
    assert [plain(entry) for entry in found.builds_on()] == ["a", 5, "b", "c"]
    assert plain(found.with_builds_on(lambda entry: entry.with_value(f"<{entry.value}>"))) == {
        "components": ["<c>"],
        "Bases": ["<b>"],
        "resources": ["<a>", "<5>"],
        "crds": ["d"],
        "namePrefix": "x",
    }


def test_an_empty_one_has_no_fields(tmp_path: Path) -> None:
    found = read(tmp_path, "# nothing yet\n")
    assert found is not None and (found.fields, found.builds_on()) == ({}, [])


@pytest.mark.parametrize("text", ["- a\n", "text\n"])
def test_what_is_no_map_is_an_error_in_its_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert refused.value.at == Location("web/kustomization.yaml", 1, 1)
