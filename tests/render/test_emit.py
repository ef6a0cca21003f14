"""The stream that Argo CD reads."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from cmp_plugin.goyaml.load import load_manifests
from cmp_plugin.render.manifest import Manifest, emit


def test_one_line_an_object() -> None:
    values: list[dict[str, Any]] = [
        {"kind": "B", "a": "\u00e9 \U0001f600\n\u2028"},
        {"z": [1, {"b": None, "a": 1.5}], "kind": "A"},
    ]
    assert emit(Manifest(value, "") for value in values) == (
        '{"a":"\u00e9 \U0001f600\\n\u2028","kind":"B"}\n{"kind":"A","z":[1,{"a":1.5,"b":null}]}\n'.encode()
    )
    assert emit([]) == b""


def test_what_is_emitted_is_read_back(tmp_path: Path, kustomize: str) -> None:
    """By a YAML reader of Go, as Argo CD's is."""
    texts = ["a\u00a0b\u2028c\t'\"\\{[#&*!|>%@`: - ", "no", "1e3", "~", "", "0o7", "2020-01-01", "\U0001f600"]
    data = {f"{place} {text[:3]}": text for place, text in enumerate(texts)} | dict(zip("yn~", "yn~", strict=True))
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    (tmp_path / "a.yaml").write_bytes(emit([Manifest(value, "")]))
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    done = subprocess.run([kustomize, "build", str(tmp_path)], capture_output=True, timeout=60, check=True)
    assert [one.value for one in load_manifests(done.stdout)] == [value]
