"""The examples with ApplicationSets, in the real applicationset-controller. Nothing is synced here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from applications import as_application, normalised
from checkout import CHECKOUT
from cluster import NAMESPACE, Cluster, applicationset_controller, cluster, install_argocd
from live import APPLICATIONS
from processes import until
from program import environment, run
from repository import reference_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repo_server import RepoServer
    from repository import Repository

EXAMPLES = Path(CHECKOUT, "examples/applicationset")
URL = "https://github.com/example/fleet.git"


@pytest.fixture(scope="module")
def fleet(run_directory: Path) -> Repository:
    """The reference fleet, which says where its repository is."""
    repository = reference_fleet(run_directory / "applicationset-fleet")
    repository.replace("fleet.yaml", URL, repository.url)
    return repository


@pytest.fixture(scope="module")
def management(run_directory: Path, narrow: RepoServer) -> Iterator[Cluster]:
    home = run_directory / "applicationset"
    with cluster(home / "cluster") as running:
        install_argocd(running)
        with applicationset_controller(home / "controller", running, narrow):
            yield running


@pytest.fixture
def applied(management: Cluster, fleet: Repository) -> Iterator[Callable[[str], None]]:
    """Applies one of the examples; takes its Applications away afterwards."""
    names = []

    def apply(name: str) -> None:
        example = yaml.safe_load((EXAMPLES / name).read_text().replace(URL, fleet.url))
        management.apply(example)
        names.append(example["metadata"]["name"])

    yield apply
    for name in names:
        management.kubectl("delete", "applicationset", name, "-n", NAMESPACE)
    until(lambda: not management.read(APPLICATIONS)["items"])


def secret(management: Cluster, name: str, **labels: str) -> None:
    data = {"name": name, "server": f"https://{name}.example.com", "config": "{}"}
    marks = {"argocd.argoproj.io/secret-type": "cluster", **labels}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": marks}
    management.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})


def from_the_root(fleet: Repository, home: Path) -> dict[str, dict[str, Any]]:
    """The Applications of clusters that the root Application makes, by name.

    Without the parameter `paths`: where a person writes what a cluster depends on, that does not change by itself.
    """
    words = ["-C", str(fleet.root), "preview", "--applications", "-o", "json"]
    done = run(words, str(fleet.root), environment(str(home)))
    assert done.code == 0, done.stderr
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    clusters = [
        each
        for each in objects
        if each["kind"] == "Application" and each["spec"]["source"]["path"].startswith("clusters/")
    ]
    made = {}
    for each in clusters:
        parameters = [one["name"] for one in each["spec"]["source"]["plugin"].pop("parameters", [])]
        if "service" not in parameters:
            assert parameters == (["paths"] if each["metadata"]["name"] == "management" else [])
            made[each["metadata"]["name"]] = each
    return made


def generated(management: Cluster, count: int) -> dict[str, dict[str, Any]]:
    """The ApplicationSets' Applications, once there are so many, with what was asked for and nothing else."""
    found = until(
        lambda: len(listed := management.read(APPLICATIONS)["items"]) == count and listed,
        lambda: management.get("applicationset"),
    )
    return {each["metadata"]["name"]: each for each in found}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one["spec"] == other["spec"] and one["metadata"].get("annotations") == other["metadata"].get("annotations")
    )


def test_git_directories_give_what_the_root_gives(
    management: Cluster, fleet: Repository, applied: Callable[[str], None], tmp_path: Path
) -> None:
    applied("git-directories.yaml")
    wanted = from_the_root(fleet, tmp_path)
    assert {"gke.dev", "gke.prod", "kind.local", "management"} == set(wanted)
    found = generated(management, len(wanted))
    for name, application in wanted.items():
        assert same(found[name], application), (found[name], application)
        assert "finalizers" not in found[name]["metadata"]


def test_cluster_secrets(
    management: Cluster, fleet: Repository, narrow: RepoServer, applied: Callable[[str], None], tmp_path: Path
) -> None:
    """The parameter `cluster` changes nothing but that it is checked."""
    applied("cluster-secrets.yaml")
    for name in ("kind.local", "gke.dev"):
        secret(management, name, **{"fleet.example.com/fleet": "example"})
    secret(management, "another")
    found, root = generated(management, 2), from_the_root(fleet, tmp_path)
    for name, application in found.items():
        parameters = application["spec"]["source"]["plugin"].pop("parameters")
        assert parameters == [{"name": "cluster", "string": name}]
        assert same(application, root[name]), (application, root[name])
        application["spec"]["source"]["plugin"]["parameters"] = parameters
    rendered = narrow.manifests(fleet.url, fleet.head, as_application(found["kind.local"]))
    assert rendered == narrow.manifests(fleet.url, fleet.head, as_application(root["kind.local"]))


def test_a_service_by_label(
    management: Cluster,
    fleet: Repository,
    narrow: RepoServer,
    applied: Callable[[str], None],
    preview: Callable[..., list[Any]],
) -> None:
    applied("service-by-label.yaml")
    secret(management, "kind.local", env="dev")
    secret(management, "gke.prod", env="prod")
    (application,) = generated(management, 1).values()
    assert application["metadata"]["name"] == "kind.local-web"
    assert application["spec"]["destination"] == {"name": "kind.local", "namespace": "web"}
    rendered = normalised(narrow.manifests(fleet.url, fleet.head, as_application(application)))
    assert rendered == preview(fleet.root, "kind.local", "web")
