"""The sidecar's image, really built: its user, a read-only root and no shell are enough for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from build import ARGOCD, directory
from checkout import CHECKOUT
from cmp_server import PLUGIN, Application, CmpServer, packed
from image import Image, build
from processes import listens, running

from cmp_plugin.argocd.contract import PARAMETERS
from cmp_plugin.tools.install import HELM, KUSTOMIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repository import Repository

pytestmark = pytest.mark.sidecar


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    work = Path(tempfile.mkdtemp(prefix="cmp-image-"))
    try:
        yield build(work)
    finally:
        shutil.rmtree(work)


@pytest.fixture(scope="module")
def programs(run_directory: Path) -> Path:
    """What Argo CD's init container copies for its plugins."""
    path = run_directory / "var-run-argocd"
    path.mkdir()
    shutil.copy(directory(ARGOCD) / "argocd", path / "argocd-cmp-server")
    return path


@pytest.fixture(scope="module")
def inside(image: Image, programs: Path, run_directory: Path) -> Callable[..., str]:
    """Runs a command in the container; its output."""
    unused = run_directory / "unused"
    unused.mkdir(mode=0o777)

    def run(*command: str) -> str:
        done = subprocess.run(image.argv(list(command), unused, programs), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def sidecar(image: Image, programs: Path, run_directory: Path) -> Iterator[CmpServer]:
    """The image's entrypoint, running."""
    sockets = run_directory / "sidecar-sockets"
    sockets.mkdir()
    os.chown(sockets, 999, 999)
    argv = image.argv(image.configuration["Entrypoint"], sockets, programs)
    with running("sidecar", argv, run_directory / "sidecar") as program:
        socket = sockets / f"{PLUGIN}.sock"
        program.wait_until(lambda: listens(socket))
        yield CmpServer(program, socket)


@pytest.mark.parametrize("service", ["namespaces", "priority-classes", "web", "web-preview"])
def test_it_renders_what_preview_shows(
    sidecar: CmpServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    application = Application("x", "clusters/kind.local", {"service": service})
    manifests = sidecar.generate(packed(fleet.root), application)
    assert [json.loads(each) for each in manifests] == preview(fleet.root, "kind.local", service)


def test_it_announces_its_parameters(sidecar: CmpServer, fleet: Repository) -> None:
    application = Application("x", "clusters/kind.local", {"service": "web"})
    announced = sidecar.parameters(packed(fleet.root), application)
    assert [each.name for each in announced] == list(PARAMETERS)


def test_the_tools_are_the_pinned_ones(inside: Callable[..., str]) -> None:
    assert inside("helm", *HELM.kind.version_arguments).strip() == f"v{HELM.pinned[0]}"
    assert inside("kustomize", *KUSTOMIZE.kind.version_arguments).strip().lstrip("v") == KUSTOMIZE.pinned[0]
    assert inside("git", "--version").startswith("git version 2.")


def test_nobody_special_and_nothing_to_write_to(inside: Callable[..., str]) -> None:
    assert inside("id", "-u") == "999\n"
    with pytest.raises(AssertionError, match="Read-only file system"):
        inside("touch", "/opt/cmp-plugin/x")
    with pytest.raises(AssertionError):
        inside("sh", "-c", "true")


def test_it_says_what_it_is(image: Image) -> None:
    labels = image.configuration["Labels"]
    assert labels["org.opencontainers.image.title"] == "cmp-plugin"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    baked = image.root / "home/argocd/cmp-server/config/plugin.yaml"
    assert baked.read_text() == Path(CHECKOUT, "plugin.yaml").read_text()
