"""Small fleets for one test each: plain files, objects that need no pods, every state of them on record."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from applications import PATHS
from build import KUBERNETES, directory
from cluster import NAMESPACE, Cluster
from cmp_server import PLUGIN
from live import IN_CLUSTER
from nodes import NOW, deployment_status
from processes import Program, running
from repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def spec(kind: str, fields: str) -> str:
    """A file of the fleet: `fields` below the head that all have."""
    return f"apiVersion: cmp-plugin/v1alpha1\nkind: {kind}\n{fields}"


def config_map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}) + "\n"


def deployment(name: str, version: str) -> str:
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": f"{name}:{version}"}]}}
    body = {"selector": {"matchLabels": labels}, "template": pod}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}) + "\n"


def new_fleet(root: Path, files: Mapping[str, str]) -> Repository:
    """A repository with fleet.yaml and `files` as its first commit."""
    fleet = Repository(root)
    settings = f'repoURL: {fleet.url}\ntargetRevision: main\nkubernetes: {{version: "1.34"}}\n'
    fleet.commit({"fleet.yaml": spec("Fleet", settings), **files})
    return fleet


def cluster_yaml(services: str, more: str = "") -> str:
    """A cluster that is the one Argo CD runs on; `services` are lines of a mapping."""
    listed = "".join(f"  {line}\n" for line in services.splitlines())
    return spec("Cluster", f"destination: {{server: {IN_CLUSTER}}}\n{more}services:\n{listed}")


def root_application(fleet: Repository, name: str) -> dict[str, Any]:
    """The one Application that is not generated, as the bootstrap's chart has it."""
    source = {"repoURL": fleet.url, "targetRevision": "main", "path": "clusters", "plugin": {"name": PLUGIN}}
    policy = {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": -1, "refresh": True}}
    fields = {"project": "default", "source": source, "syncPolicy": policy}
    fields["destination"] = {"server": IN_CLUSTER, "namespace": NAMESPACE}
    metadata = {"name": name, "namespace": NAMESPACE, "annotations": {PATHS: "/fleet.yaml;/profiles;/services;."}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": fields}


def install(cluster: Cluster, fleet: Repository, preview: Callable[..., list[Any]], *clusters: str) -> None:
    """The Applications of whole clusters, as the fleet's root makes them."""
    made = {each["metadata"]["name"]: each for each in preview(fleet.root, "--applications")}
    cluster.apply(*(made[name] for name in clusters))


def config(cluster: Cluster, namespace: str, name: str) -> Any:
    """A ConfigMap; None when it is not there."""
    return cluster.read(f"/api/v1/namespaces/{namespace}/configmaps/{name}")


def become_ready(cluster: Cluster, namespace: str, name: str) -> None:
    """What nodes do for a Deployment."""
    path = _deployment(namespace, name)
    cluster.patch(f"{path}/status", {"status": {"conditions": None}})
    cluster.patch(f"{path}/status", {"status": deployment_status(cluster.read(path))})


def give_up(cluster: Cluster, namespace: str, name: str) -> None:
    """What Kubernetes says of a Deployment whose pods do not come up in ten minutes."""
    path = _deployment(namespace, name)
    failed = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    failed |= {"message": "no progress", "lastTransitionTime": NOW, "lastUpdateTime": NOW}
    status = {"observedGeneration": cluster.read(path)["metadata"]["generation"], "conditions": [failed]}
    cluster.patch(f"{path}/status", {"status": status})


def _deployment(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


@contextmanager
def on_record(cluster: Cluster, home: Path, namespace: str) -> Iterator[Program]:
    """Keeps every state of the ConfigMaps in a namespace, for `history`."""
    argv: list[str | Path] = [directory(KUBERNETES) / "kubectl", "--kubeconfig", cluster.kubeconfig]
    argv += ["get", "configmaps", "-n", namespace, "--watch", "--output-watch-events", "-o", "json"]
    with running("kubectl", argv, home) as program:
        yield program


def history(watch: Program) -> Iterator[tuple[str, Any]]:
    """Every ConfigMap that `kubectl get --watch` printed, oldest first: name and data; None when it went."""
    text, decoder = watch.log, json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            event, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            return
        found = event["object"]
        yield found["metadata"]["name"], None if event["type"] == "DELETED" else found.get("data")
        start = text.find("{", end)
