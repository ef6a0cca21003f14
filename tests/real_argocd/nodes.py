"""Stands in for the nodes of a cluster and for its controllers: what waits for pods becomes ready.

Only status is written, as the real ones would write it; nothing runs.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster import Cluster

KINDS = (
    "deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,"
    "horizontalpodautoscalers.autoscaling,poddisruptionbudgets.policy"
)
NOW = "2026-01-01T00:00:00Z"


def _deployment(each: dict[str, Any]) -> dict[str, Any]:
    count = each["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
    return counts | {"observedGeneration": each["metadata"]["generation"]}


def _stateful_set(each: dict[str, Any]) -> dict[str, Any]:
    return _deployment(each) | {
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


STATUS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "ClusterIssuer": _ready,
}


@contextmanager
def nodes(cluster: Cluster, kinds: str = KINDS) -> Iterator[None]:
    """For the length of the block everything of these kinds becomes ready soon after it is applied."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(1):
            bring_up(cluster, kinds)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def bring_up(cluster: Cluster, kinds: str) -> None:
    for kind in kinds.split(","):
        # A kind that a service brings is not there before the service is.
        listed = cluster.kubectl("get", kind, "-A", "-o", "json", check=False)
        for each in json.loads(listed)["items"] if listed.startswith("{") else []:
            wanted = STATUS[each["kind"]](each)
            now = each.get("status", {})
            if any(
                now.get(name) is None or name == "observedGeneration" and now[name] != wanted[name] for name in wanted
            ):
                _patch(cluster, kind, each["metadata"], wanted)


def _patch(cluster: Cluster, kind: str, metadata: dict[str, Any], status: dict[str, Any]) -> None:
    place = ["-n", metadata["namespace"]] if "namespace" in metadata else []
    patch = json.dumps({"status": status})
    words = ("patch", kind, metadata["name"], *place, "--subresource=status", "--type=merge", "-p", patch)
    said = cluster.kubectl(*words, check=False)
    assert "patched" in said or "not found" in said, said
