"""Which helm and kustomize the set-up takes, and how it says so; with real programs on a real PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import toolchain
from program import CHECKOUT

FIND = "import toolchain; print(toolchain.find(toolchain.HELM4))"


def program(path: Path, says: str) -> Path:
    """A program that says this whatever it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def found(path: Path, cache: Path) -> str:
    """What find() answers in a process with this PATH and tools cache."""
    env = {
        "PATH": f"{path}:/usr/bin:/bin",
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": os.path.join(CHECKOUT, "scripts"),
    }
    done = subprocess.run([sys.executable, "-c", FIND], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("v4.3.1", "4.3.1"),
        ("4.3.0", "4.3.0"),
        ("v4.3.9+g1a2b3c4", "4.3.9"),
        ("v4.3", ""),
        ("v4.3.0-rc.1", ""),
        ("(devel)", ""),
        ("", ""),
    ],
)
def test_versions(says: str, version: str, tmp_path: Path) -> None:
    path = program(tmp_path / "helm", says)
    assert toolchain.reported_version(toolchain.HELM4, str(path)) == version


def test_path_comes_first(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin" / "helm", "v4.3.5")
    program(tmp_path / "cache" / "cmp-plugin" / "tools" / "helm-4.3.1" / "helm", "v4.3.1")
    assert found(tmp_path / "bin", tmp_path / "cache") == str(on_path)


@pytest.mark.parametrize("other", ["v4.2.9", "v4.1.3", "v3.22.0", "v4.30.0", "v4.3"])
def test_another_series_on_path(other: str, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "helm", other)
    assert found(tmp_path / "bin", tmp_path / "cache") == ""
    kept = program(tmp_path / "cache" / "cmp-plugin" / "tools" / "helm-4.3.1" / "helm", "v4.3.1")
    assert found(tmp_path / "bin", tmp_path / "cache") == str(kept)


def test_copied_tools(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """A whole run of the script, which has nothing to build; its result is on stderr alone."""
    script = os.path.join(CHECKOUT, "scripts", "set_up.py")
    target = tmp_path / "tools"
    done = subprocess.run(
        [sys.executable, script, "--tools", str(target)],
        env=clean_env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "[1/2] kustomize 5.8",
        "[2/2] helm 4.3",
    ]
    copied = str(target / "helm")
    assert toolchain.reported_version(toolchain.HELM4, copied).startswith("4.3.")
    assert toolchain.reported_version(toolchain.KUSTOMIZE, str(target / "kustomize"))


def test_failure_is_one_line_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(toolchain.SetUpError, match=r"^\[1/1\] thing: exit code 3 of "):
        toolchain.Step(1, 1, "thing").run(["/bin/sh", "-c", "exit 3"])
