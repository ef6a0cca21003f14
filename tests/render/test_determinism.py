"""The same files give the same bytes, whoever renders them, where and when."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from program import CHECKOUT, environment, run

FLEET = ("fleet.yaml", "profiles", "services", "clusters")
PREVIEW = ["preview", "kind.local", "-o", "json"]
HOSTILE = {
    "HELM_NAMESPACE": "elsewhere",
    "HELM_KUBEVERSION": "1.20.0",
    "HELM_DEBUG": "true",
    "HELM_PLUGINS": "/nonexistent",
    "KUBE_VERSION": "1.20.0",
    "KUBE_API_VERSIONS": "example.com/v1/Surprise",
    "KUBECONFIG": "/nonexistent",
    "KUSTOMIZE_PLUGIN_HOME": "/nonexistent",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference fleet, without git and far from the checkout."""
    return copy_fleet(tmp_path_factory.mktemp("far") / "fleet")


def copy_fleet(target: Path) -> Path:
    target.mkdir()
    for part in FLEET:
        source = Path(CHECKOUT, part)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target / part)
    return target


@pytest.fixture(scope="module")
def baseline(fleet: Path, clean_env: dict[str, str]) -> bytes:
    done = run(PREVIEW, str(fleet), {**clean_env, "PYTHONHASHSEED": "0"}, umask=0o022)
    assert (done.code, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") > 5
    return done.stdout


@pytest.mark.parametrize(
    "changes",
    [
        {"TZ": "Asia/Kolkata"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "4242"},
        HOSTILE,
    ],
    ids=["TZ", "LANG=C", "LANG=tr_TR", "PYTHONHASHSEED", "tool variables"],
)
def test_environment(changes: dict[str, str], fleet: Path, baseline: bytes, clean_env: dict[str, str]) -> None:
    assert run(PREVIEW, str(fleet), {**clean_env, **changes}).stdout == baseline


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_umask(umask: int, fleet: Path, baseline: bytes, clean_env: dict[str, str]) -> None:
    assert run(PREVIEW, str(fleet), clean_env, umask=umask).stdout == baseline


def test_home_and_place(tmp_path: Path, baseline: bytes) -> None:
    """Another person, another directory with blanks, another time zone, all at once."""
    other = copy_fleet(tmp_path / "an other place")
    env = environment(str(tmp_path / "home")) | {"TZ": "America/New_York", "LANG": "C"}
    inside = other / "clusters" / "kind.local"
    assert run(PREVIEW, str(inside), env, umask=0o027).stdout == baseline


def test_from_outside(fleet: Path, tmp_path: Path, baseline: bytes) -> None:
    env = environment(str(tmp_path / "home"))
    assert run(["-C", str(fleet), *PREVIEW], str(tmp_path), env).stdout == baseline


@pytest.mark.parametrize("jobs", ["1", "7"])
def test_jobs(jobs: str, fleet: Path, baseline: bytes, clean_env: dict[str, str]) -> None:
    assert run([*PREVIEW, "--jobs", jobs], str(fleet), clean_env).stdout == baseline
