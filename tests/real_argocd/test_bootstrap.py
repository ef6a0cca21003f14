"""From one installation to the whole fleet: the chart, the real Helm, the real Argo CD, two clusters.

No pods run, so Argo CD's programs are processes of this machine. They have the configuration that the
chart has put into the API server, and the tests stand in for nodes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from applications import TRACKING
from bootstrapping import helm, put_dependency
from build import ARGOCD, directory
from cluster import NAMESPACE, Cluster, allow_everything, application_controller, cluster, cluster_secret
from cmp_server import PLUGIN, cmp_server
from live import APPLICATIONS, GOOD, Live
from nodes import nodes
from processes import PATIENCE
from program import environment
from repo_server import redis, repo_server
from repository import Repository, reference_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
CHARTS = Path(os.environ.get("CMP_PLUGIN_TEST_CHARTS") or os.path.join(CACHE, "cmp-plugin", "test-charts"))
REAL = (CHARTS / "index.yaml").is_file()
PARTS = (
    "deployments,statefulsets,services,configmaps,secrets,serviceaccounts,networkpolicies,"
    "roles,rolebindings,clusterroles,clusterrolebindings,customresourcedefinitions"
)
LAPTOP = ("namespaces", "priority-classes", "web", "web-preview")


class Hub(NamedTuple):
    """A management cluster in which the bootstrap has been installed, and the laptop's cluster."""

    live: Live
    laptop: Cluster
    fleet: Repository
    installed: dict[Any, Any]
    """What Helm had made, before Argo CD was started."""


def own_fleet(root: Path) -> Repository:
    """The reference fleet as a reader makes it their own: it says where its repository is.

    Its operators are less patient with what does not come up.
    """
    fleet = reference_fleet(root)
    for name in ("fleet.yaml", "services/argocd/chart/values.yaml"):
        fleet.replace(name, "repoURL: https://github.com/example/fleet.git", f"repoURL: {fleet.url}")
    fleet.replace("services/argocd/chart/values.yaml", "local patience = 600", "local patience = 60")
    if not REAL:
        put_dependency(root / "services/argocd/chart", None)
        fleet.commit()
    return fleet


def install(management: Cluster, fleet: Repository, home: Path, program: str) -> dict[Any, Any]:
    """What a person types; what is in the cluster then. Hooks need pods and are left out."""
    chart = Path(shutil.copytree(fleet.root / "services/argocd/chart", home / "chart"))
    if REAL:
        put_dependency(chart, CHARTS / "argo-cd-10.1.1.tgz")
    words = ("--namespace", NAMESPACE, "--create-namespace", "--no-hooks", "--kubeconfig", management.kubeconfig)
    done = helm(program, "install", "argocd", chart, *words)
    assert done.returncode == 0, done.stderr
    assert "get application management" in done.stdout
    installed = argocd_objects(management)
    # What the stand-in does not bring.
    if not REAL:
        management.kubectl("apply", "--server-side", "--force-conflicts", "-k", directory(ARGOCD) / "crds")
    management.kubectl("create", "-n", NAMESPACE, "-k", directory(ARGOCD) / "config", check=False)
    allow_everything(management)
    return installed


def argocd_objects(management: Cluster) -> dict[Any, Any]:
    """What is part of Argo CD, without what every write changes and without Argo CD's own mark on it."""
    found = management.kubectl("get", PARTS, "-A", "-l", "app.kubernetes.io/part-of=argocd", "-o", "json")
    kept = {}
    for each in json.loads(found)["items"]:
        metadata = each["metadata"]
        # A Deployment's generation counts changes of its annotations, too.
        for name in ("managedFields", "resourceVersion", "generation"):
            metadata.pop(name, None)
        metadata.get("annotations", {}).pop(TRACKING, None)
        each.pop("status", None)
        kept[each["kind"], metadata.get("namespace"), metadata["name"]] = each
    return kept


def plugin_settings(management: Cluster) -> tuple[str, ...]:
    """repo-server's flags for what the chart has configured; a Pod gets it as variables."""
    data = management.get("configmap", "argocd-cmd-params-cm")["data"]
    assert data["reposerver.plugin.use.manifest.generate.paths"] == "true"
    return ("--plugin-use-manifest-generate-paths", "--plugin-tar-exclude", data["reposerver.plugin.tar.exclusions"])


@pytest.fixture(scope="module")
def hub(run_directory: Path, commands: str, plugin_yaml: str, helm4: str) -> Iterator[Hub]:
    home = run_directory / "hub"
    fleet = own_fleet(home / "fleet")
    charts = {"CMP_PLUGIN_CHART_MIRROR": str(CHARTS)} if REAL else {"CMP_PLUGIN_OFFLINE": "1"}
    tools = {"XDG_CACHE_HOME": environment(str(home / "tools"))["XDG_CACHE_HOME"]}
    sockets = home / "s"
    sockets.mkdir()
    with ExitStack() as stack:
        management = stack.enter_context(cluster(home / "management"))
        laptop = stack.enter_context(cluster(home / "laptop"))
        installed = install(management, fleet, home, helm4)
        management.apply(cluster_secret("kind.local", laptop))
        stack.enter_context(cmp_server(home / "cmp-server", plugin_yaml, PLUGIN, sockets, commands, charts | tools))
        port = stack.enter_context(redis(home / "redis"))
        flags = plugin_settings(management)
        repo = stack.enter_context(repo_server(home / "repo-server", sockets, port, None, *flags))
        stack.enter_context(nodes(management))
        controller = stack.enter_context(application_controller(home / "controller", management, repo))
        yield Hub(Live(management, controller), laptop, fleet, installed)


def good(hub: Hub, name: str) -> None:
    """Waits until an Application is Synced and Healthy."""
    hub.live.eventually(name, lambda: hub.live.state(name) == GOOD)


def healthy(hub: Hub, name: str, health: str) -> None:
    """Waits until this is an Application's health."""
    hub.live.eventually(name, lambda: hub.live.state(name)[1] == health)


@pytest.fixture(scope="module")
def while_web_waited(hub: Hub) -> set[str]:
    """The laptop's services, up one after the other; the Applications that were there before web had pods."""
    for service in ("namespaces", "priority-classes"):
        good(hub, f"kind.local-{service}")
    hub.live.until("kind.local", lambda: hub.laptop.get("deployment", "web", "web"))
    healthy(hub, "kind.local-web", "Progressing")
    hub.live.until("kind.local", lambda: hub.live.state("kind.local")[1] not in ("", "Healthy"))
    there = hub.live.names()
    with nodes(hub.laptop):
        for service in LAPTOP:
            good(hub, f"kind.local-{service}")
        good(hub, "kind.local")
    return there


def test_the_clusters_come_from_the_root_alone(hub: Hub) -> None:
    clusters = {"gke.dev", "gke.prod", "kind.local", "management"}
    hub.live.until("fleet", lambda: clusters < hub.live.names())
    hub.live.until("fleet", lambda: hub.live.state("fleet")[0] == "Synced")
    projects = {each["metadata"]["name"] for each in hub.live.cluster.get("appproject")}
    assert projects == {"default", "platform", "shop"}


def test_services_come_in_order(while_web_waited: set[str]) -> None:
    """Web waits for its pods, so what depends on it is not even there."""
    assert "kind.local-web" in while_web_waited and "kind.local-web-preview" not in while_web_waited


def test_argocd_takes_itself_over_without_a_change(hub: Hub) -> None:
    """The first sync puts Argo CD's mark on what Helm has made, and nothing else: no pod is replaced."""
    good(hub, "management-argocd")
    now = argocd_objects(hub.live.cluster)
    assert len(hub.installed) > (50 if REAL else 2)
    changed = [key for key, was in hub.installed.items() if now.get(key) != was]
    assert not changed
    (root,) = [each for each in hub.live.status("management-argocd")["resources"] if each["kind"] == "Application"]
    assert (root["name"], root["status"]) == ("fleet", "Synced")


def test_the_management_cluster(hub: Hub) -> None:
    """With upstream's charts everything; without them they are errors, which keep back what depends on them."""
    good(hub, "management-priority-classes")
    if REAL:
        for service in ("crossplane", "cert-manager"):
            good(hub, f"management-{service}")
        hub.live.until("management", lambda: "management-prometheus" in hub.live.names())
        return
    healthy(hub, "management", "Degraded")
    said = "management/crossplane: chart crossplane 2.3.4 is neither vendored nor in the cache"
    assert hub.live.condition("management-crossplane", said)
    assert "management-prometheus" not in hub.live.names()


@pytest.mark.usefixtures("while_web_waited")
def test_a_cluster_that_is_not_there_is_an_error(hub: Hub) -> None:
    """It keeps nothing else back, and recovers when the Secret comes."""
    healthy(hub, "gke.dev", "Degraded")
    name, said = "gke.dev-namespaces", "there are no clusters with this name: gke.dev"
    hub.live.until(name, lambda: said in str(hub.live.status(name).get("conditions")))
    assert "gke.dev-web" not in hub.live.names()
    healthy(hub, "fleet", "Degraded")
    healthy(hub, "kind.local", "Healthy")


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("get applications platform/kind.local-web", True),
        ("sync applications platform/kind.local-web", True),
        ("action/apps/Deployment/restart applications platform/kind.local-web", True),
        ("get logs platform/kind.local-web", True),
        ("update applications platform/kind.local-web", False),
        ("override applications platform/kind.local-web", False),
        ("delete applications platform/kind.local-web", False),
        ("create applications platform/another", False),
        ("update projects platform", False),
        ("create exec platform/kind.local-web", False),
    ],
)
def test_operators_look_and_sync(hub: Hub, words: str, allowed: bool) -> None:
    argocd = directory(ARGOCD) / "argocd"
    asked = ("admin", "settings", "rbac", "can", "fleet-operators", *words.split(), "--namespace", NAMESPACE)
    kubeconfig = hub.live.cluster.kubeconfig
    env = {"HOME": str(kubeconfig.parent), "PATH": "", "KUBECONFIG": str(kubeconfig)}
    done = subprocess.run([argocd, *asked], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.strip() == ("Yes" if allowed else "No"), done.stderr


def test_a_commit_changes_argocd_itself(hub: Hub) -> None:
    """Also while another service never comes up, as Prometheus without its operator."""
    image = "ghcr.io/example/cmp-plugin:0.1.1"
    hub.fleet.replace("services/argocd/chart/values.yaml", "image: ghcr.io/example/cmp-plugin:0.1.0", f"image: {image}")
    for name in ("fleet", "management"):
        hub.live.refresh(name)

    def images() -> list[str]:
        deployment = hub.live.cluster.get("deployment", "argocd-repo-server")
        return [each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]]

    # A retry of the cluster's Application waits for up to three minutes.
    hub.live.until("management", lambda: image in images(), 2 * PATIENCE)


@pytest.mark.usefixtures("while_web_waited")
def test_a_cluster_file_taken_away_leaves_the_cluster_as_it_is(hub: Hub) -> None:
    cluster_yaml = "clusters/kind.local/cluster.yaml"
    text = (hub.fleet.root / cluster_yaml).read_text()
    before = hub.laptop.get("deployment", "web", "web")["metadata"]["uid"]
    hub.fleet.commit({cluster_yaml: None})
    hub.live.refresh("fleet")
    asked = "waiting for pruning confirmation of argoproj.io/Application/kind.local"
    # A sync that is about to start has no state yet.
    hub.live.eventually("fleet", lambda: asked in hub.live.doing("fleet"))
    assert "kind.local" in hub.live.names()
    approved = f"argocd.argoproj.io/deletion-approved={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    hub.live.cluster.kubectl("annotate", "application", "fleet", "-n", NAMESPACE, "--overwrite", approved)
    hub.live.eventually("fleet", lambda: "kind.local" not in hub.live.names())
    assert {f"kind.local-{service}" for service in LAPTOP} <= hub.live.names()
    hub.fleet.commit({cluster_yaml: text})
    hub.live.refresh("fleet")
    with nodes(hub.laptop):
        hub.live.eventually("fleet", lambda: "kind.local" in hub.live.names())
        good(hub, "kind.local")
    assert hub.laptop.get("deployment", "web", "web")["metadata"]["uid"] == before


@pytest.mark.usefixtures("while_web_waited")
def test_a_root_that_is_deleted_comes_back(hub: Hub) -> None:
    """The service `argocd` has it; nothing else goes meanwhile."""

    def identities() -> dict[str, str]:
        return {
            each["metadata"]["name"]: each["metadata"]["uid"] for each in hub.live.cluster.read(APPLICATIONS)["items"]
        }

    good(hub, "management-argocd")
    before = identities()
    hub.live.cluster.kubectl("delete", "application", "fleet", "-n", NAMESPACE, "--timeout=60s")
    hub.live.eventually("management-argocd", lambda: hub.live.state("fleet")[0] == "Synced")
    after = identities()
    assert after.pop("fleet") != before.pop("fleet")
    # Services that come only now are no loss.
    assert before.items() <= after.items()
