"""Small fleets for tests, written from a few lines of YAML each."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

from cmp_plugin.cluster import open_cluster
from cmp_plugin.errors import CmpError
from cmp_plugin.fleet import open_fleet
from cmp_plugin.plan import Planned, plan
from cmp_plugin.request import Request, request_for
from cmp_plugin.resolve import Resolved, resolve

KINDS = {"fleet.yaml": "Fleet", "service.yaml": "Service", "cluster.yaml": "Cluster"}
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
    "values.yaml": "list: [chart]\nmap: {a: chart}\n",
    "templates/values.yaml": (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
        "data: {values: {{ .Values | toJson | quote }}}\n"
    ),
}


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes `files` below `root`. Spec files get apiVersion and kind as their first two lines."""
    for name, text in {"fleet.yaml": "", **files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        is_profile = place.parent == root / "profiles" and name.endswith(".yaml")
        kind = "Profile" if is_profile else KINDS.get(place.name)
        head = f"apiVersion: cmp-plugin/v1alpha1\nkind: {kind}\n" if kind else ""
        place.write_text(head + dedent(text))
    return root


def chart(directory: str, **changed: str) -> dict[str, str]:
    """The files of a chart that prints its values as one ConfigMap."""
    return {os.path.join(directory, name): text for name, text in {**CHART, **changed}.items()}


def request(root: Path, cluster: str = "c", key: str = "web") -> Request:
    return request_for(open_cluster(open_fleet(os.path.realpath(root)), cluster), key)


def resolved(root: Path, cluster: str = "c", key: str = "web") -> Resolved:
    found = resolve(request(root, cluster, key))
    assert found is not None, f"{key} is switched off"
    return found


def planned(root: Path, cluster: str = "c") -> list[Planned]:
    return plan(open_cluster(open_fleet(os.path.realpath(root)), cluster))


def refusal(root: Path, cluster: str = "c") -> str:
    """The error text that planning the cluster ends with."""
    try:
        planned(root, cluster)
    except CmpError as error:
        return str(error)
    raise AssertionError("nothing was refused")
