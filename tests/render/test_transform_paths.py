"""Files from git are hostile: a kustomization reaches nothing outside, on disk or on the network."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_transform import EXTRA, WEB

from services import Transform, service

HERE = "services/web/kustomization.yaml"


@pytest.fixture
def transform(kustomize: str, tmp_path: Path) -> Transform:
    return Transform(kustomize, tmp_path)


class Listener(http.server.HTTPServer):
    """A web server and the paths that it was asked for."""

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.asked: list[str] = []


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A web server on the loopback, which a proxy setting does not keep anybody from."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(EXTRA.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = Listener(Handler)
    asked = server.asked
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


REMOTE = {
    "resources": "resources: [ADDRESS]",
    "another case of the key": "Resources: [ADDRESS]",
    "without slashes": "resources: ['http:127.0.0.1']",
    "a repository": "resources: [github.com/a/b]",
    "a repository by ssh": "resources: ['git@example.com:a/b']",
    "a repository in small disguise": "resources: ['git::HTTPS://example.com/a/b']",
    "a branch": "resources: ['ssh://example.com/a/b?ref=main']",
    "bases": "bases: [ADDRESS]",
    "components": "components: [ADDRESS]",
    "patches": "resources: [a.yaml]\npatches: [{path: ADDRESS}]",
    "older patches": "resources: [a.yaml]\npatchesStrategicMerge: [ADDRESS]",
    "older operations": "resources: [a.yaml]\npatchesJson6902: [{path: ADDRESS, target: {kind: ConfigMap, name: extra, version: v1}}]",
    "files": "configMapGenerator: [{name: x, files: [k=ADDRESS]}]",
    "envs": "configMapGenerator: [{name: x, envs: [ADDRESS]}]",
    "env": "secretGenerator: [{name: x, env: ADDRESS}]",
    "crds": "resources: [a.yaml]\ncrds: [ADDRESS]",
    "configurations": "resources: [a.yaml]\nconfigurations: [ADDRESS]",
    "replacements": "resources: [a.yaml]\nreplacements: [{path: ADDRESS}]",
    "openapi": "resources: [a.yaml]\nopenapi: {path: ADDRESS}",
    "generators": "generators: [ADDRESS]",
    "an inline transformer": "resources: [a.yaml]\ntransformers: ['{apiVersion: builtin, kind: PatchTransformer,"
    ' metadata: {name: p}, path: "ADDRESS"}\']',
    "a transformer's file": "resources: [a.yaml]\ntransformers: [t.yaml]",
    "a transformer's kustomization": "resources: [a.yaml]\ntransformers: [t]",
}


@pytest.mark.parametrize("kustomization", REMOTE.values(), ids=REMOTE)
def test_nothing_is_fetched(transform: Transform, listener: Listener, kustomization: str) -> None:
    address = f"http://127.0.0.1:{listener.server_address[1]}/x"
    plugin = f"apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: p}}\nPath: {address}\n"
    files = {
        "web/kustomization.yaml": "resources: [deep]\n",
        "web/deep/kustomization.yaml": kustomization.replace("ADDRESS", address) + "\n",
        "web/deep/a.yaml": EXTRA,
        "web/deep/t.yaml": plugin,
        "web/deep/t/kustomization.yaml": "resources: [t.yaml]\n",
        "web/deep/t/t.yaml": plugin,
    }
    error = transform.error(service(resources=("/services/web",)), "", files)
    assert error.startswith("services/web/deep/")
    assert "is on another machine: a render reads this repository only" in error
    assert not listener.asked


def test_a_resource_of_a_spec_is_not_fetched(transform: Transform) -> None:
    error = transform.error(service(resources=("https://example.com/a.yaml",)))
    assert error.startswith("services/web/service.yaml:7:3: ")
    assert "is on another machine" in error


OUTSIDE = {
    "a file above": ("resources: [../../secret.yaml]", "1:13: secret.yaml"),
    "a directory above": ("resources: [../../]", '1:13: "../../" lies outside of the allowed directories'),
    "another cluster's directory": ("resources: [../../clusters/two]", '1:13: "../../clusters/two" lies outside'),
    "out of the fleet": ("resources: [../../../../../../etc]", '1:13: "../../../../../../etc" leaves the fleet'),
    "an absolute path": ("resources: [/etc/passwd]", '1:13: "/etc/passwd": Kustomize takes relative paths only'),
    "a link": ("resources: [link.yaml]", "services/web/link.yaml is a link that leads out of the allowed directories"),
    "a patch above": ("resources: [a.yaml]\npatches: [{path: ../../secret.yaml}]", "security; file"),
    "a source above": ("configMapGenerator: [{name: x, files: [../../secret.yaml]}]", "security; file"),
}


@pytest.mark.parametrize(("kustomization", "error"), OUTSIDE.values(), ids=OUTSIDE)
def test_nothing_outside_is_read(transform: Transform, kustomization: str, error: str) -> None:
    files = {
        "web/kustomization.yaml": kustomization + "\n",
        "web/a.yaml": EXTRA,
        "/secret.yaml": EXTRA,
        "/clusters/two/kustomization.yaml": "resources: [../../services/web/a.yaml]\n",
    }
    if "link" in kustomization:
        (transform.root / "services/web").mkdir(parents=True)
        os.symlink("../../secret.yaml", transform.root / "services/web/link.yaml")
    found = transform.error(service(resources=("/services/web",)), "", files)
    assert error in found
    assert str(transform.root) not in found


def test_a_chart_of_kustomize_is_refused(transform: Transform) -> None:
    files = {"web/kustomization.yaml": "helmCharts: [{name: x, repo: https://example.com}]\n"}
    error = transform.error(service(resources=("/services/web",)), "", files)
    assert error == f"{HERE}:1:1: helmCharts has no meaning here (give the service a chart, or another service)"


def test_a_circle_ends(transform: Transform) -> None:
    files = {
        "web/kustomization.yaml": "resources: [../api]\n",
        "api/kustomization.yaml": "resources: [../web]\n",
    }
    assert "cycle detected" in transform.error(service(resources=("/services/web",)), "", files)


def test_a_long_way_ends(transform: Transform) -> None:
    files = {f"web/{n}/kustomization.yaml": f"resources: [../{n + 1}]\n" for n in range(60)}
    error = transform.error(service(resources=("/services/web/0",)), "", files)
    assert error.startswith("services/web/50/kustomization.yaml:1:13: ") and error.endswith("too many others")


@pytest.mark.parametrize(
    "fields",
    [
        "configMapGenerator: [{options: [x]}, x]",
        "patches: [x, {path: [y]}]",
        "namespace: [x]",
        "[x]",
        "labels: x",
        "resources: [{a: b}]",
    ],
)
def test_kustomizations_of_any_shape(transform: Transform, fields: str) -> None:
    assert transform.error(service(resources=("/services/web",)), WEB, {"web/kustomization.yaml": fields + "\n"})


def test_what_is_missing(transform: Transform) -> None:
    files = {"web/kustomization.yaml": "resources: [a.yml]\n", "web/a.yaml": EXTRA, "none/a.yaml": EXTRA}
    made = service(resources=("/services/web",))
    assert transform.error(made, "", files) == (
        f'{HERE}:1:13: services/web/a.yml does not exist (did you mean "a.yaml"?)'
    )
    assert transform.error(service(resources=("/services/none",)), WEB, files) == (
        "services/web/service.yaml:7:3: services/none has no kustomization.yaml"
        " (name its YAML files, or give it a kustomization.yaml)"
    )
