"""Archives from strangers: what is unpacked, what is refused, and with how much memory and time."""

from __future__ import annotations

import gzip
import os
import resource
import stat
import tarfile
from pathlib import Path

import pytest
from packing import CHART_YAML, archive, below, file, special

from cmp_plugin.charts import archive as archives
from cmp_plugin.errors import InputError


def unpacked(place: Path, into: Path) -> list[str]:
    into.mkdir()
    archives.unpack(str(place), str(into))
    return below(str(into))


def refusal(place: Path, into: Path) -> str:
    """The error that unpacking ends with; nothing may have been written by then."""
    into.mkdir()
    with pytest.raises(InputError) as refused:
        archives.unpack(str(place), str(into))
    assert below(str(into)) == []
    return refused.value.message


def test_a_chart_of_helm_is_unpacked(packed: Path, tmp_path: Path) -> None:
    assert unpacked(packed / "small-1.0.0.tgz", tmp_path / "out") == [
        "Chart.yaml",
        "templates/map.yaml",
        "values.yaml",
    ]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*")]
    assert set(modes) == {0o600, 0o700}


def test_what_a_chart_says_of_itself(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.tgz", [file("in/Chart.yaml", b"apiVersion: v2\nname: in\nversion: 3.0.0\n")])
    outer = archive(
        tmp_path / "outer.tgz",
        [
            file("small/Chart.yaml", b"apiVersion: v2\nname: small\nversion: v1.0.0\nkubeVersion: '>=1.25.0-0'\n"),
            file("small/charts/in-3.0.0.tgz", inner.read_bytes()),
            file("small/charts/own/Chart.yaml", b"apiVersion: v2\nname: own\nversion: 0.1.0\n"),
            file("small/charts/_not/Chart.yaml", b"apiVersion: v2\nname: not\nversion: 0.1.0\n"),
            file("small/charts/README.md", b"charts"),
        ],
    )
    facts = archives.inspect(str(outer))
    assert facts == ("small", "v1.0.0", ">=1.25.0-0", (("in", "3.0.0"), ("own", "0.1.0")))


def test_a_helmignore_is_left_out(tmp_path: Path) -> None:
    """Helm follows one in a directory and not in an archive."""
    made = archive(tmp_path / "a.tgz", [CHART_YAML, file("small/.helmignore", b"*.yaml"), file("small/a.yaml", b"")])
    assert unpacked(made, tmp_path / "out") == ["Chart.yaml", "a.yaml"]


NAMES = {
    "small/../../outside": 'holds "small/../../outside", which lies outside of the chart\'s directory',
    "/etc/passwd": 'holds "/etc/passwd", which lies outside of the chart\'s directory',
    "small/./a": 'holds "small/./a", which lies outside of the chart\'s directory',
    "small//a": 'holds "small//a", which lies outside of the chart\'s directory',
    "Chart.yml": 'holds "Chart.yml", which lies outside of the chart\'s directory',
    "small/" + "n" * 256: 'holds "small/' + "n" * 194 + "\", which lies outside of the chart's directory",
    "small/a\\b": 'holds "small/a\\\\b", which is no name of a file',
    "small/a\nb": 'holds "small/a\\nb", which is no name of a file',
    "small/c:/a": 'holds "small/c:/a", which is no name of a file',
    "small/Chart.yaml": 'holds "small/Chart.yaml" twice',
    "small/Chart.yaml/a": 'holds "Chart.yaml" as a file and as a directory',
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:30]))
def test_names_that_are_refused(name: str, tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [CHART_YAML, file(name, b"x")])
    assert refusal(made, tmp_path / "out") == NAMES[name]


KINDS = {
    "symbolic link": (tarfile.SYMTYPE, "/etc/passwd"),
    "link inside": (tarfile.SYMTYPE, "Chart.yaml"),
    "hard link": (tarfile.LNKTYPE, "small/Chart.yaml"),
    "device": (tarfile.CHRTYPE, ""),
    "block device": (tarfile.BLKTYPE, ""),
    "pipe": (tarfile.FIFOTYPE, ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_files_are_unpacked(kind: str, tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [CHART_YAML, special("small/it", *KINDS[kind])])
    assert refusal(made, tmp_path / "out") == 'holds "small/it", which is no regular file'


def test_a_link_as_a_directory_catches_nothing(tmp_path: Path) -> None:
    """First a link to somewhere, then a file through it."""
    members = [CHART_YAML, special("small/up", tarfile.SYMTYPE, str(tmp_path)), file("small/up/caught", b"x")]
    refusal(archive(tmp_path / "a.tgz", members), tmp_path / "out")
    assert not (tmp_path / "caught").exists()


BROKEN = {
    "empty": b"",
    "not packed": b"apiVersion: v2\n",
    "no tar": gzip.compress(b"apiVersion: v2\n" * 100),
    "page": b"<!doctype html><title>Sign in</title>",
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_archive(what: str, tmp_path: Path) -> None:
    place = tmp_path / "a.tgz"
    place.write_bytes(BROKEN[what])
    assert refusal(place, tmp_path / "out") in ("is no whole chart archive", "holds no Chart.yaml")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive(kept: float, packed: Path, tmp_path: Path) -> None:
    whole = (packed / "small-1.0.0.tgz").read_bytes()
    place = tmp_path / "a.tgz"
    place.write_bytes(whole[: int(len(whole) * kept)])
    assert refusal(place, tmp_path / "out") == "is no whole chart archive"


def test_a_chart_needs_a_name(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [file("small/Chart.yaml", b"apiVersion: v2\n")])
    assert refusal(made, tmp_path / "out") == "holds a Chart.yaml without name and version"


def zeros(megabytes: int) -> bytes:
    return b"\0" * (megabytes << 20)


def test_a_bomb_ends_at_the_bound(tmp_path: Path) -> None:
    """It says three gigabytes; the bound is met before that, in little memory."""
    place = tmp_path / "bomb.tgz"
    header = tarfile.TarInfo("small/bomb")
    header.size = 3 << 30
    with gzip.open(place, "wb", compresslevel=1) as packed:
        packed.write(header.tobuf())
        for _ in range(8):
            packed.write(zeros(16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(place, tmp_path / "out") == "unpacks to more than 100 MiB"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_ratio_that_no_chart_has(tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tgz", [CHART_YAML, file("small/zeros", zeros(40))])
    assert refusal(made, tmp_path / "out") == "unpacks to more than 200 times its size"


def test_a_bomb_in_a_header(tmp_path: Path) -> None:
    """An extended header is read whole by any reader of tar."""
    place = tmp_path / "a.tgz"
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    with gzip.open(place, "wb", compresslevel=1) as packed:
        packed.write(header.tobuf())
        for _ in range(8):
            packed.write(zeros(16))
    assert refusal(place, tmp_path / "out") == "unpacks to more than 100 MiB"


def test_bombs_inside_share_one_budget(tmp_path: Path) -> None:
    """Each packed chart stays below the bound; Helm would unpack them all."""
    noise = os.urandom(1 << 20)
    inner = archive(
        tmp_path / "inner.tgz",
        [file("in/Chart.yaml", b"apiVersion: v2\nname: in\nversion: 1.0.0\n"), file("in/zeros", noise + zeros(40))],
    ).read_bytes()
    members = [CHART_YAML, *(file(f"small/charts/in{number}-1.0.0.tgz", inner) for number in range(4))]
    assert refusal(archive(tmp_path / "a.tgz", members), tmp_path / "out") == "unpacks to more than 100 MiB"


def test_charts_in_charts_have_a_depth(tmp_path: Path) -> None:
    content = archive(tmp_path / "0.tgz", [CHART_YAML]).read_bytes()
    for number in range(1, 8):
        members = [CHART_YAML, file("small/charts/small-1.0.0.tgz", content)]
        content = archive(tmp_path / f"{number}.tgz", members).read_bytes()
    assert refusal(tmp_path / "7.tgz", tmp_path / "out") == "holds charts more than 5 deep"


def test_files_are_counted(tmp_path: Path) -> None:
    members = [CHART_YAML, *(file(f"small/{number}", b"") for number in range(20_001))]
    assert refusal(archive(tmp_path / "a.tgz", members), tmp_path / "out") == "holds more than 20000 files"


def test_a_huge_archive_is_not_opened(tmp_path: Path) -> None:
    place = tmp_path / "a.tgz"
    with place.open("wb") as opened:
        opened.truncate((64 << 20) + 1)
    assert refusal(place, tmp_path / "out") == "is larger than 64 MiB"


def test_the_reader_and_the_unpacker_have_one_budget(tmp_path: Path) -> None:
    """A chart whose packed charts hold more than half of the bound: what can be kept can be looked at."""
    noise = os.urandom(1 << 20)
    inner = archive(
        tmp_path / "inner.tgz",
        [file("in/Chart.yaml", b"apiVersion: v2\nname: in\nversion: 1.0.0\n"), file("in/data", noise + zeros(59))],
    ).read_bytes()
    made = archive(tmp_path / "a.tgz", [CHART_YAML, file("small/charts/in-1.0.0.tgz", inner)])
    assert unpacked(made, tmp_path / "out") == ["Chart.yaml", "charts/in-1.0.0.tgz"]
    for chart in (made, tmp_path / "out"):
        files = archives.read(str(chart), lambda path: True)
        assert sorted(files) == ["Chart.yaml", "charts/in-1.0.0.tgz/Chart.yaml", "charts/in-1.0.0.tgz/data"]
        few = archives.read(str(chart), lambda path: not path.endswith("/data"))
        assert sorted(few) == ["Chart.yaml", "charts/in-1.0.0.tgz/Chart.yaml"]
