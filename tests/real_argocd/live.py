"""Applications in a running Argo CD: apply them, wait for what becomes of them, read the cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cluster import NAMESPACE, Cluster
from repo_server import source

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmp_server import Application
    from processes import Program
    from repository import Repository

IN_CLUSTER = "https://kubernetes.default.svc"
AUTOMATED = {
    "automated": {"prune": True, "selfHeal": True},
    "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
}


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

    def status(self, name: str) -> dict[str, Any]:
        application = self.cluster.get("application", name)
        return application.get("status", {}) if application else {}

    def refresh(self, name: str) -> None:
        """What a webhook does: look at git now instead of at the next interval."""
        annotation = "argocd.argoproj.io/refresh=normal"
        self.cluster.kubectl("annotate", "application", name, "-n", NAMESPACE, "--overwrite", annotation)

    def synced(self, name: str, revision: str, seconds: float = 120) -> dict[str, Any]:
        """The status once the last sync has applied `revision` and nothing differs."""

        def at_revision() -> dict[str, Any] | None:
            status = self.status(name)
            operation = status.get("operationState", {})
            applied = operation.get("syncResult", {}).get("revision") == revision
            synced = status.get("sync", {}).get("status") == "Synced" and status["sync"]["revision"] == revision
            return status if synced and (applied or operation.get("phase") == "Succeeded") else None

        return self.until(at_revision, seconds, lambda: self.story(name))

    def condition(self, name: str, seconds: float = 120) -> str:
        """The message of the Application's ComparisonError, once there is one."""

        def message() -> str | None:
            conditions = self.status(name).get("conditions", [])
            return next((each["message"] for each in conditions if each["type"] == "ComparisonError"), None)

        return self.until(message, seconds, lambda: self.story(name))

    def story(self, name: str) -> str:
        """What a failed test has to tell: the Application's status and what the controller did."""
        lines = [line for line in self.controller.log.splitlines() if name in line]
        return "\n".join([str(self.status(name)), *lines[-40:]])

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 60, otherwise: Callable[[], Any] = lambda: "") -> Any:
        """The first true value of `condition()`; after `seconds` a failure that shows `otherwise()`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"it did not happen in {seconds} s: {otherwise()}"
            time.sleep(0.25)
        return value


def contained(wanted: Any, actual: Any) -> bool:
    """Whether `actual` has everything that `wanted` has; a server adds defaults to what it is given."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return all(key in actual and contained(value, actual[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(actual, list):
        return len(wanted) == len(actual) and all(map(contained, wanted, actual))
    return bool(wanted == actual)
