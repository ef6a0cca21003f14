"""Files and directories appear whole or not at all, also when the process that writes them dies in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmp_plugin.system.publish import LEFTOVER, file_beside, new_directory, remove, replace_file, write_directory

# Each writes a part, says so, and stays in the middle until it is ended.
FILE = """
with file_beside(path, b"new" * 1000):
    stop()
"""
DIRECTORY = """
with new_directory(path) as new:
    open(new + "/half", "wb").write(b"new")
    stop()
"""
FILES = """
def files():
    yield "below/half", b"new"
    stop()
write_directory(path, files())
"""
MIDDLE = """
import signal, sys, time
from cmp_plugin.system.publish import *
signal.signal(signal.SIGTERM, signal.default_int_handler)
path = sys.argv[1]
def stop():
    print("in the middle", flush=True)
    time.sleep(60)
"""


def ended(code: str, path: Path, number: int) -> None:
    """A process that is in the middle of writing `path` gets a signal."""
    argv, pipe = [sys.executable, "-c", MIDDLE + code, str(path)], subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout and process.stdout.readline() == "in the middle\n"
        process.send_signal(number)
    assert process.returncode


def below(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_death_leaves_the_old_file(tmp_path: Path, number: int, before: bytes | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    ended(FILE, path, number)
    left = [name for name in os.listdir(tmp_path) if name != "file"]
    assert (path.read_bytes() if before else path.exists()) == (before or False)
    assert len(left) == (number == signal.SIGKILL) and all(name.startswith(LEFTOVER) for name in left)
    replace_file(str(path), b"next")
    assert path.read_bytes() == b"next"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("code", [DIRECTORY, FILES])
def test_a_death_leaves_no_directory(tmp_path: Path, code: str, number: int) -> None:
    path = tmp_path / "directory"
    ended(code, path, number)
    left = os.listdir(tmp_path)
    assert len(left) == (number == signal.SIGKILL) and all(name.startswith(LEFTOVER) for name in left)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_death_leaves_the_files_of_a_directory(tmp_path: Path, number: int) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/half").write_bytes(b"old")
    (tmp_path / "other").write_bytes(b"other")
    ended(FILES, tmp_path, number)
    found = {path: data for path, data in below(tmp_path).items() if not path.startswith(LEFTOVER)}
    assert found == {"below/half": b"old", "other": b"other"}
    assert (len(os.listdir(tmp_path)) == 2) is (number == signal.SIGTERM)


def test_readers_see_whole_files(tmp_path: Path) -> None:
    """Two processes write by turns while this one reads."""
    path = tmp_path / "file"
    replace_file(str(path), b"a" * 100_000)
    code = "import sys; from cmp_plugin.system.publish import *\nwhile True: replace_file(sys.argv[1], WORD * 100_000)"
    writers = [
        subprocess.Popen([sys.executable, "-c", code.replace("WORD", word), str(path)]) for word in ("b'b'", "b'c'")
    ]
    seen: set[int] = set()
    while not set(b"bc") <= seen:
        data = path.read_bytes()
        assert len(data) == 100_000 and len(set(data)) == 1
        seen |= set(data)
    for writer in writers:
        writer.kill()
        writer.wait()


def test_permissions(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        replace_file(str(tmp_path / "new"), b"")
        replace_file(str(tmp_path / "private"), b"", 0o600)
        (tmp_path / "there").write_bytes(b"old")
        (tmp_path / "there").chmod(0o604)
        replace_file(str(tmp_path / "there"), b"new")
        with new_directory(str(tmp_path / "directory")):
            pass
        write_directory(str(tmp_path / "files"), [("a/file", b"")])
    finally:
        os.umask(old)
    names = ("new", "private", "there", "directory", "files", "files/a", "files/a/file")
    modes = {name: f"{(tmp_path / name).stat().st_mode & 0o777:o}" for name in names}
    assert modes == {
        "new": "640",
        "private": "600",
        "there": "604",
        "directory": "750",
        "files": "750",
        "files/a": "750",
        "files/a/file": "640",
    }


def test_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("precious")
    replace_file(str(tmp_path / "link"), b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink() and (tmp_path / "link").read_bytes() == b"new"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory/file").write_bytes(b"old")
    with pytest.raises(OSError):
        replace_file(str(tmp_path / "directory"), b"new")
    with pytest.raises(OSError) as raised:
        replace_file(str(tmp_path / "absent/file"), b"new")
    assert raised.value.filename == str(tmp_path / "absent/file")
    with pytest.raises(OSError), new_directory(str(tmp_path / "directory")) as new:
        Path(new, "file").write_bytes(b"new")
    assert below(tmp_path) == {"directory/file": b"old"} and os.listdir(tmp_path) == ["directory"]


def test_nothing_changes_when_one_of_several_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    with pytest.raises(OSError), file_beside(str(tmp_path / "one"), b"new") as move:
        with file_beside(str(tmp_path / "absent/two"), b"new"):
            move()
    assert below(tmp_path) == {"one": b"old"}


def failing() -> Iterator[tuple[str, bytes]]:
    yield "below/file", b"new"
    raise ValueError


def test_all_files_or_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_directory(str(tmp_path / "a/b/c"), failing())
    assert os.listdir(tmp_path) == []
    write_directory(str(tmp_path / "a/b/c"), [("below/file", b"new"), ("other", b"1")])
    assert below(tmp_path) == {"a/b/c/below/file": b"new", "a/b/c/other": b"1"}
    with pytest.raises(ValueError):
        write_directory(str(tmp_path / "a"), failing())
    write_directory(str(tmp_path / "a"), [("b/c/other", b"2"), ("b/new", b"3")])
    assert below(tmp_path) == {"a/b/c/below/file": b"new", "a/b/c/other": b"2", "a/b/new": b"3"}
    write_directory(str(tmp_path / "empty"), [])
    assert (tmp_path / "empty").is_dir()


def test_what_is_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_bytes(b"")
    (tmp_path / "gone/deep").mkdir(parents=True)
    (tmp_path / "gone/deep/link").symlink_to(tmp_path / "precious")
    (tmp_path / "gone/deep/dangling").symlink_to("nothing")
    (tmp_path / "link").symlink_to("precious")
    for name in ("gone", "link", "absent"):
        remove(str(tmp_path / name))
    assert below(tmp_path) == {"precious/file": b""} and os.listdir(tmp_path) == ["precious"]


def test_a_full_disk_is_told_of_the_file_itself(tmp_path: Path) -> None:
    """Here a limit stands for the full disk, as it reaches root, too."""
    code = (
        "import resource, sys; from cmp_plugin.system.publish import replace_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: replace_file(sys.argv[1], b'new' * 1000)\n"
        "except OSError as error: print(error.filename, error.strerror)"
    )
    (tmp_path / "file").write_bytes(b"old")
    argv = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{tmp_path / 'file'} File too large\n", done.stderr
    assert below(tmp_path) == {"file": b"old"}
