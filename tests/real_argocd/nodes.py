"""Stands in for the nodes of a cluster and for its controllers: what waits for pods becomes ready.

Only status is written, as the real ones would write it; nothing runs.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster import Cluster

NOW = "2026-01-01T00:00:00Z"


def deployment_status(each: dict[str, Any]) -> dict[str, Any]:
    count = each["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
    return counts | {"observedGeneration": each["metadata"]["generation"]}


def _stateful_set(each: dict[str, Any]) -> dict[str, Any]:
    return deployment_status(each) | {
        "currentRevision": "1",
        "updateRevision": "1",
        "currentReplicas": each["spec"]["replicas"],
    }


def _daemon_set(each: dict[str, Any]) -> dict[str, Any]:
    names = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
    return dict.fromkeys(names, 0) | {"observedGeneration": each["metadata"]["generation"]}


def _condition(kind: str) -> dict[str, str]:
    return {"type": kind, "status": "True", "reason": "Ready", "lastTransitionTime": NOW}


def _job(_: dict[str, Any]) -> dict[str, Any]:
    conditions = [_condition("SuccessCriteriaMet"), _condition("Complete")]
    return {"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": conditions}


def _autoscaler(_: dict[str, Any]) -> dict[str, Any]:
    return {"desiredReplicas": 1, "currentReplicas": 1, "conditions": [_condition("ScalingActive")]}


def _budget(each: dict[str, Any]) -> dict[str, Any]:
    names = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
    generation = {"observedGeneration": each["metadata"]["generation"]}
    return dict.fromkeys(names, 1) | generation | {"conditions": [_condition("DisruptionAllowed")]}


def _ready(_: dict[str, Any]) -> dict[str, Any]:
    return {"conditions": [_condition("Ready")]}


# Kinds by where the API server has them; a kind that a service brings is not there before the service is.
STATUS: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("/apis/apps/v1", "deployments"): deployment_status,
    ("/apis/apps/v1", "statefulsets"): _stateful_set,
    ("/apis/apps/v1", "daemonsets"): _daemon_set,
    ("/apis/batch/v1", "jobs"): _job,
    ("/apis/autoscaling/v2", "horizontalpodautoscalers"): _autoscaler,
    ("/apis/policy/v1", "poddisruptionbudgets"): _budget,
    ("/apis/cert-manager.io/v1", "clusterissuers"): _ready,
}


@contextmanager
def nodes(cluster: Cluster) -> Iterator[None]:
    """For the length of the block everything of these kinds becomes ready soon after it is applied."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(1):
            bring_up(cluster)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def bring_up(cluster: Cluster) -> None:
    """Writes the status of everything that has none yet, or one of before a change."""
    for (group, kind), status in STATUS.items():
        for each in (cluster.read(f"{group}/{kind}") or {"items": []})["items"]:
            wanted, now = status(each), each.get("status", {})
            if any(
                now.get(name) is None or (name == "observedGeneration" and now[name] != wanted[name]) for name in wanted
            ):
                metadata = each["metadata"]
                within = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
                cluster.patch(f"{group}{within}/{kind}/{metadata['name']}/status", {"status": wanted})
