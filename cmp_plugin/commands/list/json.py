"""The version board as JSON, for programs. Its shape is documented in docs/list.md."""

from __future__ import annotations

import json
from typing import Any

from ...errors import Location
from ...fleet.cluster import Facts
from ...fleet.service import Chart
from .board import Board, Deployment, Entry


def text(board: Board) -> str:
    """Three lists of flat objects; what is not there is an empty string, and a chart that is none, null."""
    shown = {
        "clusters": [_cluster(facts) for facts in board.clusters.values()],
        "services": [_entry(board, entry) for entry in board.services.values()],
        "deployments": [_deployment(deployment) for deployment in board.deployments],
    }
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _cluster(facts: Facts) -> dict[str, Any]:
    return {
        "name": facts.cluster,
        "labels": dict(facts.labels),
        "kubernetes": facts.kube_version,
        "destination": dict(facts.destination),
        "file": facts.at.file,
    }


def _entry(board: Board, entry: Entry) -> dict[str, Any]:
    used = board.used(entry.name)
    return {
        "name": entry.name,
        "chart": _chart(entry.chart),
        "version": entry.version,
        "used": used,
        "at": _at(entry.at),
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "cluster": deployment.cluster,
        "key": deployment.key,
        "service": deployment.service,
        "state": "on" if deployment.is_on else "off",
        "chart": _chart(deployment.chart),
        "version": deployment.version,
        "revision": deployment.revision,
        "pin": deployment.pin,
        "newest": deployment.newest,
        "at": _at(deployment.at),
    }


def _chart(chart: Chart | None) -> dict[str, str] | None:
    if chart is None:
        return None
    source = {"repo": chart.repo, "name": chart.name, "oci": chart.oci, "path": chart.path}
    return {key: value for key, value in source.items() if value}


def _at(at: Location) -> dict[str, Any]:
    return {"file": at.file, "line": at.line, "column": at.column}
