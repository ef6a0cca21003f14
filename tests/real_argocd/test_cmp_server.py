"""argocd-cmp-server runs the plugin for a stream of files: manifests, parameters, errors, load."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import grpc
import pytest
from applications import as_application
from cmp_server import PLUGIN, Application, CmpServer, cmp_server, packed
from processes import HOST, Program, until
from program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repository import Repository

SERVICES = ("namespaces", "priority-classes", "web", "web-preview")


@pytest.fixture(scope="module")
def cmp(run_directory: Path, commands: str, plugin_yaml: str) -> Iterator[CmpServer]:
    """One that nobody else calls: here processes are killed, counted and looked for in its directory."""
    sockets = run_directory / "own-sockets"
    sockets.mkdir()
    with cmp_server(run_directory / "own-cmp-server", plugin_yaml, PLUGIN, sockets, commands) as server:
        yield server


def on_cluster(service: str, **parameters: str) -> Application:
    """The form that names the cluster's directory."""
    return Application(f"kind.local-{service}", "clusters/kind.local", {"service": service, **parameters})


def failure(cmp: CmpServer, tree: bytes, application: Application) -> str:
    """What argocd-cmp-server says when `generate` fails."""
    with pytest.raises(grpc.RpcError) as raised:
        cmp.generate(tree, application)
    return str(raised.value.details())


def test_plugin_is_found_by_name_alone(cmp: CmpServer) -> None:
    assert not cmp.configuration().isDiscoveryConfigured


@pytest.mark.parametrize("service", SERVICES)
def test_generate_gives_what_preview_shows(
    cmp: CmpServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    manifests = cmp.generate(packed(fleet.root), on_cluster(service, cluster="kind.local"))
    assert [json.loads(each) for each in manifests] == preview(fleet.root, "kind.local", service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_directory_alone_gives_the_same(cmp: CmpServer, fleet: Repository, service: str) -> None:
    """The generated Application's stream: no fleet.yaml, everything else in the parameter `inputs`."""
    whole = cmp.generate(packed(fleet.root), on_cluster(service))
    (application,) = [each for each in applications(cmp, fleet) if each.name == f"kind.local-{service}"]
    assert application.path.startswith("services/")
    assert cmp.generate(packed(fleet.root / application.path), application._replace(path=".")) == whole


def applications(cmp: CmpServer, fleet: Repository) -> list[Application]:
    """The Applications of kind.local, as its own Application generates them."""
    generated = cmp.generate(packed(fleet.root), Application("kind.local", "clusters/kind.local"))
    return [as_application(json.loads(each)) for each in generated]


def test_parameters_are_announced_with_their_values(cmp: CmpServer, fleet: Repository) -> None:
    announced = cmp.parameters(packed(fleet.root), on_cluster("web", cluster="kind.local"))
    given = {"cluster": "kind.local", "service": "web"}
    assert {each.name: each.string for each in announced} == {**given, "inputs": "", "paths": ""}
    for each in announced:
        assert each.title and each.tooltip and each.collectionType == "string"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"servcie": "web"}, 'unknown parameter "servcie" (did you mean "service"?)'),
        ({"service": "wbe"}, 'did you mean "web"?'),
        ({"service": ["web"]}, 'the parameter "service" must be a string'),
        ({"service": {"a": "b"}}, 'the parameter "service" must be a string'),
        ({"cluster": "gke.dev", "service": "web"}, "gke.dev"),
    ],
)
def test_wrong_parameters_are_named(cmp: CmpServer, fleet: Repository, parameters: dict[str, Any], said: str) -> None:
    application = Application("x", "clusters/kind.local", parameters)
    assert said in failure(cmp, packed(fleet.root), application)


def test_an_error_is_one_line_with_its_place(cmp: CmpServer, fleet: Repository) -> None:
    broken = fleet.root / "services/web/service.yaml"
    broken.write_text(broken.read_text() + "valeus: {}\n")
    line = len(broken.read_text().splitlines())
    said = failure(cmp, packed(fleet.root), on_cluster("web"))
    start = "error generating manifests: `cmp-plugin generate` failed exit status 1: "
    assert said.startswith(f"{start}services/web/service.yaml:{line}:1: ")
    assert 'unknown key "valeus"' in said and 'did you mean "values"?' in said
    assert "\n" not in said and "_cmp_server" not in said


def test_a_path_that_is_no_cluster_is_refused(cmp: CmpServer, fleet: Repository) -> None:
    said = failure(cmp, packed(fleet.root), Application("x", "services/web", {"service": "web"}))
    assert "services/web" in said and "inputs" in said


def many_config_maps(fleet: Repository, count: int, size: int) -> None:
    """services/large: a chart of ours that prints `count` ConfigMaps of `size` bytes."""
    chart = fleet.root / "services/large/chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: large\nversion: 1.0.0\n")
    (chart / "templates/all.yaml").write_text(
        "{{ range $i, $_ := until (int .Values.count) }}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: large-{{ $i }}}\n"
        'data: {text: {{ repeat (int $.Values.size) "x" }}}\n{{ end }}\n'
    )
    (chart.parent / "service.yaml").write_text(
        "apiVersion: cmp-plugin/v1alpha1\nkind: Service\nnamespace: large\nchart: {path: chart}\n"
        f"values: {{count: {count}, size: {size}}}\n"
    )
    cluster = fleet.root / "clusters/kind.local/cluster.yaml"
    cluster.write_text(cluster.read_text() + "  large: {}\n")


def test_five_megabytes_of_manifests(cmp: CmpServer, fleet: Repository) -> None:
    many_config_maps(fleet, count=1001, size=5000)
    manifests = cmp.generate(packed(fleet.root), on_cluster("large"))
    assert len(manifests) == 1001 and sum(map(len, manifests)) > 5_000_000


class Watch:
    """Counts how many processes of a name a program runs at once, as long as the block lasts."""

    def __init__(self, program: Program, name: str) -> None:
        self.program, self.name = program, name
        self.most = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self.over.is_set():
            self.most = max(self.most, len(self.program.processes(self.name)))
            time.sleep(0.02)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


def test_32_calls_at_once_share_the_processors(cmp: CmpServer, fleet: Repository) -> None:
    """All succeed with the same manifests, and not 32 helms run at a time."""
    tree, web = packed(fleet.root), on_cluster("web")
    expected = cmp.generate(tree, web)
    with Watch(cmp.program, "helm") as helms, ThreadPoolExecutor(32) as pool:
        results = list(pool.map(lambda _: cmp.generate(tree, web), range(32)))
    assert all(result == expected for result in results)
    assert 1 <= helms.most <= len(os.sched_getaffinity(0))


def leftovers(cmp: CmpServer) -> list[str]:
    return sorted(path.name for path in (cmp.program.home / "tmp").glob("cmp-plugin-*"))


def slow_chart(fleet: Repository) -> None:
    """services/large, at which helm is at work until it is stopped: a hundred thousand times scrypt."""
    many_config_maps(fleet, count=1, size=1)
    template = fleet.root / "services/large/chart/templates/slow.yaml"
    template.write_text('{{ range until 100000 }}{{ $_ := derivePassword 1 "long" "a" "b" (toString .) }}{{ end }}')


def test_a_killed_call_fails_and_leaves_nothing(cmp: CmpServer, fleet: Repository) -> None:
    """SIGKILL while helm runs: an error, and the next call removes what the dead one left."""
    slow_chart(fleet)
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(failure, cmp, packed(fleet.root), on_cluster("large"))
        until(lambda: cmp.program.processes("helm") and leftovers(cmp))
        for pid in cmp.program.processes("cmp-plugin"):
            os.kill(pid, signal.SIGKILL)
        assert "signal: killed" in killed.result()
    assert leftovers(cmp)
    assert cmp.generate(packed(fleet.root), on_cluster("web"))
    until(lambda: not leftovers(cmp) and not cmp.program.processes("helm"))


def test_the_callers_deadline_ends_everything(cmp: CmpServer, fleet: Repository) -> None:
    slow_chart(fleet)
    started = time.monotonic()
    with pytest.raises(grpc.RpcError) as raised:
        cmp.generate(packed(fleet.root), on_cluster("large"), seconds=2)
    assert time.monotonic() - started < 60
    # Of the client, the stream and the server that stops the plugin, the first to notice has the word.
    ended, said = raised.value.code(), str(raised.value.details())
    noticed = ended in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
    words = ("failed signal: ", "context deadline exceeded", "RST_STREAM")
    assert noticed or any(each in said for each in words), said
    until(lambda: not cmp.program.processes("helm") and not cmp.program.processes("cmp-plugin"), seconds=60)
    assert cmp.generate(packed(fleet.root), on_cluster("web"))


def with_labels(application: Application, size: int) -> Application:
    """`application` with `inputs` of about `size` bytes: one more label of the cluster."""
    inputs = json.loads(str(application.parameters["inputs"]))
    inputs["cluster"].setdefault("labels", {})["long"] = "x" * size
    text = json.dumps(inputs, separators=(",", ":"))
    return application._replace(parameters={**application.parameters, "inputs": text})


def test_inputs_up_to_what_the_system_lets_through(cmp: CmpServer, fleet: Repository) -> None:
    """One variable holds 128 KiB at most; past that the kernel refuses to start the plugin."""
    (web,) = [each for each in applications(cmp, fleet) if each.name == "kind.local-web"]
    tree = packed(fleet.root)
    assert cmp.generate(tree, with_labels(web, 100_000)) == cmp.generate(tree, web)
    assert "argument list too long" in failure(cmp, tree, with_labels(web, 131_072))


def test_the_probe_sees_a_listening_server(cmp: CmpServer) -> None:
    """What the sidecar's readiness probe runs, in the environment of the server."""

    def probe(sockets: Path) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"ARGOCD_PLUGINSOCKFILEPATH": str(sockets)}
        return subprocess.run([PROGRAM, "healthcheck"], env=environment, capture_output=True, text=True, check=False)

    healthy = probe(cmp.socket.parent)
    assert (healthy.returncode, healthy.stdout, healthy.stderr) == (0, "", "")
    sick = probe(cmp.program.home)
    assert sick.returncode == 1 and "argocd-cmp-server does not listen" in sick.stderr


@pytest.fixture(scope="module")
def impatient(run_directory: Path, commands: str, plugin_yaml: str) -> Iterator[CmpServer]:
    """A sidecar whose renders may take five seconds: less than any caller's patience."""
    sockets = run_directory / "impatient-sockets"
    sockets.mkdir()
    environment = {"CMP_PLUGIN_TIMEOUT": "5"}
    with cmp_server(run_directory / "impatient", plugin_yaml, PLUGIN, sockets, commands, environment) as server:
        yield server


def test_a_slow_chart_ends_with_our_own_words(impatient: CmpServer, fleet: Repository) -> None:
    slow_chart(fleet)
    said = failure(impatient, packed(fleet.root), on_cluster("large"))
    assert "kind.local/large" in said and "helm was stopped: the render took longer than 5 s" in said
    assert not leftovers(impatient)


def test_a_slow_chart_server_ends_with_our_own_words(impatient: CmpServer, fleet: Repository) -> None:
    """A server that takes the connection and never answers."""
    with socket.create_server((HOST, 0)) as silent:
        address = f"http://{HOST}:{silent.getsockname()[1]}/charts"
        cluster = fleet.root / "clusters/kind.local/cluster.yaml"
        cluster.write_text(cluster.read_text() + "  remote: {}\n")
        service = fleet.root / "services/remote/service.yaml"
        service.parent.mkdir()
        service.write_text(
            "apiVersion: cmp-plugin/v1alpha1\nkind: Service\nnamespace: remote\n"
            f'chart: {{repo: "{address}", name: remote}}\nversion: 1.0.0\n'
        )
        said = failure(impatient, packed(fleet.root), on_cluster("remote"))
    assert "services/remote/service.yaml:4:" in said and "kind.local/remote" in said
    assert "there was no whole answer within 5 s" in said
    assert not leftovers(impatient)
