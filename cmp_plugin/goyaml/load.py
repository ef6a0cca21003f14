"""The one reader of YAML: specs strictly, values files as Helm does, manifests as Argo CD does.

In: bytes that someone else has read, and the name that errors give them. Out: `Node` trees that know
their positions, or plain values. Scalars are Go's (scalars), so a value means here what it means to
Helm and Argo CD; text that they would read differently from us, or from each other, is refused with
its position. Size, depth and aliases are bounded. The writers are in dump and are offered here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from ..errors import InputError, Location
from .dump import dump_json, dump_line, dump_values, dump_yaml
from .events import AliasBomb
from .lenient import Manifests, Values
from .node import Node, node, plain
from .scalars import Scalar
from .strict import Strict

__all__ = [
    "Document",
    "Node",
    "check_aliases",
    "dump_json",
    "dump_line",
    "dump_values",
    "dump_yaml",
    "each_manifest",
    "load",
    "load_all",
    "load_documents",
    "load_manifests",
    "load_values",
    "node",
    "plain",
]

MAX_FILE = 5 * 2**20  # what Helm allows a file of a chart
MAX_MANIFESTS = 100 * 2**20  # what Argo CD's repo-server sends at most (ARGOCD_GRPC_MAX_SIZE_MB)

# Values in one file, and in all manifests: the largest charts have 4,000 and 120,000.
MAX_VALUES = 100_000
MAX_MANIFEST_VALUES = 1_000_000

# The Kubernetes reader splits at lines that begin with "---", before it knows of YAML; some that
# are such a line to it are text to YAML and the other way round.
_SEPARATOR = re.compile(rb"^---[^\n]*\n?", re.MULTILINE)
_ODD_SEPARATOR = re.compile(rb"^---(?!(?:[ \t]+#(?:(?!\xc2\x85|\xe2\x80[\xa8\xa9])[^\r\n])*|[ \t]*)\r?$)", re.MULTILINE)
_SOURCE_LINE = re.compile(rb"^# Source: ([^\r\n]+)", re.MULTILINE)


class Document(NamedTuple):
    """An object that a tool printed, and the template that Helm says it is from, or ""."""

    value: dict[str, Any]
    source: str


def load(data: bytes, file: str) -> Node:
    """The one map that a spec is. Raises `Errors` with everything that is refused in the file."""
    reader = Strict(_bounded(data, file), file, MAX_VALUES)
    root, second = (*islice(reader.documents(), 2), None, None)[:2]
    if root is None:
        reader.fail_at("the file is empty", Location(file))
    if second is not None:
        reader.fail_at("one document is expected, this is another", second.at)
    if not isinstance(root.value, dict):
        reader.fail_at("the file must be a map (key: value)", root.at)
    reader.finish()
    return root


def load_all(data: bytes, file: str, at: Location | None = None) -> list[Node]:
    """Every document that is not null, maps or not, as strictly as `load`.

    `at`: for a text inside a spec, the line of the `|` above it and the column where it begins;
    positions then count from there, in the file that `at` names.
    """
    origin = (at.line, at.column - 1) if at else (0, 0)
    reader = Strict(_bounded(data, file), at.file if at else file, MAX_VALUES, origin)
    roots = [root for root in reader.documents() if root.value is not None]
    reader.finish()
    return roots


def load_values(data: bytes, file: str) -> Node:
    """A values file as Helm reads it (`helm -f`): numbers are float64, a later key wins.

    An empty file is an empty map. Raises `InputError` for what Helm refuses, and for what Helm 3
    and Helm 4 or libyaml and Go read differently: several documents, tags of one's own.
    """
    if odd := _ODD_SEPARATOR.search(_bounded(data, file)):
        line = data.count(b"\n", 0, odd.start()) + 1
        message = 'a line that starts with "---" may hold nothing else but a comment'
        raise InputError(message, Location(file, line, 1))
    root = _values(data, file)
    # Helm 4 ends the last line itself, Helm 3 does not, and a block of text sees it.
    if data[-1:] not in (b"", b"\n") and plain(_values(data + b"\n", file)) != plain(root):
        raise InputError(
            "the block of text at the end needs a line break: Helm 3 and Helm 4 differ without",
            Location(file),
        )
    return root


def load_documents(data: bytes, file: str) -> list[Node]:
    """Every document of a file of manifests with its positions, read as `load_values` reads one."""
    return list(Values(_bounded(data, file), file, MAX_VALUES, {}).documents())


def _values(data: bytes, file: str) -> Node:
    root: Node | None = None
    for document in Values(data, file, MAX_VALUES, {}).documents():
        if root is not None and document.value is not None:
            raise InputError(
                "a second document: Helm 3 ignores it, Helm 4 merges it; give it its own file",
                document.at,
            )
        root = root or document
    if root is None or root.value is None:
        return Node({}, root.at if root else Location(file))
    if not isinstance(root.value, dict):
        raise InputError("a values file must be a map (key: value)", root.at)
    return root


def load_manifests(data: bytes) -> list[Document]:
    """What Argo CD makes of a tool's output; see `each_manifest`."""
    return list(each_manifest(data))


def each_manifest(data: bytes) -> Iterator[Document]:
    """The objects in `data`, one at a time, as Argo CD (gitops-engine, SplitYAML) reads them.

    A document without a `# Source:` has the one before it: Helm prints a file of crds/ as it is.
    Empty documents are left out. Numbers are int64 or float64, integral ones int. Raises
    `InputError` that names the template and the line below its `# Source:`.
    """
    if len(data) > MAX_MANIFESTS:
        raise InputError(f"the manifests are larger than {MAX_MANIFESTS // 2**20} MiB")
    if odd := _ODD_SEPARATOR.search(data):
        sources = _SOURCE_LINE.findall(data, 0, odd.start())
        raise InputError(
            'it prints a line that starts with "---" and holds more than a comment',
            Location(_rendered(_source(sources[-1]) if sources else "", 1)),
        )
    source, memo, left = "", dict[str, Scalar](), MAX_MANIFEST_VALUES
    for number, text in enumerate(_split(data), start=1):
        if source_line := _SOURCE_LINE.match(text):
            source = _source(source_line[1])
        reader = Manifests(text, _rendered(source, number), left, memo)
        value, *others = [*reader.documents()] or [None]
        left = reader.left
        if any(other is not None for other in others):
            raise InputError('a second document without "---" between them', Location(reader.file))
        if value is not None and not isinstance(value, dict):
            raise InputError("a manifest must be a map with apiVersion, kind and metadata", Location(reader.file))
        if value is not None:
            yield Document(value, source)


def _source(path: bytes) -> str:
    return "".join(c if c.isprintable() else "?" for c in path.decode("utf-8", "replace"))


def _rendered(source: str, number: int) -> str:
    return f"{source or f'document {number}'} as rendered"


def check_aliases(data: bytes, file: str) -> None:
    """Raises AliasBomb for a file that Kustomize will read itself. Its other faults are Kustomize's to tell."""
    if b"&" not in data or b"*" not in data:
        return
    for text in _split(data):
        try:
            list(Manifests(text, file, MAX_MANIFEST_VALUES, {}).documents())
        except AliasBomb:
            raise
        except InputError:
            continue


def _split(data: bytes) -> Iterator[bytes]:
    """What stands between separators, but for empty lines; the last line ends in any case."""
    begin = 0
    for separator in _SEPARATOR.finditer(data):
        text = data[begin : separator.start()]
        if text.strip(b"\n"):
            yield text
        begin = separator.end()
    if data[begin:].strip(b"\n"):
        yield data[begin:] if data[-1:] == b"\n" else data[begin:] + b"\n"


def _bounded(data: bytes, file: str) -> bytes:
    if len(data) > MAX_FILE:
        raise InputError(f"larger than {MAX_FILE // 2**20} MiB", Location(file))
    return data
