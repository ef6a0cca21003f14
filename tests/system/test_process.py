"""Real processes that behave badly, and what is left of them: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmp_plugin.errors import ToolError
from cmp_plugin.system.process import STDERR_KEPT, Completed, Deadline, run

SH = "/bin/sh"
ENV = {"PATH": "/usr/bin:/bin"}


def sh(script: str, *, seconds: float = 20, limit: int = 1 << 20, cwd: str = "/") -> Completed:
    argv = [SH, "-c", script]
    return run(argv, cwd=cwd, env=ENV, deadline=Deadline(seconds), limit=limit)


def python(script: str, *, seconds: float = 20, limit: int = 1 << 20) -> Completed:
    argv = [sys.executable, "-c", textwrap.dedent(script)]
    return run(argv, cwd="/", env=ENV, deadline=Deadline(seconds), limit=limit)


def children() -> set[str]:
    """The ids of the processes that this one started and has not waited for: they run, or are zombies."""
    return {child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No child (running or zombie), no open descriptor and no thread more than before."""
    fds, threads, before = set(os.listdir("/dev/fd")), threading.active_count(), children()
    yield
    assert children() == before
    assert len(os.listdir("/dev/fd")) == len(fds)
    assert threading.active_count() == threads


def gone(pid: int) -> bool:
    """Whether the process ends within two seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_output_and_exit_code() -> None:
    assert sh("echo out; echo err >&2; exit 7") == Completed(b"out\n", b"err\n", 7)


def test_both_outputs_are_read_at_once() -> None:
    # One pipe holds 64 KiB: reading one output to its end first would block for ever.
    done = python("""
        import os
        for _ in range(32):
            os.write(2, b"e" * 16384)
            os.write(1, b"o" * 16384)
    """)
    assert (len(done.stdout), len(done.stderr), done.code) == (32 * 16384, 32 * 16384, 0)


def test_a_signal_is_a_negative_code() -> None:
    assert sh("kill -SEGV $$").code == -signal.SIGSEGV


def test_the_environment_is_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    done = run(["/usr/bin/env"], cwd="/", env={"A": "1"}, deadline=Deadline())
    assert done.stdout == b"A=1\n"


def test_the_directory_is_the_given_one(tmp_path: Path) -> None:
    assert sh("pwd -P", cwd=str(tmp_path)).stdout.decode().strip() == os.path.realpath(tmp_path)


def test_standard_input_is_empty() -> None:
    assert sh("cat; echo end").stdout == b"end\n"


def test_the_child_is_in_our_process_group() -> None:
    done = python("import os; print(os.getpgrp())")
    assert int(done.stdout) == os.getpgrp()


def test_no_file_of_ours_is_open_in_the_child(tmp_path: Path) -> None:
    with open(tmp_path / "f", "w"):
        done = python("import os; print(sorted(os.listdir('/dev/fd')))")
    assert done.stdout == b"['0', '1', '2', '3']\n"  # 3 is the listed directory itself


def test_too_much_output() -> None:
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"^sh was stopped: it printed more than 1 MiB$"):
        sh("echo $$ >&2; exec cat /dev/zero", seconds=60)
    assert time.monotonic() - started < 10


def test_output_of_exactly_the_limit_is_allowed() -> None:
    assert len(sh("head -c 1000 /dev/zero", limit=1000).stdout) == 1000
    with pytest.raises(ToolError, match="more than 999 bytes"):
        sh("head -c 1000 /dev/zero", limit=999)


def test_of_a_flood_on_stderr_the_end_is_kept() -> None:
    done = sh("head -c 9000000 /dev/zero >&2; echo reason >&2; exit 1")
    assert len(done.stderr) == STDERR_KEPT
    assert done.stderr.endswith(b"\0reason\n")


@pytest.mark.parametrize(
    "script",
    [
        "exec sleep 60",
        "trap '' TERM; while :; do sleep 0.05; done",
        "exec >&- 2>&-; exec sleep 60",
        "while :; do echo x >&2; done",
    ],
    ids=["hangs", "ignores SIGTERM", "closes its outputs", "floods stderr"],
)
def test_the_deadline(script: str, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"^sh was stopped: the render took longer than 0\.4 s$"):
        sh(f"echo $$ > {pid}; {script}", seconds=0.4)
    assert time.monotonic() - started < 5
    assert gone(int(pid.read_text()))


def test_a_deadline_that_has_passed() -> None:
    deadline = Deadline(0)
    with pytest.raises(ToolError, match="^sleep was stopped: the render took longer than 0 s"):
        run(["/bin/sleep", "60"], cwd="/", env=ENV, deadline=deadline)
    assert deadline.left() == 0


def test_outputs_closed_early_are_no_end() -> None:
    assert sh("exec >&- 2>&-; sleep 0.3; exit 5").code == 5


def test_a_grandchild_that_holds_the_output_does_not_hold_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    started = time.monotonic()
    done = sh(f"sleep 60 & echo $! > {pid}; echo done", seconds=30)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert done == Completed(b"done\n", b"", 0)
    assert time.monotonic() - started < 10


def test_all_that_the_child_printed_counts_with_a_grandchild_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid}; head -c 800000 /dev/zero"
    done = sh(script)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert len(done.stdout) == 800_000


def test_a_missing_binary_is_named_without_its_directory(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run([str(tmp_path / "helm")], cwd="/", env=ENV, deadline=Deadline())
    assert str(caught.value) == "helm cannot be started: No such file or directory"
    assert caught.value.argv == (str(tmp_path / "helm"),)


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "helm").write_text("no program")
    with pytest.raises(ToolError, match="^helm cannot be started: Permission denied$"):
        run([str(tmp_path / "helm")], cwd="/", env=ENV, deadline=Deadline())
    (tmp_path / "helm").chmod(0o755)
    with pytest.raises(ToolError, match="^helm cannot be started: Exec format error$"):
        run([str(tmp_path / "helm")], cwd="/", env=ENV, deadline=Deadline())


def test_an_argument_with_a_nul_character() -> None:
    with pytest.raises(ToolError, match="^sh cannot be started: an argument is no text"):
        run([SH, "a\0b"], cwd="/", env=ENV, deadline=Deadline())


def test_ctrl_c_kills_the_child(tmp_path: Path) -> None:
    """In a process of its own, which gets the signal while a child runs that does not care.

    The child says who it is after more output than a pipe holds: by then `run` is reading it.
    """
    pid = tmp_path / "pid"
    script = f"""
        import os
        from cmp_plugin.system.process import Deadline, run
        try:
            run(["{SH}", "-c", "trap '' INT TERM; head -c 200000 /dev/zero; echo $$ > {pid}; while :; do sleep 1; done"],
                cwd="/", env={ENV}, deadline=Deadline())
        except KeyboardInterrupt:
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                print("reaped", len(os.listdir("/dev/fd")))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as ours:
        end = time.monotonic() + 60
        while not (pid.exists() and pid.read_text().strip()):
            assert ours.poll() is None and time.monotonic() < end, "the child never started"
            time.sleep(0.01)
        ours.send_signal(signal.SIGINT)
        assert ours.communicate(timeout=20)[0] == "reaped 4\n"
    assert gone(int(pid.read_text()))


def test_many_at_once_from_threads() -> None:
    results: list[Completed] = []

    def one(number: int) -> None:
        results.append(sh(f"echo {number}; exit {number}"))

    threads = [threading.Thread(target=one, args=(n,), daemon=True) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == sorted(Completed(f"{n}\n".encode(), b"", n) for n in range(16))
