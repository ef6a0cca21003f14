"""Fixtures: Argo CD's programs, each level started once for all tests that ask for it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from build import BUNDLES, directory
from cmp_server import CmpServer, cmp_server
from program import BIN, required
from repo_server import RepoServer, redis, repo_server
from repository import Repository, reference_fleet
from toolchain import HELM3, HELM4, KUSTOMIZE

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("argocd")


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    missing = [bundle.name for bundle in BUNDLES if not directory(bundle).is_dir()]
    assert not missing, f"not built: {missing}: make test-argocd builds them"


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """For everything that runs here: a short path, as a socket's may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="cmp-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def commands(run_directory: Path) -> str:
    """A directory with what the sidecar has on its PATH: our program, helm and kustomize."""
    path = run_directory / "commands"
    path.mkdir()
    for tool in (HELM4, KUSTOMIZE):
        (path / tool.name).symlink_to(required(tool))
    (path / "cmp-plugin").symlink_to(Path(BIN, "cmp-plugin"))
    return str(path)


@pytest.fixture(scope="session")
def sockets(run_directory: Path) -> Path:
    """Where plugins listen and repo-server looks for them."""
    path = run_directory / "sockets"
    path.mkdir()
    return path
