"""Manifests -> the one stream that Argo CD reads: a JSON document a line.

In: checked manifests. Out: bytes, the same for the same manifests. Writes nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..goyaml.load import dump_json
from .manifest import Manifest


def emit(manifests: Iterable[Manifest]) -> bytes:
    """One line an object in their order: compact JSON, sorted keys, UTF-8, a newline at each end."""
    return "".join(f"{dump_json(manifest.value)}\n" for manifest in manifests).encode()
