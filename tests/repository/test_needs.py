"""What a machine without Debian's programs does: install them, or say what to install, or fail in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import needs
import netless
import program
import pytest
import set_up

from cmp_plugin.errors import CmpError
from cmp_plugin.tools.install import Step

BROWSER = "chromium, chromedriver are missing: apt-get install chromium chromium-driver"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which there is nothing but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(path: Path, script: str = "") -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_each_program_is_described_once_and_the_same_everywhere() -> None:
    rows = {*needs.TESTS, *needs.ARGOCD, *needs.SIDECAR}
    assert len({row.program for row in rows}) == len(rows)
    assert all(row.package and row.reason for row in rows)


def test_what_is_on_path_is_not_missing(bare: Path) -> None:
    put(bare / "chromium")
    assert [need.package for need in needs.missing_programs(["chromium", "chromedriver"])] == ["chromium-driver"]
    put(bare / "chromedriver")
    program.needed("chromium", "chromedriver")


def test_a_test_is_skipped_with_the_line_that_helps(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        program.needed("chromium", "chromedriver")
    assert skipped.value.msg == BROWSER


def test_in_ci_such_a_skip_is_a_failure(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception) as failed:
        program.needed("zsh")
    assert failed.value.msg == "zsh is missing: apt-get install zsh"


def test_a_refused_namespace_is_said_like_a_missing_program(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no network namespace for this user: `unshare` is a script that refuses."""
    put(bare / "unshare", "echo unshare: unshare failed: Operation not permitted >&2; exit 1")
    line = (
        "a network namespace is refused (unshare: unshare failed: Operation not permitted): "
        "run as root, or as a user outside of a chroot"
    )
    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome) as ended:
            netless.way.__wrapped__()
        assert str(ended.value) == line


APT = 'echo "$*" >> {log}; [ "{fails}" != "${{4}}" ] || {{ echo no such package; exit 100; }}'


@pytest.mark.parametrize("user", [0, 1000])
def test_an_ordinary_user_is_told(
    user: int, bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who is no root, or has no apt-get, cannot install: said for tests that can be skipped, else an error."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if user:
        put(bare / "apt-get", "exit 1")
    needed = needs.missing_programs(["zsh"])
    set_up.provide_programs(Step(5, 5, "Debian's packages"), tuple(needed), optional=True)
    assert capfd.readouterr().err.splitlines() == [
        "[5/5] Debian's packages: zsh: zsh completes command lines, as a person's shell does",
        (
            "[5/5] Debian's packages: only root can install them; tests that need them are skipped; "
            "zsh is missing: apt-get install zsh"
        ),
    ]
    with pytest.raises(CmpError, match=r"^\[5/5\] Debian's packages: zsh is missing: apt-get install zsh$"):
        set_up.provide_programs(Step(5, 5, "Debian's packages"), tuple(needed), optional=False)


@pytest.mark.parametrize("fails", ["", "install"])
def test_root_installs(
    fails: str, bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """apt-get is a script that notes what it is asked: the real one would change this machine."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    put(bare / "apt-get", APT.format(log=bare / "log", fails=fails))
    needed = tuple(needs.missing_programs(["chromium", "chromedriver"]))
    set_up.provide_programs(Step(5, 5, "Debian's packages"), needed, optional=True)
    timeout = "-qq -o DPkg::Lock::Timeout=600"
    assert (bare / "log").read_text().splitlines() == [
        f"{timeout} update",
        f"{timeout} install -y --no-install-recommends chromium chromium-driver",
    ]
    *_, before, last = capfd.readouterr().err.splitlines()
    if fails:
        assert before == "[5/5] Debian's packages: exit code 100 of apt-get"
        assert last == f"[5/5] Debian's packages: tests that need them are skipped; {BROWSER}"
        with pytest.raises(CmpError, match="exit code 100 of apt-get"):
            set_up.provide_programs(Step(5, 5, "Debian's packages"), needed, optional=False)
    else:
        assert last == "[5/5] Debian's packages: installed in 0 s"


def test_the_set_up_reads_its_tables_without_any_package(tmp_path: Path) -> None:
    """`-S`: no site-packages; --help imports all that the script is made of."""
    script = Path(program.CHECKOUT, "scripts", "set_up.py")
    done = subprocess.run(
        [sys.executable, "-S", script, "--help"], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--sidecar" in done.stdout
