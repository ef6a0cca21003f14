"""argocd-cmp-server as the sidecar runs it, and a client that speaks to it as repo-server does."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from build import ARGOCD, directory
from messages import message, message_class
from processes import PATIENCE, Program, listens, running
from program import PROGRAM, required
from set_up import HELM4, KUSTOMIZE5

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLUGIN = "cmp-plugin"
LARGE = 100 * 2**20
CHUNK = 64 * 2**10
# Our program, and an account of what it was called for; argocd-cmp-server's log has no Applications' names.
ACCOUNT = f"""#!/bin/sh
echo "$1 $ARGOCD_APP_NAME" >>"$HOME/calls"
exec {PROGRAM} "$@"
"""
# Long error texts travel as metadata; without these the client loses them.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", LARGE),
    ("grpc.max_metadata_size", 16 * 2**20),
    ("grpc.absolute_max_metadata_size", 16 * 2**20),
)


Value = str | Sequence[str] | Mapping[str, str]


class Application(NamedTuple):
    """What the tests put into an Application; `parameters` as name -> string, list or map."""

    name: str
    path: str
    parameters: Mapping[str, Value] = {}
    plugin: str = PLUGIN
    namespace: str = "default"
    paths: str = ""
    """The annotation manifest-generate-paths."""


class CmpServer:
    """A client of one running argocd-cmp-server."""

    def __init__(self, program: Program, socket: Path) -> None:
        self.program = program
        self.socket = socket
        self.channel = grpc.insecure_channel(f"unix:{socket}", CHANNEL_OPTIONS)

    def generate(self, tree: bytes, application: Application, seconds: float = PATIENCE) -> list[str]:
        """The manifests that `generate` printed; grpc.RpcError with its words when it failed."""
        return list(self._stream("GenerateManifest", "PluginManifests", tree, application, seconds).manifests)

    def parameters(self, tree: bytes, application: Application, seconds: float = PATIENCE) -> list[Any]:
        """The parameters that the plugin announces for an Application."""
        response = self._stream("GetParametersAnnouncement", "ParametersAnnouncement", tree, application, seconds)
        return list(response.parameterAnnouncements)

    def calls(self, *applications: str) -> int:
        """How many times `generate` was started for these Applications, or for any, since the server was."""
        account = self.program.home / "calls"
        calls = [line.split(" ", 1) for line in account.read_text().splitlines()] if account.exists() else []
        return len(
            [name for command, name in calls if command == "generate" if not applications or name in applications]
        )

    def configuration(self) -> Any:
        method = self.channel.unary_unary(
            "/plugin.ConfigManagementPluginService/CheckPluginConfiguration",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message_class("PluginConfiguration").FromString,
        )
        return method(message("Empty"), timeout=PATIENCE)

    def _stream(self, method: str, response: str, tree: bytes, application: Application, seconds: float) -> Any:
        rpc = self.channel.stream_unary(
            f"/plugin.ConfigManagementPluginService/{method}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message_class(response).FromString,
        )
        return rpc(_requests(tree, application), timeout=seconds)


def environment(application: Application) -> dict[str, str]:
    """The variables that repo-server sends along for an Application."""
    flat = {
        "ARGOCD_APP_NAME": application.name,
        "ARGOCD_APP_NAMESPACE": application.namespace,
        "ARGOCD_APP_PROJECT_NAME": "default",
        "ARGOCD_APP_REVISION": "0" * 40,
        "ARGOCD_APP_SOURCE_PATH": application.path,
        "KUBE_VERSION": "1.34.2",
        "KUBE_API_VERSIONS": "v1,apps/v1",
    }
    listed = []
    for name, value in application.parameters.items():
        kind = "string" if isinstance(value, str) else "map" if isinstance(value, Mapping) else "array"
        listed.append({"name": name, kind: value})
        if isinstance(value, str):
            flat["PARAM_" + re.sub("[^A-Z0-9_]", "_", name.upper())] = value
    return flat | {"ARGOCD_APP_PARAMETERS": json.dumps(listed or None, ensure_ascii=False, separators=(",", ":"))}


def _requests(tree: bytes, application: Application) -> Iterator[Any]:
    metadata = message(
        "ManifestRequestMetadata",
        appName=application.name,
        appRelPath=application.path,
        checksum=hashlib.sha256(tree).hexdigest(),
        size=len(tree),
        env=[{"name": name, "value": value} for name, value in environment(application).items()],
    )
    yield message("AppStreamRequest", metadata=metadata)
    for start in range(0, len(tree), CHUNK):
        yield message("AppStreamRequest", file={"chunk": tree[start : start + CHUNK]})


def packed(root: Path) -> bytes:
    """`root` as repo-server sends it: a compressed tar of the files below it, links as links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if relative.parts[0] != ".git":
                tar.add(path, str(relative), recursive=False)
    return buffer.getvalue()


def put_commands(directory: Path) -> str:
    """Makes a directory with what the sidecar has on its PATH, our program, helm and kustomize; its path."""
    directory.mkdir()
    for recipe, wanted in (HELM4, KUSTOMIZE5):
        (directory / recipe.kind.name).symlink_to(required(recipe, wanted).path)
    (directory / "cmp-plugin").write_text(ACCOUNT)
    (directory / "cmp-plugin").chmod(0o755)
    return str(directory)


@contextmanager
def cmp_server(
    home: Path, plugin_yaml: str, name: str, sockets: Path, path: str, environment: Mapping[str, str] | None = None
) -> Iterator[CmpServer]:
    """A running argocd-cmp-server for `plugin_yaml`, listening in `sockets`; `path` holds its commands."""
    configuration = home / "configuration"
    configuration.mkdir(parents=True)
    (configuration / "plugin.yaml").write_text(plugin_yaml)
    socket = sockets / f"{name}.sock"
    own = {
        "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
        "ARGOCD_CMP_WORKDIR": str(home / "tmp"),
        "CMP_PLUGIN_TIMEOUT": str(PATIENCE),
    }
    argv: list[str | Path] = [directory(ARGOCD) / "argocd-cmp-server", "--config-dir-path", configuration]
    with running("argocd-cmp-server", argv, home, own | dict(environment or {}), path) as program:
        program.wait_until(lambda: listens(socket))
        yield CmpServer(program, socket)
