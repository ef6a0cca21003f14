"""Which part of a patch is about a field of an object: for a line to show, and for who gave the field its value."""

from __future__ import annotations

from typing import Any

import pytest

from cmp_plugin.render.kustomize.patch_parts import part_of_patch
from services import patch

OBJECT: dict[str, Any] = {
    "kind": "Deployment",
    "spec": {
        "replicas": 2,
        "template": {"containers": [{"name": "new"}, {"name": "a", "image": "x"}, {"name": "b", "args": ["-v"]}]},
    },
}
MERGE = """\
kind: Deployment
spec:
  replicas: 2
  template:
    containers:
    - name: a
      image: x
    - name: b
      args: [-v]
"""
OPERATIONS = """\
- {op: test, path: /spec/replicas}
- {op: replace, path: /spec/replicas, value: 2}
- {op: add, path: /spec/template/containers/-, value: {name: b}}
- {op: remove, path: /metadata/labels/x~1y}
- {op: remove, path: /spec/template/containers/1/command}
"""


@pytest.mark.parametrize(
    ("path", "nearest", "exact"),
    [
        (("spec", "replicas"), 3, 3),
        (("spec", "template", "containers", 1, "image"), 7, 7),
        (("spec", "template", "containers", 2, "args", 0), 9, 9),
        # In the object another item comes first: it is told by its name, not by its position.
        (("spec", "template", "containers", 0), 5, None),
        (("spec", "template", "containers", 2, "image"), 8, None),
        (("spec", "paused"), 2, None),
        (("status",), None, None),
    ],
)
def test_a_strategic_merge(path: tuple[str | int, ...], nearest: int | None, exact: int | None) -> None:
    merge = patch(MERGE)
    parts = [part_of_patch(merge, OBJECT, path), part_of_patch(merge, OBJECT, path, exact=True)]
    assert [part.start.line if part is not None else None for part in parts] == [nearest, exact]


@pytest.mark.parametrize(
    ("path", "nearest", "exact"),
    [
        (("spec", "replicas"), 2, 2),
        # An item that was added at the end may be the one.
        (("spec", "template", "containers", 2, "name"), 3, 3),
        # Something below it was removed: that is about it, but is not where its value is from.
        (("spec", "template", "containers", 1), 5, 3),
        (("metadata", "labels", "x/y"), 4, None),
        (("metadata", "labels", "x"), None, None),
        (("status",), None, None),
    ],
)
def test_operations(path: tuple[str | int, ...], nearest: int | None, exact: int | None) -> None:
    operations = patch(OPERATIONS, kind="Deployment")
    parts = [part_of_patch(operations, OBJECT, path), part_of_patch(operations, OBJECT, path, exact=True)]
    assert [part.start.line if part is not None else None for part in parts] == [nearest, exact]


def test_of_several_documents_the_last_counts() -> None:
    several = patch("spec: {replicas: 1}\n---\nspec: {replicas: 2}\n---\nspec: {paused: true}\n")
    part = part_of_patch(several, OBJECT, ("spec", "replicas"), exact=True)
    assert part is not None and (part.value, part.start.line) == (2, 3)
