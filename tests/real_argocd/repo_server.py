"""argocd-repo-server with its redis, and a client that asks it as the application controller does."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from build import ARGOCD, directory
from cmp_server import CHANNEL_OPTIONS, Application, Value
from messages import message, message_class
from processes import HOST, PATIENCE, Program, free_ports, listens, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RepoServer:
    """A client of one running argocd-repo-server."""

    def __init__(self, program: Program, port: int, redis_port: int) -> None:
        self.program = program
        self.port = port
        self.redis_port = redis_port
        self.channel = grpc.insecure_channel(f"{HOST}:{port}", CHANNEL_OPTIONS)

    def manifests(self, repository: str, revision: str, application: Application, **fields: Any) -> list[str]:
        """The objects of `application` at a commit, as repo-server hands them to the controller."""
        return list(self.response(repository, revision, application, **fields).manifests)

    def response(
        self, repository: str, revision: str, application: Application, seconds: float = PATIENCE, **fields: Any
    ) -> Any:
        asked = {
            "repo": {"repo": repository, "type": "git"},
            "revision": revision,
            "appLabelKey": "app.kubernetes.io/instance",
            "appName": application.name,
            "namespace": application.namespace,
            "applicationSource": source(repository, revision, application),
            "kubeVersion": "1.34.2",
            "trackingMethod": "annotation",
            "projectName": "default",
            "annotationManifestGeneratePaths": application.paths,
        }
        request = message("ManifestRequest", **(asked | fields))
        return self._call("GenerateManifest", "ManifestResponse", request, seconds)

    def moved(self, repository: str, synced: str, revision: str, application: Application) -> bool:
        """Whether what `application.paths` names changed; if not, its manifests are carried forward."""
        request = message(
            "UpdateRevisionForPathsRequest",
            repo={"repo": repository, "type": "git"},
            appLabelKey="app.kubernetes.io/instance",
            appName=application.name,
            namespace=application.namespace,
            applicationSource=source(repository, revision, application),
            trackingMethod="annotation",
            kubeVersion="1.34.2",
            syncedRevision=synced,
            revision=revision,
            paths=refresh_paths(application),
        )
        return bool(self._call("UpdateRevisionForPaths", "UpdateRevisionForPathsResponse", request, PATIENCE).changes)

    def details(self, repository: str, revision: str, application: Application) -> Any:
        """What the UI's page of an Application's parameters shows."""
        request = message(
            "AppDetailsQuery",
            repo={"repo": repository, "type": "git"},
            source=source(repository, revision, application),
            appName=application.name,
        )
        return self._call("GetAppDetails", "AppDetails", request, PATIENCE)

    def _call(self, method: str, response: str, request: Any, seconds: float) -> Any:
        rpc = self.channel.unary_unary(
            f"/repository.RepoServerService/{method}",
            request_serializer=lambda each: each.SerializeToString(),
            response_deserializer=message_class(response).FromString,
        )
        return rpc(request, timeout=seconds)


def refresh_paths(application: Application) -> list[str]:
    """`application.paths` relative to the repository, as the application controller sends them."""
    joined = (posixpath.join("/", application.path, path) for path in application.paths.split(";") if path)
    return [posixpath.normpath(path)[1:] for path in joined]


def source(repository: str, revision: str, application: Application) -> dict[str, Any]:
    """An Application's `spec.source` as a message; no plugin named = Argo CD's own tools decide."""
    plain = {"repoURL": repository, "path": application.path, "targetRevision": revision}
    if not application.plugin:
        return plain
    parameters = [_parameter(name, value) for name, value in application.parameters.items()]
    return plain | {"plugin": {"name": application.plugin, "parameters": parameters}}


def _parameter(name: str, value: Value) -> dict[str, Any]:
    if isinstance(value, str):
        return {"name": name, "string": value}
    if isinstance(value, Mapping):
        return {"name": name, "map": {"map": [{"name": key, "value": each} for key, each in value.items()]}}
    return {"name": name, "array": {"array": list(value)}}


@contextmanager
def redis(home: Path) -> Iterator[int]:
    """A running redis that keeps nothing; its port."""
    (port,) = free_ports(1)
    argv = ["redis-server", "--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no"]
    with running("redis-server", argv, home) as program:
        program.wait_until(lambda: listens(port))
        yield port


@contextmanager
def repo_server(
    home: Path, sockets: Path, redis_port: int, environment: Mapping[str, str] | None = None, *flags: str
) -> Iterator[RepoServer]:
    """A running argocd-repo-server that uses the plugins listening in `sockets`."""
    port, metrics = free_ports(2)
    argocd = directory(ARGOCD)
    own = {
        "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PAUSE_GEN_AFTER_FAILED_ATTEMPTS": "0",
        "ARGOCD_TLS_DATA_PATH": str(home / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(home / "ssh"),
        "ARGOCD_ASK_PASS_SOCK": str(sockets.parent / "ask-pass"),
        "ARGOCD_CMP_CHUNK_SIZE": "65536",
        "ARGOCD_EXEC_TIMEOUT": f"{PATIENCE}s",
    }
    argv: list[str | Path] = [argocd / "argocd-repo-server", "--disable-tls", "--client-ca-path", ""]
    argv += ["--address", HOST, "--port", str(port), "--metrics-address", HOST, "--metrics-port", str(metrics)]
    argv += ["--redis", f"{HOST}:{redis_port}", "--loglevel", "debug", *flags]
    # It looks for git-verify-wrapper.sh on its PATH.
    with running("argocd-repo-server", argv, home, own | dict(environment or {}), str(argocd)) as program:
        program.wait_until(lambda: listens(port))
        yield RepoServer(program, port, redis_port)
