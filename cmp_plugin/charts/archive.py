"""A chart's files, read as what they are: bytes from a stranger. The only reader of chart archives.

In: a `.tgz` or a directory on disk. Out: its files, in memory or in a new directory, and what its Chart.yaml
says. Nothing of it decides where anything is written, how much, or for how long: links, devices, paths that
climb and more than the bounds allow (limits) are errors. A directory is the fleet's, and where its links lead
the tree has looked at; only the bounds are left to check there.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Mapping
from typing import IO, NamedTuple

from ..errors import InputError, Location
from ..goyaml.load import load_values, plain
from .limits import MAX_ARCHIVE, MAX_BYTES, MAX_DEPTH, MAX_FILES, MAX_RATIO, MIN_RATIO_BYTES

_CHUNK = 1 << 20
# Like Helm: what is in charts/ and begins with `_` or `.` is no chart.
_PACKED = re.compile(r"(?:charts/[^_./][^/]*/)*charts/[^_./][^/]*\.tgz")
_IN_CHARTS = re.compile(r"charts/([^_./][^/]*)/(.+)")
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, OSError, ValueError, RecursionError)


class Facts(NamedTuple):
    """What a chart says about itself. `dependencies`: (name, version) of the charts in it."""

    name: str
    version: str
    kube_version: str
    dependencies: tuple[tuple[str, str], ...]


class _Budget:
    """What a chart and all charts inside it may hold, together. `packed`: their size on disk."""

    def __init__(self, packed: int = 0) -> None:
        self.packed = packed
        self._bytes = 0
        self._files = 0

    def spend(self, amount: int, holds: str) -> None:
        self._bytes += amount
        if self._bytes > MAX_BYTES:
            raise InputError(f"{holds} {MAX_BYTES >> 20} MiB")
        if self._bytes > MIN_RATIO_BYTES and self._bytes > MAX_RATIO * self.packed:
            raise InputError(f"{holds} {MAX_RATIO} times its size")

    def count(self) -> None:
        self._files += 1
        if self._files > MAX_FILES:
            raise InputError(f"holds more than {MAX_FILES} files")


class _Bounded(io.BufferedReader):
    """The unpacked stream, headers and padding included, on a budget."""

    def __init__(self, stream: gzip.GzipFile, budget: _Budget) -> None:
        super().__init__(stream)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(_CHUNK if size is None or size < 0 else min(size, _CHUNK))
        self._budget.spend(len(data), "unpacks to more than")
        return data


def unpack(path: str, directory: str) -> Facts:
    """Write the chart's files below `directory`, which must be new and empty. InputError: a bad archive.

    A .helmignore is left out: Helm follows it in a directory, not in an archive, and the directory
    must be the same chart as the archive.
    """
    files, budget = _archive(path)
    facts = _facts(_opened(files, budget))
    for name, data in files.items():
        if name == ".helmignore":
            continue
        target = os.path.join(directory, name)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
    return facts


def inspect(path: str) -> Facts:
    """What the chart in the archive says about itself. InputError: a bad archive."""
    return _facts(_opened(*_archive(path)))


def read(path: str, keep: Callable[[str], bool]) -> dict[str, bytes]:
    """The files of the chart at `path`, an archive or a directory: path below the chart -> content.

    Those of a chart packed in it too, as `charts/x.tgz/Chart.yaml`. Of these paths, and of those of directories
    (`crds/`), the ones that `keep` holds for. InputError: a bad archive, or more than the bounds; OSError.
    """
    files, budget = _directory(path, keep) if os.path.isdir(path) else _archive(path)
    return {name: data for name, data in _opened(files, budget).items() if keep(name)}


def _opened(files: Mapping[str, bytes], budget: _Budget, depth: int = 1) -> dict[str, bytes]:
    """The files with those of the charts packed among them."""
    if depth > MAX_DEPTH:
        raise InputError(f"holds charts more than {MAX_DEPTH} deep")
    whole: dict[str, bytes] = {}
    for name, data in files.items():
        if _PACKED.fullmatch(name):
            inner = _opened(_unpacked(io.BytesIO(data), budget), budget, depth + 1)
            whole |= {f"{name}/{below}": content for below, content in inner.items()}
        else:
            whole[name] = data
    return whole


def _directory(top: str, keep: Callable[[str], bool]) -> tuple[dict[str, bytes], _Budget]:
    """Links are followed, to each directory once."""
    files: dict[str, bytes] = {}
    budget = _Budget()
    entered: set[str] = set()
    for parent, directories, names in os.walk(top, followlinks=True):
        real, below = os.path.realpath(parent), os.path.relpath(parent, top)
        prefix = "" if below == "." else f"{below}/"
        if real in entered:
            directories.clear()
            continue
        entered.add(real)
        directories[:] = sorted(name for name in directories if name[0] != "." and keep(f"{prefix}{name}/"))
        for name in sorted(names):
            path, inner = os.path.join(parent, name), f"{prefix}{name}"
            if not (keep(inner) or _PACKED.fullmatch(inner)) or not os.path.isfile(path):
                continue
            budget.count()
            with open(path, "rb") as file:
                files[inner] = file.read(MAX_BYTES + 1)
            budget.packed += len(files[inner])
            budget.spend(len(files[inner]), "is larger than")
    return files, budget


def _archive(path: str) -> tuple[dict[str, bytes], _Budget]:
    size = os.path.getsize(path)
    if size > MAX_ARCHIVE:
        raise InputError(f"is larger than {MAX_ARCHIVE >> 20} MiB")
    budget = _Budget(size)
    with open(path, "rb") as file:
        return _unpacked(file, budget), budget


def _unpacked(packed: IO[bytes], budget: _Budget) -> dict[str, bytes]:
    """Path below the chart's own directory -> content."""
    files: dict[str, bytes] = {}
    try:
        with gzip.GzipFile(fileobj=packed) as stream, tarfile.open(fileobj=_Bounded(stream, budget), mode="r|") as tar:
            for member in tar:
                budget.count()
                if member.isdir():
                    continue
                name = _checked_name(member, files)
                content = tar.extractfile(member)
                files[name] = content.read() if content else b""
    except InputError:
        raise
    except _BROKEN:
        raise InputError("is no whole chart archive") from None
    for name in files:
        parent = os.path.dirname(name)
        while parent:
            if parent in files:
                raise InputError(f'holds "{parent}" as a file and as a directory')
            parent = os.path.dirname(parent)
    return files


def _checked_name(member: tarfile.TarInfo, files: dict[str, bytes]) -> str:
    shown = member.name[:200].encode("unicode_escape").decode()
    if not member.isreg() or member.sparse is not None:
        raise InputError(f'holds "{shown}", which is no regular file')
    steps = member.name.split("/")
    if len(steps) < 2 or any(step in ("", ".", "..") or len(step) > 255 for step in steps):
        raise InputError(f'holds "{shown}", which lies outside of the chart\'s directory')
    if not member.name.isprintable() or "\\" in member.name or _DRIVE.match(steps[1]):
        raise InputError(f'holds "{shown}", which is no name of a file')
    name = "/".join(steps[1:])
    if name in files:
        raise InputError(f'holds "{shown}" twice')
    return name


def parted(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, dict[str, bytes]]]:
    """A chart's own files, and those of each chart directly in it, by the name of its directory or archive."""
    own: dict[str, bytes] = {}
    charts: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        if match := _IN_CHARTS.fullmatch(path):
            charts.setdefault(match[1], {})[match[2]] = data
        elif not path.startswith("charts/"):
            own[path] = data
    is_chart = {name: "Chart.yaml" in inner or name.endswith(".tgz") for name, inner in charts.items()}
    return own, {name: inner for name, inner in charts.items() if is_chart[name]}


def _facts(files: Mapping[str, bytes], depth: int = 1) -> Facts:
    if depth > MAX_DEPTH:
        raise InputError(f"holds charts more than {MAX_DEPTH} deep")
    own, charts = parted(files)
    if "Chart.yaml" not in own:
        raise InputError("holds no Chart.yaml")
    fields = plain(load_values(own["Chart.yaml"], "Chart.yaml"))
    if not isinstance(fields, dict) or not fields.get("name") or not fields.get("version"):
        raise InputError("holds a Chart.yaml without name and version")
    name, version, kube_version = (
        text if isinstance(text := fields.get(key), str) else "" for key in ("name", "version", "kubeVersion")
    )
    inner = [_facts(chart, depth + 1) for chart in charts.values()]
    return Facts(name, version, kube_version, tuple(sorted({(chart.name, chart.version) for chart in inner})))


def chart_error(error: InputError, subject: str, at: Location | None = None) -> InputError:
    """An error of this module as a sentence about `subject`."""
    return InputError(f"{subject} {error.message}", at, error.hint)
