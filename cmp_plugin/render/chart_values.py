"""What Helm computes as a chart's values, for the lists that `key+` appends to.

In: a chart on disk. Out: `.Values` as its templates would see them, as plain data. Subcharts, aliases,
imported values, globals and nulls all have a say, so Helm itself is asked: with a copy of the chart in
which nothing is left but what values are made of, and one template that prints them.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable
from typing import IO, Any

from ..errors import ToolError

# Helm itself reads no larger chart.
MAX_BYTES = 100 * 1024 * 1024
_MAX_DEPTH = 20
_FILES = ("Chart.yaml", "values.yaml", "requirements.yaml", ".helmignore")
# Helm takes no notice of what begins with a dot or an underscore in charts/.
_KEPT = re.compile(rf"((?:charts/[^/._][^/]*/)*)({'|'.join(map(re.escape, _FILES))}|charts/[^/._][^/]*\.tgz)")
_PRINT = '{{ dict "values" .Values | toJson }}\n'


def computed_values(chart_path: str, workdir: str, template: Callable[[str], bytes]) -> Any:
    """The chart's values; `template` runs `helm template` on the directory that it is given.

    Raises what `template` raises, and ToolError for a chart that is too large or no archive.
    """
    probe = os.path.join(workdir, "probe")
    copy = _Copy()
    if os.path.isdir(chart_path):
        copy.directory(chart_path, probe)
    else:
        with open(chart_path, "rb") as file:
            copy.archive(file, probe)
    os.makedirs(os.path.join(probe, "templates"), exist_ok=True)
    with open(os.path.join(probe, "templates", "values.yaml"), "w", encoding="ascii") as file:
        file.write(_PRINT)
    output = template(probe).decode()
    return json.loads(output[output.index("{") :])["values"]


class _Copy:
    """Copies of charts without their templates, bounded in bytes and depth over all of them."""

    def __init__(self) -> None:
        self._left = MAX_BYTES
        self._depth = 0

    def spend(self, data: bytes) -> bytes:
        """`data`, counted."""
        self._left -= len(data)
        if self._left < 0:
            raise ToolError(f"the chart is larger than {MAX_BYTES >> 20} MiB")
        return data

    def directory(self, chart: str, into: str) -> None:
        """What values are made of in a chart's directory and in its subcharts."""
        self._deeper()
        for name in _FILES:
            path = os.path.join(chart, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    _write(os.path.join(into, name), self.spend(file.read(MAX_BYTES)))
        charts = os.path.join(chart, "charts")
        for name in sorted(os.listdir(charts)) if os.path.isdir(charts) else []:
            path, below = os.path.join(charts, name), os.path.join(into, "charts")
            if name[0] in "._":
                continue
            if os.path.isdir(path):
                self.directory(path, os.path.join(below, name))
            elif name.endswith(".tgz"):
                with open(path, "rb") as file:
                    self.archive(file, _unpacked(os.path.join(below, name)))
        self._depth -= 1

    def archive(self, file: IO[bytes], into: str) -> None:
        """The same of a packed chart. Names in an archive are hostile: only known ones are written."""
        self._deeper()
        try:
            with _Counted(file, self) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    self._member(members, member, into)
        except (tarfile.TarError, OSError, EOFError, zlib.error):
            raise ToolError("the chart, or a chart in it, is no readable archive") from None
        self._depth -= 1

    def _member(self, members: tarfile.TarFile, member: tarfile.TarInfo, into: str) -> None:
        kept = _KEPT.fullmatch(member.name.partition("/")[2])
        content = members.extractfile(member) if kept and member.isreg() else None
        if not kept or not content:
            return
        path = os.path.join(into, kept[1], kept[2])
        if kept[2].endswith(".tgz"):
            self.archive(io.BytesIO(content.read()), _unpacked(path))
        else:
            _write(path, content.read())

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ToolError(f"the chart has more than {_MAX_DEPTH} charts inside each other")


class _Counted(gzip.GzipFile):
    """An unpacked stream whose bytes are counted as they are read."""

    def __init__(self, packed: IO[bytes], copy: _Copy) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._copy = copy

    def read(self, size: int | None = -1) -> bytes:
        return self._copy.spend(super().read(size))


def _unpacked(archive: str) -> str:
    """The directory for an archive's content; Helm takes a name in `.tgz` for an archive."""
    return f"{archive}.unpacked"


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
