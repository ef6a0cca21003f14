"""The health checks that the bootstrap's chart configures: for a cluster's Argo CD, and tried in Argo CD's own Lua."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import yaml
from bootstrapping import CHART
from build import ARGOCD, directory
from cluster import NAMESPACE
from processes import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from cluster import Cluster

PREFIX = "resource.customizations.health."
SETTINGS: dict[str, str] = yaml.safe_load((CHART / "values.yaml").read_text())["argo-cd"]["configs"]["cm"]
CHECKS = {key: text for key, text in SETTINGS.items() if key.startswith(PREFIX)}


def use_health_checks(cluster: Cluster) -> None:
    """Puts the checks into the settings of the Argo CD on this cluster."""
    assert cluster.patch(f"/api/v1/namespaces/{NAMESPACE}/configmaps/argocd-cm", {"data": CHECKS})


def health(each: dict[str, Any], home: Path) -> tuple[str, str]:
    """Health and message of an object that is in no cluster; `home` is a directory to write in."""
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": CHECKS}
    for name, content in (("settings.yaml", settings), ("object.yaml", each)):
        (home / name).write_text(json.dumps(content))
    argv: list[str | Path] = [directory(ARGOCD) / "argocd", "admin", "settings", "resource-overrides", "health"]
    argv += [home / "object.yaml", "--argocd-cm-path", home / "settings.yaml"]
    done = subprocess.run(
        argv,
        env={"HOME": str(home), "PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    return said["STATUS"], said["MESSAGE"]
