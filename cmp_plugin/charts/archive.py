"""Chart archives, read as what they are: bytes from a stranger.

In: a `.tgz` on disk. Out: its files in a new directory, and what its Chart.yaml says. Nothing of it
decides where anything is written, how much, or for how long: links, devices, paths that climb and
more than the bounds allow are errors. Charts packed inside (`charts/*.tgz`) are looked at, not unpacked.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from ..errors import InputError, Location
from ..goyaml.load import load_values, plain

MAX_ARCHIVE = 64 << 20
MAX_UNPACKED = 100 << 20  # Helm's own bound for one archive (pkg/chart/loader/archive)
MAX_FILES = 20_000
MAX_RATIO = 200  # looked at beyond MIN_RATIO_BYTES; upstream CRDs reach 30
MIN_RATIO_BYTES = 16 << 20
MAX_DEPTH = 5
_CHUNK = 1 << 20
_PACKED = re.compile(r"(?:charts/[^_./][^/]*/)*charts/[^_./][^/]*\.tgz")
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, OSError, ValueError, RecursionError)


class Facts(NamedTuple):
    """What a chart says about itself. `dependencies`: (name, version) of the charts in it."""

    name: str
    version: str
    kube_version: str
    dependencies: tuple[tuple[str, str], ...]


class _Budget:
    """What an archive and all archives inside it may unpack to, together."""

    def __init__(self, packed: int) -> None:
        self._packed = packed
        self._bytes = 0
        self._files = 0

    def spend(self, amount: int) -> None:
        self._bytes += amount
        if self._bytes > MAX_UNPACKED:
            raise InputError(f"unpacks to more than {MAX_UNPACKED >> 20} MiB")
        if self._bytes > MIN_RATIO_BYTES and self._bytes > MAX_RATIO * self._packed:
            raise InputError(f"unpacks to more than {MAX_RATIO} times its size")

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
        self._budget.spend(len(data))
        return data


def unpack(path: str, directory: str) -> Facts:
    """Write the chart's files below `directory`, which must be new and empty. InputError: a bad archive.

    A .helmignore is left out: Helm follows it in a directory, not in an archive, and the directory
    must be the same chart as the archive.
    """
    facts, files, _ = _read(path)
    for name, data in files.items():
        if name == ".helmignore":
            continue
        place = os.path.join(directory, name)
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
    return facts


def inspect(path: str) -> Facts:
    """What the chart in the archive says about itself. InputError: a bad archive."""
    return _read(path)[0]


def contents(path: str) -> dict[str, bytes]:
    """Every file of the chart in the archive, by its path below the chart; see `opened` for charts in it."""
    _, files, budget = _read(path)
    return _opened(files, budget, 1)


def opened(files: dict[str, bytes]) -> dict[str, bytes]:
    """A chart's files with those of the charts packed in it: `charts/x.tgz` becomes `charts/x.tgz/Chart.yaml`
    and so on. InputError: a bad archive."""
    return _opened(files, _Budget(sum(map(len, files.values()))), 1)


def _opened(files: dict[str, bytes], budget: _Budget, depth: int) -> dict[str, bytes]:
    if depth > MAX_DEPTH:
        raise InputError(f"holds charts more than {MAX_DEPTH} deep")
    whole: dict[str, bytes] = {}
    for name, data in files.items():
        if _PACKED.fullmatch(name):
            inner = _opened(_files(io.BytesIO(data), budget), budget, depth + 1)
            whole |= {f"{name}/{below}": content for below, content in inner.items()}
        else:
            whole[name] = data
    return whole


def _read(path: str) -> tuple[Facts, dict[str, bytes], _Budget]:
    size = os.path.getsize(path)
    if size > MAX_ARCHIVE:
        raise InputError(f"is larger than {MAX_ARCHIVE >> 20} MiB")
    budget = _Budget(size)
    with open(path, "rb") as file:
        files = _files(file, budget)
    return _facts(files, budget, 1), files, budget


def _files(packed: IO[bytes], budget: _Budget) -> dict[str, bytes]:
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
    _check_no_file_is_a_directory(files)
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


def _check_no_file_is_a_directory(files: dict[str, bytes]) -> None:
    for name in files:
        parent = os.path.dirname(name)
        while parent:
            if parent in files:
                raise InputError(f'holds "{parent}" as a file and as a directory')
            parent = os.path.dirname(parent)


def _facts(files: dict[str, bytes], budget: _Budget, depth: int) -> Facts:
    if depth > MAX_DEPTH:
        raise InputError(f"holds charts more than {MAX_DEPTH} deep")
    fields = _chart_yaml(files)
    inner = [_facts(chart, budget, depth + 1) for chart in _inner_archives(files, budget)]
    inner += [_facts(chart, budget, depth + 1) for chart in _inner_directories(files)]
    dependencies = sorted({(chart.name, chart.version) for chart in inner})
    return Facts(_text(fields, "name"), _text(fields, "version"), _text(fields, "kubeVersion"), tuple(dependencies))


def _chart_yaml(files: dict[str, bytes]) -> dict[str, object]:
    if "Chart.yaml" not in files:
        raise InputError("holds no Chart.yaml")
    fields = plain(load_values(files["Chart.yaml"], "Chart.yaml"))
    if not isinstance(fields, dict) or not fields.get("name") or not fields.get("version"):
        raise InputError("holds a Chart.yaml without name and version")
    return fields


def _text(fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _inner_archives(files: dict[str, bytes], budget: _Budget) -> Iterator[dict[str, bytes]]:
    for name, data in files.items():
        if re.fullmatch(r"charts/[^_./][^/]*\.tgz", name):
            yield _files(io.BytesIO(data), budget)


def _inner_directories(files: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    """Like Helm: every directory in charts/ whose name starts with neither `_` nor `.`."""
    charts: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        steps = name.split("/", 2)
        if len(steps) == 3 and steps[0] == "charts" and steps[1][0] not in "_.":
            charts.setdefault(steps[1], {})[steps[2]] = data
    yield from (chart for chart in charts.values() if "Chart.yaml" in chart)


def chart_error(error: InputError, what: str, at: Location | None = None) -> InputError:
    """An error of this module as a sentence about `what`."""
    return InputError(f"{what} {error.message}", at, error.hint)
