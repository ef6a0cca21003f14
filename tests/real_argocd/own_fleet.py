"""Small fleets for one test each: plain files, objects that need no pods, every state of them on record."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml
from applications import PATHS
from bootstrapping import CHART
from build import KUBERNETES, directory
from cluster import NAMESPACE, TOKEN, Cluster
from cmp_server import PLUGIN
from live import IN_CLUSTER, Live
from nodes import STATUS
from processes import HOST, Program, running
from repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

WAKE = 3
HEALTH = "resource.customizations.health."


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


def use_health_checks(live: Live) -> None:
    """The health of Applications and of clusters as the bootstrap's chart configures it."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    settings = values["argo-cd"]["configs"]["cm"]
    patch = json.dumps({"data": {key: text for key, text in settings.items() if key.startswith(HEALTH)}})
    live.cluster.kubectl("patch", "configmap", "argocd-cm", "-n", NAMESPACE, "--type=merge", "-p", patch)


def install(live: Live, fleet: Repository, preview: Callable[..., list[Any]], *clusters: str) -> None:
    """The Applications of whole clusters, as the fleet's root makes them."""
    made = {each["metadata"]["name"]: each for each in preview(fleet.root, "--applications")}
    live.cluster.apply(*(made[name] for name in clusters))


def uninstall(live: Live, *names: str) -> None:
    """Takes Applications away without what they deployed, and with them their work for Argo CD."""
    patch = json.dumps({"metadata": {"finalizers": None}})
    for name in names:
        live.cluster.kubectl("patch", "application", name, "-n", NAMESPACE, "--type=merge", "-p", patch, check=False)
        live.cluster.kubectl("delete", "application", name, "-n", NAMESPACE, "--ignore-not-found", "--wait=false")


def read(cluster: Cluster, path: str) -> Any:
    """What the API server answers at `path`; None when there is no such object. Much cheaper than kubectl."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(HOST, cluster.port, timeout=60, context=trusting)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        found = json.loads(answer.read())
        assert answer.status in (200, 404), found
        return found if answer.status == 200 else None
    finally:
        connection.close()


def application(live: Live, name: str) -> Any:
    return read(live.cluster, f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}")


def status(live: Live, name: str) -> dict[str, Any]:
    found = application(live, name)
    return found.get("status", {}) if found else {}


def config(cluster: Cluster, namespace: str, name: str) -> Any:
    """A ConfigMap; None when it is not there."""
    return read(cluster, f"/api/v1/namespaces/{namespace}/configmaps/{name}")


def target(live: Live, name: str) -> str | None:
    """The revision that an Application names; None when it is not there."""
    found = application(live, name)
    return found["spec"]["source"]["targetRevision"] if found else None


def state(live: Live, name: str) -> tuple[str, str]:
    """Sync status and health, each empty when not known."""
    now = status(live, name)
    return now.get("sync", {}).get("status", ""), now.get("health", {}).get("status", "")


def eventually(live: Live, name: str, condition: Callable[[], Any], seconds: float = 180) -> Any:
    """Waits, and every few seconds wakes an Application, if it is there: it would look up twice a minute."""
    woken = time.monotonic()

    def tried() -> Any:
        nonlocal woken
        value = condition()
        if not value and time.monotonic() - woken > WAKE:
            if application(live, name):
                live.refresh(name)
            woken = time.monotonic()
        return value

    return live.until(tried, seconds, lambda: live.story(name))


def settled(live: Live, name: str, revision: str) -> None:
    """Waits until an Application is Synced to a commit, Healthy, and no sync of it is left."""

    def good() -> bool:
        now = status(live, name)
        compared = now.get("sync", {}).get("revision") == revision
        phase = now.get("operationState", {}).get("phase")
        return compared and phase == "Succeeded" and state(live, name) == ("Synced", "Healthy")

    eventually(live, name, good)


def doing(live: Live, name: str) -> str:
    """What an Application's sync says that it does, or did last."""
    return str(status(live, name).get("operationState", {}).get("message", ""))


def wait_doing(live: Live, name: str, words: str) -> None:
    eventually(live, name, lambda: words in doing(live, name))


def become_ready(live: Live, namespace: str, name: str) -> None:
    """What nodes do for a Deployment."""
    _patch_status(live, namespace, name, {"conditions": None})
    _patch_status(live, namespace, name, STATUS["Deployment"](live.cluster.get("deployment", name, namespace)))


def give_up(live: Live, namespace: str, name: str) -> None:
    """What Kubernetes says of a Deployment whose pods do not come up in ten minutes."""
    generation = live.cluster.get("deployment", name, namespace)["metadata"]["generation"]
    now = "2026-01-01T00:00:00Z"
    failed = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    failed |= {"message": "no progress", "lastTransitionTime": now, "lastUpdateTime": now}
    _patch_status(live, namespace, name, {"observedGeneration": generation, "conditions": [failed]})


def _patch_status(live: Live, namespace: str, name: str, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    words = ("patch", "deployment", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)
    live.cluster.kubectl(*words)


@contextmanager
def on_record(live: Live, home: Path, namespace: str) -> Iterator[Program]:
    """Keeps every state of the ConfigMaps in a namespace, for `history`."""
    argv: list[str | Path] = [directory(KUBERNETES) / "kubectl", "--kubeconfig", live.cluster.kubeconfig]
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
