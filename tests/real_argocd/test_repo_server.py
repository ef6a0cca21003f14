"""argocd-repo-server clones a repository and calls the plugin: manifests, cache, streams, errors."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from applications import as_application, normalised
from cmp_server import Application, CmpServer
from repo_server import RepoServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from repository import Repository

SERVICES = ("namespaces", "priority-classes", "web", "web-preview")
CLUSTER = Application("kind.local", "clusters/kind.local", paths="/fleet.yaml;/profiles;/services;.")


def children(repo: RepoServer, fleet: Repository) -> dict[str, Application]:
    """kind.local's Applications at the head, by service."""
    generated = [json.loads(each) for each in repo.manifests(fleet.url, fleet.head, CLUSTER)]
    return {str(each.parameters["service"]): each for each in map(as_application, generated)}


def failure(repo: RepoServer, fleet: Repository, application: Application) -> str:
    """What the Application's condition says."""
    with pytest.raises(grpc.RpcError) as raised:
        repo.manifests(fleet.url, fleet.head, application)
    return str(raised.value.details())


@pytest.mark.parametrize("service", SERVICES)
def test_manifests_are_what_preview_shows(
    repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    application = children(repo, fleet)[service]
    manifests = normalised(repo.manifests(fleet.url, fleet.head, application))
    assert manifests == preview(fleet.root, "kind.local", service)


def test_applications_are_what_preview_shows(
    repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    """The commit they name is the one they were generated from."""
    generated = normalised(repo.manifests(fleet.url, fleet.head, CLUSTER))
    assert generated == preview(fleet.root, "kind.local", "--applications")
    assert {each["spec"]["source"]["targetRevision"] for each in generated} == {fleet.head}


def test_an_unchanged_commit_does_not_call_the_plugin(repo: RepoServer, cmp: CmpServer, fleet: Repository) -> None:
    web = children(repo, fleet)["web"]
    before = cmp.calls(web.name)
    first = repo.manifests(fleet.url, fleet.head, web)
    assert repo.manifests(fleet.url, fleet.head, web) == first
    assert cmp.calls(web.name) == before + 1


def test_a_commit_elsewhere_does_not_call_the_plugin(repo: RepoServer, cmp: CmpServer, fleet: Repository) -> None:
    """The controller asks whether the paths changed; if not, repo-server carries the manifests forward."""
    old, web = fleet.head, children(repo, fleet)["web"]
    first = repo.manifests(fleet.url, old, web)
    new = fleet.commit({"services/priority-classes/note.txt": "elsewhere\n"})
    before = cmp.calls(web.name)
    assert not repo.moved(fleet.url, old, new, web)
    assert repo.manifests(fleet.url, new, web) == first
    assert cmp.calls(web.name) == before


def test_a_commit_to_the_service_calls_the_plugin_once(repo: RepoServer, cmp: CmpServer, fleet: Repository) -> None:
    old, web = fleet.head, children(repo, fleet)["web"]
    first = repo.manifests(fleet.url, old, web)
    chart = "services/web/chart/values.yaml"
    new = fleet.commit({chart: (fleet.root / chart).read_text() + "\n# A comment.\n"})
    before = cmp.calls(web.name)
    assert repo.moved(fleet.url, old, new, web)
    assert repo.manifests(fleet.url, new, web) == first
    assert cmp.calls(web.name) == before + 1


def test_a_change_of_the_cluster_reaches_exactly_the_services_it_concerns(repo: RepoServer, fleet: Repository) -> None:
    """`inputs` holds what a service uses, so only its Application's source changes."""
    before = children(repo, fleet)
    fleet.replace("clusters/kind.local/cluster.yaml", "Preview on", "Another preview on")
    after = children(repo, fleet)
    assert {name for name in before if before[name] != after[name]} == {"web-preview"}


def files_below(fleet: Repository, directory: str) -> set[str]:
    return set(fleet.git("ls-files", directory).split())


def test_only_the_services_directory_is_streamed(
    narrow: RepoServer, fleet: Repository, recorder: Callable[[], Any]
) -> None:
    for service, application in children(narrow, fleet).items():
        narrow.manifests(fleet.url, fleet.head, application._replace(plugin="recorder"))
        sent, own = recorder(), files_below(fleet, application.path)
        assert {f"{application.path}/{name}" for name in sent["files"]} == own, service
        assert len(own) <= 30
        assert sent["bytes"] == sum((fleet.root / name).stat().st_size for name in own)


def test_a_cluster_is_streamed_without_git(narrow: RepoServer, fleet: Repository, recorder: Callable[[], Any]) -> None:
    narrow.manifests(fleet.url, fleet.head, CLUSTER._replace(plugin="recorder"))
    assert set(recorder()["files"]) == files_below(fleet, ".")


def test_by_default_everything_is_streamed(repo: RepoServer, fleet: Repository, recorder: Callable[[], Any]) -> None:
    """What the settings of `narrow` save."""
    web = children(repo, fleet)["web"]
    repo.manifests(fleet.url, fleet.head, web._replace(plugin="recorder"))
    sent = set(recorder()["files"])
    assert files_below(fleet, ".") < sent and any(name.startswith(".git/") for name in sent)


def test_a_link_out_of_the_repository_is_refused(repo: RepoServer, fleet: Repository) -> None:
    web = children(repo, fleet)["web"]
    (fleet.root / "services/web/chart/out").symlink_to("/etc")
    fleet.commit()
    said = failure(repo, fleet, web)
    assert "out-of-bounds symlinks" in said and "/etc" not in said


def test_a_link_out_of_the_allowed_directories_is_refused(repo: RepoServer, fleet: Repository) -> None:
    """Inside the repository, so Argo CD lets it pass; the plugin does not follow it."""
    (fleet.root / "services/web/chart/out").symlink_to("../../../.argocd")
    fleet.commit({".argocd/secret.yaml": "a: b\n"})
    said = failure(repo, fleet, Application("web", "clusters/kind.local", {"service": "web"}))
    assert "services/web/chart/out is a link that leads out of the allowed directories" in said


def test_a_service_that_reaches_outside_gets_the_whole_fleet(
    narrow: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    """Its own directory would not be enough: the Application names the cluster's, and all is streamed."""
    (fleet.root / "services/priority-classes/more").symlink_to("../prometheus/rules")
    kustomization = (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "resources: [priorityclasses.yaml, more, ../namespaces/tenants/web-preview]\n"
    )
    service = "apiVersion: cmp-plugin/v1alpha1\nkind: Service\n"
    files = {"kustomization.yaml": kustomization, "service.yaml": service}
    fleet.commit({f"services/priority-classes/{name}": text for name, text in files.items()})
    application = children(narrow, fleet)["priority-classes"]
    assert application.path == "clusters/kind.local" and "inputs" not in application.parameters
    manifests = normalised(narrow.manifests(fleet.url, fleet.head, application))
    assert manifests == preview(fleet.root, "kind.local", "priority-classes")


def test_the_condition_says_where_and_what(repo: RepoServer, fleet: Repository) -> None:
    web = children(repo, fleet)["web"]
    chart = "services/web/chart/templates/deployment.yaml"
    text = (fleet.root / chart).read_text()
    fleet.commit({chart: '{{ fail "no replicas" }}\n' + text})
    said = failure(repo, fleet, web)
    assert 'CMP processing failed for application "kind.local-web"' in said
    assert "services/web/chart/templates/deployment.yaml:1" in said and "no replicas" in said
    assert "kind.local/web" in said
    assert not any(secret in said for secret in ("_cmp_server", "/tmp/", os.getcwd(), "\n"))


def test_an_error_longer_than_8_kib_arrives(repo: RepoServer, fleet: Repository) -> None:
    """GRPC carries it as a header; some clients read 8 KiB of it. The first line says everything."""
    service = fleet.root / "services/web/service.yaml"
    wrong = "".join(f"unknownKeyNumber{number:04d}: 1\n" for number in range(400))
    fleet.commit({"services/web/service.yaml": service.read_text() + wrong})
    said = failure(repo, fleet, Application("web", "clusters/kind.local", {"service": "web"}))
    assert 'unknown key "unknownKeyNumber0000"' in said[:2000]
    assert "_cmp_server" not in said


def test_the_ui_shows_the_parameters(repo: RepoServer, fleet: Repository) -> None:
    details = repo.details(fleet.url, fleet.head, children(repo, fleet)["web"])
    assert details.type == "Plugin"
    announced = {each.name: each.string for each in details.plugin.parametersAnnouncement}
    assert announced["cluster"] == "kind.local" and announced["service"] == "web"
    assert json.loads(announced["inputs"])["service"] == "web"


def test_git_alone_is_needed_to_reproduce(
    fleet: Repository, tmp_path: os.PathLike[str], preview: Callable[..., list[Any]]
) -> None:
    """A clone of the commit shows the same, wherever it lies."""
    clone = os.path.join(tmp_path, "elsewhere")
    subprocess.run(["git", "clone", "--quiet", fleet.url, clone], check=True, stdin=subprocess.DEVNULL)
    assert preview(clone, "kind.local") == preview(fleet.root, "kind.local")


def test_the_fleets_root_gives_projects_and_clusters(
    repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    for path in ("clusters", "."):
        root = Application("fleet", path, paths="/fleet.yaml;/profiles;/services;/clusters")
        generated = normalised(repo.manifests(fleet.url, fleet.head, root))
        assert generated == preview(fleet.root, "--applications")
        kinds = {each["kind"] for each in generated}
        assert kinds == {"AppProject", "Application"}


def test_an_error_of_another_layer_names_it(repo: RepoServer, fleet: Repository) -> None:
    """`inputs` has no lines: the error names layer and field, and the command that shows the line."""
    cluster = (fleet.root / "clusters/kind.local/cluster.yaml").read_text()
    fleet.commit({"clusters/kind.local/cluster.yaml": cluster + "  web:\n    values: {replicaCount: many}\n"})
    web = children(repo, fleet)["web"]
    assert web.path == "services/web"
    said = failure(repo, fleet, web)
    assert "inputs (" in said and "cluster" in said and "replicaCount" in said
    assert "cmp-plugin preview kind.local web" in said
