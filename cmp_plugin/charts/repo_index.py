"""The index.yaml of a chart repository: what it says about one chart.

In: the file's bytes, some of them 50 MB. Out: that chart's versions. Helm itself looks up what it
fetches; this is for what Helm does not tell (address and digest) and for directories, which it cannot
read as repositories. Only the chart's own part is parsed: all of it takes a minute and a gigabyte.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import NamedTuple

import yaml

from ..errors import InputError
from ..tools.versions import same

_SMALL = 4 << 20
_FIRST_KEY = re.compile(rb"^( *)[^\s#]", re.MULTILINE)
_ENTRIES = re.compile(rb"^entries:[ \t]*(?:#[^\n]*)?$", re.MULTILINE)


class Version(NamedTuple):
    """One version of a chart. `digest` in hex or ""; `urls` as written, relative or absolute."""

    version: str
    digest: str
    urls: tuple[str, ...]


def versions(index: bytes, name: str) -> list[Version]:
    """The versions of the chart `name`, in the file's order; empty when there are none."""
    try:
        entries = _part(index, name)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InputError("its index.yaml is not to be understood") from None
    listed: list[Version] = []
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("version"), str):
            urls, digest = entry.get("urls"), entry.get("digest")
            addresses = tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else ()
            digest = digest.removeprefix("sha256:") if isinstance(digest, str) else ""
            listed.append(Version(entry["version"], digest, addresses))
    return listed


def pick(listed: list[Version], version: str) -> Version | None:
    """The exact version, else the one that differs in a leading `v` only, as Helm takes it."""
    exact = [entry for entry in listed if entry.version == version]
    near = [entry for entry in listed if same(entry.version, version)]
    return next(iter(exact or near), None)


def _part(index: bytes, name: str) -> list[object]:
    if index.lstrip()[:1] == b"{":
        with contextlib.suppress(ValueError):
            return _listed(json.loads(index), name)
    start = _ENTRIES.search(index)
    if start is not None:
        return _listed({"entries": yaml.load(_block(index, name, start.end()), yaml.CSafeLoader)}, name)
    if len(index) > _SMALL:
        raise ValueError("not in block style, and too large to be read whole")
    return _listed(yaml.load(index, yaml.CSafeLoader), name)


def _listed(document: object, name: str) -> list[object]:
    entries = document.get("entries") if isinstance(document, dict) else None
    listed = entries.get(name) if isinstance(entries, dict) else None
    return listed if isinstance(listed, list) else []


def _block(index: bytes, name: str, start: int) -> bytes:
    """The lines of `entries.<name>`, in block style as every tool writes it."""
    first = _FIRST_KEY.search(index, start)
    indent = first[1] if first else b"  "
    key = re.compile(rb"^" + indent + rb"([\"']?)" + re.escape(name.encode()) + rb"\1:(?=[ \t\n])", re.MULTILINE)
    match = key.search(index, start)
    if match is None:
        return b""
    after = re.compile(rb"^(?!" + indent + rb"[ -]|[ \t]*$|[ \t]*#)", re.MULTILINE).search(index, match.end() + 1)
    return index[match.start() : after.start() if after else len(index)]
