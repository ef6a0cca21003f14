"""A Kubernetes API server with etcd and garbage collection, and Argo CD's controllers on it.

No nodes, so no pods: what is applied is stored, validated and defaulted as on any cluster, and
deleted with its dependants, but Deployments never become ready by themselves.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from build import ARGOCD, ETCD, KUBERNETES, directory
from processes import HOST, PATIENCE, Program, free_ports, listens, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from repo_server import RepoServer

NAMESPACE = "argocd"
TOKEN = "test-token"
# Nobody makes service accounts here, and no pod would answer a webhook.
NO_ADMISSION = "ServiceAccount,MutatingAdmissionWebhook,ValidatingAdmissionWebhook"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "users": [{"name": "admin", "user": {"token": TOKEN}}],
    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin", "namespace": NAMESPACE}}],
    "current-context": "test",
}


class Cluster:
    """An API server that is ready, spoken to with kubectl as an administrator."""

    def __init__(self, kubeconfig: Path, port: int) -> None:
        self.kubeconfig = kubeconfig
        # The usual one is shared by all clusters that ever had this port, and says for hours what kinds they served.
        self.cache = kubeconfig.parent / "kubectl-cache"
        self.port = port

    def kubectl(self, *args: str | Path, text: str | None = None, check: bool = True) -> str:
        """Kubectl's standard output; AssertionError with its words when it fails."""
        own = ("--kubeconfig", self.kubeconfig, "--cache-dir", self.cache)
        done = subprocess.run(
            [directory(KUBERNETES) / "kubectl", *own, *args],
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {args}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, *objects: dict[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=json.dumps(listed))

    def get(self, kind: str, name: str = "", namespace: str = NAMESPACE) -> Any:
        """One object, None when there is none; without a name the list of all objects."""
        found = self.kubectl(
            "get", kind, *([name] if name else []), "-n", namespace, "-o", "json", "--ignore-not-found"
        )
        if not name:
            return json.loads(found)["items"] if found else []
        return json.loads(found) if found else None

    def wait_for_kinds(self, *kinds: str) -> None:
        """Waits until kubectl finds these kinds; `kubectl wait` fails on a CRD that has no status yet."""
        asked = ("get", ",".join(kinds), "-n", NAMESPACE)
        until(lambda: "error" not in self.kubectl(*asked, check=False).lower(), lambda: f"no {kinds}")

    def read(self, path: str) -> Any:
        """What the API server answers at `path`; None when there is no such object. Much cheaper than kubectl."""
        return self._ask("GET", path)

    def patch(self, path: str, changes: dict[str, Any]) -> Any:
        """The object at `path` after a merge patch; None when there is no such object."""
        return self._ask("PATCH", path, changes)

    def delete(self, path: str) -> None:
        """Asks for the object at `path`, if there is one, to be deleted; does not wait for its finalizers."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/merge-patch+json"}
        deadline = time.monotonic() + PATIENCE
        while True:
            connection = http.client.HTTPSConnection(HOST, self.port, timeout=PATIENCE, context=trusting)
            try:
                connection.request(method, path, json.dumps(body) if body else None, headers)
                answer = connection.getresponse()
                text = answer.read()
            finally:
                connection.close()
            if answer.status in (200, 404):
                return json.loads(text) if answer.status == 200 else None
            # A conflict, or too much to do: kubectl tries again, too.
            assert answer.status in (409, 429, 500, 503, 504) and time.monotonic() < deadline, text
            time.sleep(0.5)


@contextmanager
def cluster(home: Path) -> Iterator[Cluster]:
    """A running API server of its own, empty but for what Kubernetes puts there itself."""
    etcd_port, etcd_peer, port, manager_port = free_ports(4)
    with running("etcd", _etcd(home, etcd_port, etcd_peer), home / "etcd") as etcd:
        etcd.wait_until(lambda: listens(etcd_port))
        argv = _api_server(home, etcd_port, port)
        with running("kube-apiserver", argv, home / "kube-apiserver") as server:
            ready = Cluster(_kubeconfig(home, port), port)
            server.wait_until(lambda: listens(port) and ready.kubectl("get", "--raw", "/readyz", check=False) == "ok")
            with running("kube-controller-manager", _manager(ready, manager_port), home / "manager") as manager:
                manager.wait_until(lambda: listens(manager_port))
                yield ready


def _etcd(home: Path, port: int, peer: int) -> list[str | Path]:
    argv: list[str | Path] = [directory(ETCD) / "etcd", "--data-dir", home / "etcd-data", "--unsafe-no-fsync"]
    argv += ["--listen-client-urls", f"http://{HOST}:{port}", "--advertise-client-urls", f"http://{HOST}:{port}"]
    argv += ["--listen-peer-urls", f"http://{HOST}:{peer}", "--initial-advertise-peer-urls", f"http://{HOST}:{peer}"]
    return [*argv, "--initial-cluster", f"default=http://{HOST}:{peer}"]


def _api_server(home: Path, etcd: int, port: int) -> list[str | Path]:
    key = home / "service-account.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    tokens = home / "tokens.csv"
    tokens.write_text(f'{TOKEN},admin,1,"system:masters"\n')
    argv: list[str | Path] = [directory(KUBERNETES) / "kube-apiserver", "--etcd-servers", f"http://{HOST}:{etcd}"]
    argv += ["--bind-address", HOST, "--advertise-address", HOST, "--secure-port", str(port)]
    argv += ["--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.0.0.0/24"]
    argv += ["--cert-dir", home / "certificates", "--token-auth-file", tokens, "--authorization-mode", "RBAC"]
    argv += ["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key]
    return [*argv, "--service-account-signing-key-file", key, "--disable-admission-plugins", NO_ADMISSION]


def _kubeconfig(home: Path, port: int) -> Path:
    server = {"server": f"https://{HOST}:{port}", "insecure-skip-tls-verify": True}
    path = home / "kubeconfig"
    path.write_text(json.dumps(KUBECONFIG | {"clusters": [{"name": "test", "cluster": server}]}))
    return path


def _manager(cluster: Cluster, port: int) -> list[str | Path]:
    """Only what deletes: Argo CD prunes in the foreground, which waits for the garbage collector."""
    argv: list[str | Path] = [directory(KUBERNETES) / "kube-controller-manager", "--kubeconfig", cluster.kubeconfig]
    argv += ["--controllers", "garbage-collector-controller,namespace-controller", "--leader-elect=false"]
    return [*argv, "--bind-address", HOST, "--secure-port", str(port)]


def cluster_secret(name: str, cluster: Cluster) -> dict[str, Any]:
    """By which Argo CD knows a cluster: what Crossplane makes, with a token in place of an identity."""
    access = {"bearerToken": TOKEN, "tlsClientConfig": {"insecure": True}}
    data = {"name": name, "server": f"https://{HOST}:{cluster.port}", "config": json.dumps(access)}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"argocd.argoproj.io/secret-type": "cluster"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def install_argocd(cluster: Cluster) -> None:
    """Argo CD's own CRDs and configuration, and a project that allows everything."""
    argocd = directory(ARGOCD)
    cluster.kubectl("apply", "--server-side", "-k", argocd / "crds")
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("apply", "--server-side", "-n", NAMESPACE, "-k", argocd / "config")
    allow_everything(cluster)


def allow_everything(cluster: Cluster) -> None:
    """The project `default`, which argocd-server makes at its start, once Argo CD's kinds are served."""
    cluster.wait_for_kinds("applications", "applicationsets", "appprojects")
    everything = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "spec": everything}
    cluster.apply(project | {"metadata": {"name": "default", "namespace": NAMESPACE}})


@contextmanager
def application_controller(home: Path, cluster: Cluster, repo_server: RepoServer) -> Iterator[Program]:
    """A running argocd-application-controller. Its metrics port is the one that cannot be bound to loopback."""
    (metrics,) = free_ports(1)
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_REPO_ERROR_GRACE_PERIOD_SECONDS": "0",
    }
    argv: list[str | Path] = [directory(ARGOCD) / "argocd-application-controller", "--metrics-port", str(metrics)]
    argv += ["--redis", f"{HOST}:{repo_server.redis_port}", "--repo-server", f"{HOST}:{repo_server.port}"]
    argv += ["--repo-server-plaintext", "--app-resync", "30", "--app-resync-jitter", "0"]
    argv += ["--repo-server-timeout-seconds", str(PATIENCE)]
    with running("argocd-application-controller", argv, home, environment) as program:
        program.wait_until(lambda: listens(metrics))
        yield program


@contextmanager
def applicationset_controller(home: Path, cluster: Cluster, repo_server: RepoServer) -> Iterator[Program]:
    """A running argocd-applicationset-controller."""
    metrics, probe, webhook = free_ports(3)
    environment = {"KUBECONFIG": str(cluster.kubeconfig), "ARGOCD_FAKE_IN_CLUSTER": "true"}
    argv: list[str | Path] = [directory(ARGOCD) / "argocd-applicationset-controller", "--namespace", NAMESPACE]
    argv += ["--argocd-repo-server", f"{HOST}:{repo_server.port}", "--repo-server-plaintext"]
    argv += ["--metrics-addr", f"{HOST}:{metrics}", "--probe-addr", f"{HOST}:{probe}"]
    argv += ["--webhook-addr", f"{HOST}:{webhook}", "--repo-server-timeout-seconds", str(PATIENCE)]
    with running("argocd-applicationset-controller", argv, home, environment) as program:
        program.wait_until(lambda: listens(probe))
        yield program
