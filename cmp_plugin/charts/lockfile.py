"""services/<s>/service.lock: what exactly each chart is that the fleet uses of a service.

In: the file's bytes, or entries. Out: entries, or the file's bytes: sorted, one key a line, no
comments. It comes from git: nothing in it is believed before it has the right form.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import CmpError, Errors, InputError
from ..goyaml.load import Node, dump_yaml, load
from .chart_request import NAME, ChartRequest, checked_address

FILE = "service.lock"
API_VERSION = "cmp-plugin/v1alpha1"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# What a chart calls its version becomes part of a file name, whatever Helm takes for a version.
_IN_A_FILE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]*")
_WRITTEN = "`cmp-plugin lock` writes this file"
_REQUIRED = ("name", "repository", "version", "digest")
_KNOWN = (*_REQUIRED, "request", "url", "kubeVersion", "dependencies")


class Locked(NamedTuple):
    """One chart. `version` is what the chart calls itself; `request` what was asked for, where it differs.

    `digest`: `sha256:` and the archive's sum. `url`: where the repository's index said the archive is.
    `dependencies`: (name, version) of the charts inside.
    """

    repository: str
    name: str
    version: str
    digest: str
    request: str = ""
    url: str = ""
    kube_version: str = ""
    dependencies: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of the `ChartRequest` that it answers."""
        return (self.repository, self.name, self.request or self.version)

    @property
    def file(self) -> str:
        """The archive's name beside the service, once vendored."""
        return f"{self.name}-{self.version}.tgz"


def find(entries: Iterable[Locked], request: ChartRequest) -> Locked | None:
    """The entry that answers `request`."""
    return next((entry for entry in entries if entry.key == request.key), None)


@functools.lru_cache(maxsize=256)  # pure; a preview of many clusters reads each lock once a cluster
def parse(data: bytes, file: str) -> tuple[Locked, ...]:
    """The entries of a lock file. Raises Errors with everything that is wrong in it."""
    top = load(data, file)
    fields = _fields(top)
    for key, expected in (("apiVersion", API_VERSION), ("kind", "Lock")):
        node = fields.get(key)
        if node is None or node.value != expected:
            raise InputError(f"a lock file has `{key}: {expected}`", node.at if node else top.at)
    errors: list[CmpError] = []
    entries: list[Locked] = []
    for item in top.elements("charts"):
        try:
            entries.append(_entry(item))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return tuple(entries)


def _entry(node: Node) -> Locked:
    fields = _fields(node)
    for key, child in fields.items():
        if key not in _KNOWN:
            raise InputError(f'unknown key "{key}" in a lock file', child.start)
    for key in _REQUIRED:
        if key not in fields:
            raise InputError(f"an entry of a lock file has a {key}", node.at)

    def matching(key: str, pattern: re.Pattern[str]) -> str:
        text = _text(fields, key)
        if not pattern.fullmatch(text):
            raise InputError(f'"{text}" is no {key}', fields[key].at, _WRITTEN)
        return text

    url = _text(fields, "url")
    # Helm takes it from here as from an index; an address with credentials in it is none.
    if url and (not url.startswith(("http://", "https://")) or "@" in url.split("/")[2] or url.split() != [url]):
        raise InputError("url in a lock file is an http(s) address without credentials", fields["url"].at)
    inner = [_fields(item) for item in node.elements("dependencies")]
    return Locked(
        repository=checked_address(_text(fields, "repository"), fields["repository"].at),
        name=matching("name", NAME),
        version=matching("version", _IN_A_FILE_NAME),
        digest=matching("digest", DIGEST),
        request=_text(fields, "request"),
        url=url,
        kube_version=_text(fields, "kubeVersion"),
        dependencies=tuple((_text(chart, "name"), _text(chart, "version")) for chart in inner),
    )


def _fields(node: Node) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise InputError("an entry of a lock file is a map", node.at, _WRITTEN)
    return node.value


def _text(fields: dict[str, Node], key: str) -> str:
    node = fields.get(key)
    if node is None:
        return ""
    if not isinstance(node.value, str):
        raise InputError(f"{key} in a lock file is a string", node.at)
    return node.value


def dump(entries: Iterable[Locked]) -> bytes:
    """The file's bytes; the same entries in any order give the same bytes."""
    charts: list[dict[str, object]] = []
    for entry in sorted(set(entries), key=lambda entry: (entry.name, entry.key)):
        fields = {
            "name": entry.name,
            "repository": entry.repository,
            "version": entry.version,
            "request": entry.request,
            "digest": entry.digest,
            "url": entry.url,
            "kubeVersion": entry.kube_version,
            "dependencies": [{"name": name, "version": version} for name, version in entry.dependencies],
        }
        charts.append({key: value for key, value in fields.items() if value})
    return dump_yaml({"apiVersion": API_VERSION, "kind": "Lock", "charts": charts}).encode()
