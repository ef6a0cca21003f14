"""What Kustomize would open is looked at first."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from cmp_plugin.errors import InputError, Location
from cmp_plugin.render.kustomize.references import References
from cmp_plugin.system.files import FileTree

AT = Location("services/web/service.yaml", 4, 13)


def references(root: Path, files: dict[str, str], path: str) -> References:
    for name, text in files.items():
        place = root / "services" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    found = References(FileTree(os.path.realpath(root), ("/services",)))
    found.resource(f"/services/{path}", AT)
    return found


def bomb() -> str:
    """1 KiB that is 100,000,000 values."""
    names = "abcdefghi"
    lines = [f"a: &a [{', '.join('x' * 10)}]"]
    lines += [f"{one}: &{one} [{', '.join([f'*{below}'] * 10)}]" for below, one in itertools.pairwise(names)]
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", ["web/bomb.yaml", "web"])
def test_aliases_that_multiply_never_reach_kustomize(path: str, tmp_path: Path) -> None:
    files = {"web/kustomization.yaml": "resources: [bomb.yaml]\n", "web/bomb.yaml": bomb()}
    with pytest.raises(InputError) as refused:
        references(tmp_path, files, path)
    assert str(refused.value).startswith("services/web/bomb.yaml:")
    assert "aliases make" in str(refused.value)


def test_few_aliases_and_what_only_kustomize_reads_pass(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: &a x, b: *a, c: !mine y}\n"
    assert references(tmp_path, {"web/a.yaml": text}, "web/a.yaml").directories == []


def test_a_misspelt_field_of_a_kustomization_has_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        references(tmp_path, {"web/kustomization.yaml": "kind: Kustomization\nresurces: [a.yaml]\n"}, "web")
    expected = (
        'services/web/kustomization.yaml:2:1: unknown key "resurces" in a kustomization (did you mean "resources"?)'
    )
    assert str(refused.value) == expected
