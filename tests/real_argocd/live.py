"""Applications in a running Argo CD: apply them, wait for what becomes of them, read the cluster."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import processes
from cluster import NAMESPACE, Cluster
from repo_server import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cmp_server import Application
    from processes import Program
    from repository import Repository

APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
IN_CLUSTER = "https://kubernetes.default.svc"
AUTOMATED = {
    "automated": {"prune": True, "selfHeal": True},
    "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
}
GOOD = ("Synced", "Healthy")
# Seconds between two looks at git that `eventually` asks for.
WAKE = 3


class Live:
    """Argo CD with its controllers, on a cluster of its own."""

    def __init__(self, cluster: Cluster, controller: Program) -> None:
        self.cluster = cluster
        self.controller = controller

    def apply(self, fleet: Repository, application: Application, revision: str = "main") -> None:
        """An Application with this source that syncs by itself."""
        written = source(fleet.url, revision, application)
        for parameter in written["plugin"]["parameters"]:
            assert set(parameter) == {"name", "string"}
        spec = {
            "project": "default",
            "source": written,
            "destination": {"server": IN_CLUSTER, "namespace": application.namespace},
            "syncPolicy": AUTOMATED,
        }
        metadata = {"name": application.name, "namespace": NAMESPACE}
        self.cluster.apply(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
        )

    @contextmanager
    def lent(self) -> Iterator[Live]:
        """Argo CD for one story: the Applications that come in the block go at its end, without what they deployed.

        So none of them works for ever, nor shares objects with those of the next story.
        """
        before = self.names()

        def all_gone() -> bool:
            left = self.names() - before
            for name in left:
                self.cluster.patch(f"{APPLICATIONS}/{name}", {"metadata": {"finalizers": None}})
                self.cluster.delete(f"{APPLICATIONS}/{name}")
            return not left

        try:
            yield self
        finally:
            processes.until(all_gone, lambda: f"there are still {self.names() - before}")

    def names(self) -> set[str]:
        return {each["metadata"]["name"] for each in self.cluster.read(APPLICATIONS)["items"]}

    def application(self, name: str) -> Any:
        """An Application; None when it is not there."""
        return self.cluster.read(f"{APPLICATIONS}/{name}")

    def target(self, name: str) -> str | None:
        """The revision that an Application names; None when it is not there."""
        found = self.application(name)
        return found["spec"]["source"]["targetRevision"] if found else None

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.application(name) or {}
        status: dict[str, Any] = found.get("status", {})
        return status

    def state(self, name: str) -> tuple[str, str]:
        """Sync status and health, each empty when not known."""
        return _state(self.status(name))

    def doing(self, name: str) -> str:
        """What an Application's sync says that it does, or did last."""
        return str(self.status(name).get("operationState", {}).get("message", ""))

    def refresh(self, name: str) -> None:
        """What a webhook does: look at git now instead of at the next interval."""
        annotations = {"argocd.argoproj.io/refresh": "normal"}
        self.cluster.patch(f"{APPLICATIONS}/{name}", {"metadata": {"annotations": annotations}})

    def until(self, name: str, condition: Callable[[], Any], seconds: float = processes.PATIENCE) -> Any:
        """The first true value of `condition()`; a failure tells the story of the Application `name`."""
        return processes.until(condition, lambda: self.story(name), seconds)

    def eventually(self, name: str, condition: Callable[[], Any]) -> Any:
        """The same, but wakes the Application every few seconds: it would look up twice a minute."""
        woken = time.monotonic()

        def tried() -> Any:
            nonlocal woken
            value = condition()
            if not value and time.monotonic() - woken > WAKE:
                self.refresh(name)
                woken = time.monotonic()
            return value

        return self.until(name, tried)

    def synced(self, name: str, revision: str) -> dict[str, Any]:
        """The status once nothing differs from `revision` and the last sync, if anything had to be applied, is over."""

        def at_revision() -> dict[str, Any] | None:
            status = self.status(name)
            operation = status.get("operationState", {})
            applied = operation.get("syncResult", {}).get("revision") == revision
            synced = status.get("sync", {}).get("status") == "Synced" and status["sync"]["revision"] == revision
            return status if synced and (applied or operation.get("phase") in (None, "Succeeded")) else None

        found: dict[str, Any] = self.eventually(name, at_revision)
        return found

    def settled(self, name: str, revision: str) -> None:
        """Waits until an Application is Synced to a commit, Healthy, and no sync of it is left."""

        def good() -> bool:
            now = self.status(name)
            compared = now.get("sync", {}).get("revision") == revision
            phase = now.get("operationState", {}).get("phase")
            return compared and phase == "Succeeded" and _state(now) == GOOD

        self.eventually(name, good)

    def condition(self, name: str, words: str) -> str:
        """The message of the Application's ComparisonError, once there is one with these words."""

        def message() -> str | None:
            conditions = self.status(name).get("conditions", [])
            said = [each["message"] for each in conditions if each["type"] == "ComparisonError"]
            return next((each for each in said if words in each), None)

        return str(self.eventually(name, message))

    def asks_to_delete(self, name: str) -> bool:
        """Whether an Application is marked to be deleted and waits for somebody to confirm that."""
        application, asked = self.application(name), "requires manual confirmation to delete"
        lines = (line for line in self.controller.log.splitlines() if name in line)
        return "deletionTimestamp" in application["metadata"] and any(asked in line for line in lines)

    def story(self, name: str) -> str:
        """What a failed test has to tell: the Application's status and what the controller did."""
        lines = [line for line in self.controller.log.splitlines() if name in line]
        return "\n".join([str(self.status(name)), *lines[-40:]])


def _state(status: dict[str, Any]) -> tuple[str, str]:
    return status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", "")


def contained(wanted: Any, actual: Any) -> bool:
    """Whether `actual` has everything that `wanted` has; a server adds defaults to what it is given."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return all(key in actual and contained(value, actual[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(actual, list):
        return len(wanted) == len(actual) and all(map(contained, wanted, actual))
    return bool(wanted == actual)
