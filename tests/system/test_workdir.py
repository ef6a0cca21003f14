"""Private directories: alone in them, gone afterwards, leftovers swept, nobody else's touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cmp_plugin.errors import ToolError
from cmp_plugin.system.workdir import workdir


@pytest.fixture(autouse=True)
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def fill(path: str) -> None:
    """Some of everything that a render may leave behind."""
    os.makedirs(f"{path}/a/b/c")
    for name in ("f", "a/f", "a/b/c/f"):
        Path(path, name).write_text(name)
    os.symlink("/etc", f"{path}/a/link-to-directory")
    os.symlink("/nowhere", f"{path}/a/dangling")
    os.mkfifo(f"{path}/a/fifo")
    os.chmod(f"{path}/a/b/c/f", 0o400)


def holder(then: str = "time.sleep(60)") -> subprocess.Popen[str]:
    """Another process inside a filled directory; its path is the first line it prints."""
    script = f"""
        import os, sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_workdir import fill
        from cmp_plugin.system.workdir import workdir
        with workdir() as path:
            fill(path)
            print(path, flush=True)
            {then}
    """
    argv = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_private_real_and_gone_afterwards(tmp: Path) -> None:
    with workdir() as path:
        assert os.path.dirname(path) == os.path.realpath(tmp)
        assert os.stat(path).st_mode & 0o777 == 0o700
        fill(path)
    assert os.listdir(tmp) == []
    assert os.path.isdir("/etc")


def test_two_at_once_differ(tmp: Path) -> None:
    with workdir() as one, workdir() as two:
        assert one != two and len(os.listdir(tmp)) == 2
    assert os.listdir(tmp) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_gone_after_an_exception(tmp: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), workdir() as path:
        fill(path)
        raise error
    assert os.listdir(tmp) == []


def test_no_descriptor_is_left() -> None:
    before = len(os.listdir("/dev/fd"))
    with workdir() as path:
        fill(path)
    assert len(os.listdir("/dev/fd")) == before


def test_tmpdir_may_be_a_symlink_and_the_path_is_real(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp / "real").mkdir()
    (tmp / "link").symlink_to("real")
    monkeypatch.setenv("TMPDIR", str(tmp / "link"))
    with workdir() as path:
        assert os.path.dirname(path) == os.path.realpath(tmp / "real")


def test_without_a_place_the_error_names_no_path(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp / "absent"))
    with pytest.raises(ToolError) as caught, workdir():
        pass
    message = "no temporary directory can be made in $TMPDIR: No such file or directory"
    assert str(caught.value) == message


def test_ctrl_c_removes_it(tmp: Path) -> None:
    with holder() as process:
        assert os.path.isdir(first_line(process))
        process.send_signal(signal.SIGINT)
    assert os.listdir(tmp) == []


def test_a_killed_process_is_swept_by_the_next(tmp: Path) -> None:
    with holder() as process:
        left = first_line(process)
        process.kill()
    assert os.path.isdir(left)
    with workdir() as path:
        assert os.listdir(tmp) == [os.path.basename(path)]


def test_a_living_process_keeps_its_directory(tmp: Path) -> None:
    with holder() as process:
        held = first_line(process)
        with workdir():
            assert os.path.isfile(f"{held}/a/b/c/f")
        process.kill()


def test_the_pid_in_the_name_says_nothing(tmp: Path) -> None:
    """A leftover that carries the pid of a living process (reused, or another container's)."""
    left = tmp / f"cmp-plugin-{os.getpid()}-0123456789abcdef"
    left.mkdir(0o700)
    with workdir():
        assert not left.exists()


def test_a_tool_that_outlives_us_does_not_hold_the_lock(tmp: Path) -> None:
    then = "import subprocess; print(subprocess.Popen(['/bin/sleep', '60']).pid, flush=True)"
    with holder(then + "; time.sleep(60)") as process:
        left = first_line(process)
        orphan = int(first_line(process))
        process.kill()
    with workdir():
        assert not os.path.exists(left)
    os.kill(orphan, signal.SIGKILL)


def test_symlinks_and_files_with_our_name_are_left_alone(tmp: Path) -> None:
    (tmp / "precious").mkdir()
    (tmp / "precious" / "file").write_text("x")
    link, file, fifo = (tmp / f"cmp-plugin-1-{n:016x}" for n in range(3))
    link.symlink_to("precious")
    file.write_text("x")
    os.mkfifo(fifo)
    with workdir():
        pass
    assert (tmp / "precious" / "file").read_text() == "x"
    assert len(list(tmp.glob("cmp-plugin-1-*"))) == 3


@pytest.mark.parametrize(
    "name",
    ["cmp-plugin-main", "cmp-plugin-", "cmp-plugin-2", "cmp-plugin-1-0123456789abcdef-mine"],
)
def test_a_persons_directories_are_left_alone(name: str, tmp: Path) -> None:
    """A clone of this project, say, made in the temporary directory."""
    (tmp / name / "inside").mkdir(parents=True)
    with workdir():
        pass
    assert (tmp / name / "inside").is_dir()


def test_other_users_directories_are_left_alone(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp / "cmp-plugin-1-0123456789abcdef"
    theirs.mkdir(0o755)
    (theirs / "file").write_text("x")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with workdir():
        pass
    assert (theirs / "file").exists()


def test_what_cannot_be_removed_stops_nobody(tmp: Path) -> None:
    """A leftover that is in the way: here one that another process locks and forgot."""
    import fcntl

    left = tmp / "cmp-plugin-1-0123456789abcdef"
    left.mkdir()
    fd = os.open(left, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    with workdir() as path:
        assert os.path.isdir(path) and left.is_dir()
    os.close(fd)


def test_many_processes_at_once(tmp: Path) -> None:
    """Each makes and removes directories while the others sweep: none loses its own."""
    script = """
        import os
        from cmp_plugin.system.workdir import workdir
        for n in range(60):
            with workdir() as path:
                os.mkdir(path + "/d")
                with open(path + "/d/f", "w") as file:
                    file.write("x")
                assert os.listdir(path + "/d") == ["f"]
    """
    argv = [sys.executable, "-c", textwrap.dedent(script)]
    processes = [subprocess.Popen(argv) for _ in range(8)]
    assert [process.wait(120) for process in processes] == [0] * 8
    assert os.listdir(tmp) == []
