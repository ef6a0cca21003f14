"""Colours and tables, on a real terminal and in a pipe."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pexpect
import pytest
from program import CHECKOUT, PROGRAM, run

from cmp_plugin.commands.terminal import columns, has_colours, painter, table, visible

HEAD = ("service", "version", "where")
ROWS: list[list[str | tuple[str, str]]] = [
    [("istiod", "name"), "1.30.5", ("services/istiod/service.yaml:9:3", "place")],
    [("prometheus", "name"), ("88.2.0", "warning"), "profiles/prod.yaml:14:7"],
]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A terminal, 40 characters wide, with nothing else said about it."""
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with open(theirs, "w") as stream:
        yield stream
    os.close(ours)


@pytest.fixture
def pipe() -> Iterator[TextIO]:
    read, write = os.pipe()
    with open(write, "w") as stream:
        yield stream
    os.close(read)


def test_colours_are_for_a_terminal(screen: TextIO, pipe: TextIO) -> None:
    assert painter(screen)("no", "error") == "\x1b[1;31mno\x1b[0m"
    assert painter(pipe)("no", "error") == "no"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_what_is_said_about_colours(
    name: str, value: str, wanted: bool, screen: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert has_colours(screen) is wanted
    assert ("\x1b" in painter(screen)("no", "error")) is wanted
    assert ("\x1b" in table(HEAD, ROWS, screen)) is wanted


def test_width(screen: TextIO, pipe: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (columns(screen), columns(pipe)) == (40, 0)
    monkeypatch.setenv("COLUMNS", "70")
    assert (columns(screen), columns(pipe)) == (70, 0)


def test_a_table_in_a_pipe_is_plain_and_whole(pipe: TextIO) -> None:
    long: list[list[str | tuple[str, str]]] = [*ROWS, ["x" * 300, "two\nlines", ""]]
    lines = table(HEAD, long, pipe).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["istiod", "1.30.5", "services/istiod/service.yaml:9:3"],
        ["prometheus", "88.2.0", "profiles/prod.yaml:14:7"],
    ]
    assert len(lines) == 4 and lines[3] == "x" * 300 + "  two lines"
    assert lines[0].index("version") == lines[1].index("1.30.5") == 302


def test_a_table_fits_the_terminal(screen: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    cut = table(HEAD, ROWS, screen)
    assert max(map(len, cut.splitlines())) <= 40 and "…" in cut
    folded = table(HEAD, ROWS, screen, folding=["where"])
    assert max(map(len, folded.splitlines())) <= 40 and "…" not in folded
    head, _, *below = folded.splitlines()
    words = "".join(line[head.index("where") :].strip() for line in below)
    assert words == "services/istiod/service.yaml:9:3profiles/prod.yaml:14:7"


def test_what_files_say_is_no_command_to_the_terminal(screen: TextIO, pipe: TextIO) -> None:
    hostile = "a\x1b[2J\x07\x9b\u202eb[red]c"
    shown = "a\\x1b[2J\\x07\\x9b\\u202eb[red]c"
    assert visible(hostile) == painter(pipe)(hostile, "name") == shown
    assert shown in table(["x"], [[hostile]], pipe)
    assert "\x1b[2J" not in table(["x"], [[hostile]], screen) + painter(screen)(hostile, "name")
    assert visible("Grüße, 世界 👩‍🚀\n\t") == "Grüße, 世界 👩‍🚀\n\t"


def test_plain_text_needs_no_library() -> None:
    """Milliseconds that nobody in a pipe should pay."""
    code = (
        "import sys; from cmp_plugin.commands.terminal import painter;"
        "painter(sys.stdout)('a', 'name'); sys.exit('rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=CHECKOUT)


FLEET = {
    "fleet.yaml": "kind: Fleet\n",
    "services/notes/service.yaml": "kind: Service\nnamespace: notes\nresources: [notes.yaml]\n",
    "clusters/one/cluster.yaml": "kind: Cluster\nservices: {notes: , more: {service: notes}}\n",
}
NOTES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for name, text in FLEET.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("apiVersion: cmp-plugin/v1alpha1\n" + text)
    (tmp_path / "services/notes/notes.yaml").write_text(NOTES)
    return tmp_path


def on_a_terminal(command: str, cwd: Path, env: dict[str, str]) -> str:
    """All that a terminal gets from a shell's command line."""
    child = pexpect.spawn("sh", ["-c", command], cwd=str(cwd), env=env, encoding="utf-8", timeout=120)
    child.setwinsize(24, 100)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    shown: str = child.before
    return shown


def test_progress_is_for_a_terminal(fleet: Path, clean_env: dict[str, str]) -> None:
    env = {**clean_env, "TERM": "xterm"}
    seen = on_a_terminal(f"{PROGRAM} preview > /dev/null", fleet, env)
    assert "rendering" in seen and "2/2" in seen
    assert seen.endswith("\x1b[2K"), "the bar is gone at the end"
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h"), "the cursor is there again"
    piped = run(["preview"], str(fleet), env)
    assert (piped.code, piped.stderr) == (0, b"")
    assert on_a_terminal(f"{PROGRAM} preview > /dev/null", fleet, {**env, "TERM": "dumb"}) == ""


WAIT = "import time; from cmp_plugin.commands.progress import waiting\nwith waiting('reading'): time.sleep({})"


def test_what_takes_long_says_what_it_is(tmp_path: Path, clean_env: dict[str, str]) -> None:
    python = f'{sys.executable} -c "{WAIT}"'
    env = {**clean_env, "TERM": "xterm", "PYTHONPATH": CHECKOUT}
    seen = on_a_terminal(python.format(2), tmp_path, env)
    assert "reading ..." in seen
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h") == 1, "the cursor is there again"
    assert on_a_terminal(python.format(0.1), tmp_path, env) == "", "a moment is nothing to talk about"
    assert on_a_terminal(f"{python.format(1.5)} 2>&1 | cat", tmp_path, env) == ""


def test_progress_does_not_mix_with_the_result(fleet: Path, clean_env: dict[str, str]) -> None:
    on_a_terminal(f"{PROGRAM} preview > out", fleet, {**clean_env, "TERM": "xterm"})
    assert (fleet / "out").read_bytes() == run(["preview"], str(fleet), clean_env).stdout
