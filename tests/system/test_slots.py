"""Turns are fair, bounded, and survive the death of those who hold them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmp_plugin.errors import ToolError
from cmp_plugin.system.process import Deadline
from cmp_plugin.system.slots import container_limit, processors, turn

# Takes a turn, says so, and keeps it until its standard input ends.
HOLDER = """
import sys
from cmp_plugin.system.process import Deadline
from cmp_plugin.system.slots import turn
with turn("helm", Deadline(60)):
    print(sys.argv[1], flush=True)
    sys.stdin.read()
"""


class Holder:
    """A process that asks for a turn at once and gives it back on `release`."""

    def __init__(self, name: str, environment: dict[str, str], output: Path) -> None:
        argv = [sys.executable, "-c", HOLDER, name]
        env = os.environ | environment
        with open(output, "a") as file:
            self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=file)

    def release(self) -> None:
        self.process.communicate(timeout=20)


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """One tool at a time, in a directory of this test."""
    return {"TMPDIR": str(tmp_path), "CMP_PLUGIN_PROCESSES": "1"}


def tickets(directory: Path) -> int:
    return len(list(directory.glob("cmp-turns-*/*")))


def until(directory: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while tickets(directory) != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def words(output: Path) -> list[str]:
    return output.read_text().split()


def test_first_come_first_served(tmp_path: Path, alone: dict[str, str]) -> None:
    output = tmp_path / "output"
    holders = []
    for number in range(4):
        holders.append(Holder(str(number), alone, output))
        until(tmp_path, number + 1)
    time.sleep(0.2)
    for number, holder in enumerate(holders):
        holder.release()
        until(tmp_path, 3 - number)
        while len(words(output)) < min(number + 2, 4):
            time.sleep(0.01)
        assert words(output) == ["0", "1", "2", "3"][: number + 2]


def test_a_killed_holders_turn_is_free(tmp_path: Path, alone: dict[str, str]) -> None:
    output = tmp_path / "output"
    first = Holder("first", alone, output)
    until(tmp_path, 1)
    second = Holder("second", alone, output)
    until(tmp_path, 2)
    first.process.send_signal(signal.SIGKILL)
    first.release()
    until(tmp_path, 1)
    second.release()
    assert "second" in words(output) and tickets(tmp_path) == 0


def test_the_deadline_ends_the_wait(tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in alone.items():
        monkeypatch.setenv(name, value)
    with turn("helm", Deadline(60)):
        with pytest.raises(ToolError, match=r"kustomize had no turn within 0.1 s: 1 run at a time"):
            with turn("kustomize", Deadline(0.1)):
                pass
    assert tickets(tmp_path) == 0


@pytest.mark.parametrize("value", ["0", "-1", "two"])
def test_a_wrong_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CMP_PLUGIN_PROCESSES", value)
    with pytest.raises(ToolError, match="CMP_PLUGIN_PROCESSES must be"), turn("helm", Deadline()):
        pass


def test_without_a_directory_nobody_waits(
    tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"cmp-turns-{os.geteuid()}").symlink_to(tmp_path)
    for name, value in alone.items():
        monkeypatch.setenv(name, value)
    with turn("helm", Deadline(1)), turn("helm", Deadline(1)):
        assert list(tmp_path.iterdir()) == [tmp_path / f"cmp-turns-{os.geteuid()}"]


def test_the_containers_limit_counts(tmp_path: Path) -> None:
    assert container_limit(str(tmp_path)) == 0
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert container_limit(str(tmp_path)) == 0
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("150000\n")
    assert container_limit(str(tmp_path)) == 2
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert container_limit(str(tmp_path)) == 0
    (tmp_path / "cpu.max").write_text("400000 100000\n")
    assert container_limit(str(tmp_path)) == 4


def test_at_least_one_processor() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)
