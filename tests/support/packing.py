"""Charts and archives that the tests of sources are about, made by the real helm or by hand."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

from cmp_plugin.errors import Location

AT = Location("services/web/service.yaml", 5, 3)
TEMPLATE = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
    'data: {chart: "{{ .Chart.Name }} {{ .Chart.Version }}"}\n'
)


def chart(directory: Path, name: str, version: str, more: str = "") -> Path:
    """A chart that prints its name and version."""
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}",
        "values.yaml": "list: [chart]\n",
        "templates/map.yaml": TEMPLATE.replace("metadata: {name: ", "metadata: {name: " + name + "-"),
    }
    for file, text in files.items():
        place = directory / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return directory


def package(helm: str, directory: Path, into: Path) -> Path:
    """What `helm package` makes of a chart."""
    done = subprocess.run(
        [helm, "package", "-d", str(into), str(directory)],
        env={"HOME": str(into), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().rpartition(" ")[2])


def index(helm: str, directory: Path, url: str = "") -> None:
    """index.yaml of the archives in a directory; addresses are relative without `url`."""
    words = [helm, "repo", "index", str(directory), *(["--url", url] if url else [])]
    env = {"HOME": str(directory), "PATH": ""}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def archive(place: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A `.tgz` of exactly these members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    place.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return place


def file(name: str, content: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    """A regular member."""
    return tarfile.TarInfo(name), content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A member that is no regular file."""
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member, b""


CHART_YAML = file("small/Chart.yaml", b"apiVersion: v2\nname: small\nversion: 1.0.0\n")


def below(directory: str) -> list[str]:
    """Every file below a directory, sorted."""
    found = [os.path.join(parent, name) for parent, _, names in os.walk(directory) for name in names]
    return sorted(os.path.relpath(path, directory) for path in found)
