"""The chart that installs Argo CD, with its dependency: the real one, or the one that stands in; and the fleet with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from program import CHECKOUT, run

from cmp_plugin.goyaml.load import load_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHART = Path(CHECKOUT, "services", "argocd", "chart")
FLEET = ("fleet.yaml", "profiles", "services", "clusters")
STAND_IN = Path(CHECKOUT, "tests", "bootstrap", "argo-cd")
Key = tuple[str, str, str]


def copy_fleet(root: Path) -> Path:
    """A copy of the reference fleet in the directory `root`."""
    for name in FLEET:
        source = Path(CHECKOUT, name)
        if source.is_dir():
            shutil.copytree(source, root / name)
        else:
            shutil.copy(source, root / name)
    return root


def put_dependency(chart: Path, archive: Path | None) -> None:
    """What `helm dependency build` does: the archive, or the stand-in, into charts/."""
    (chart / "charts").mkdir()
    if archive:
        shutil.copy(archive, chart / "charts")
    else:
        shutil.copytree(STAND_IN, chart / "charts" / "argo-cd")


def bootstrap_chart(directory: Path, archive: Path | None = None) -> Path:
    """A copy of the chart, in `directory`, that Helm can install."""
    chart = Path(shutil.copytree(CHART, directory / "chart"))
    put_dependency(chart, archive)
    return chart


def helm(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Helm with nothing of this machine's own settings."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [program, *words],
            env={"PATH": "", "HOME": home},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def template(program: str, chart: Path, *words: str) -> dict[Key, dict[str, Any]]:
    """What an installation would create, as Argo CD reads it, by kind, namespace and name."""
    done = helm(program, "template", "argocd", chart, "--namespace", "argocd", "--kube-version", "1.34", *words)
    assert done.returncode == 0, done.stderr
    return by_key([document.value for document in load_manifests(done.stdout.encode())])


def lint(program: str, chart: Path) -> None:
    """Fails with Helm's words when it would improve something in the chart."""
    done = helm(program, "lint", "--strict", chart)
    assert done.returncode == 0, done.stdout + done.stderr


def service_objects(fleet: Path, env: Mapping[str, str], warnings: bool = False) -> dict[Key, dict[str, Any]]:
    """What the service `argocd` of the management cluster is, by kind, namespace and name."""
    done = run(["preview", "management", "argocd", "-o", "json"], str(fleet), dict(env))
    assert done.code == 0 and bool(done.stderr) is warnings, done.stderr.decode()
    return by_key([json.loads(line) for line in done.stdout.splitlines()])


def by_key(objects: Sequence[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    keyed = {key(each): each for each in objects}
    assert len(keyed) == len(objects)
    return keyed


def key(each: dict[str, Any]) -> Key:
    return each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]
