"""Services that cannot travel alone: when they take the fallback form, and what makes repo-server render again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from applications import as_application
from cmp_server import Application
from own_fleet import cluster_yaml, config_map, new_fleet, spec

from cmp_plugin.argocd.inputs import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cmp_server import CmpServer
    from repo_server import RepoServer
    from repository import Repository

TEXT = "clusters/c/text.txt"
CHART = "apiVersion: v2\nname: values\nversion: 1.0.0\n"
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {text: {{ quote .Values.text }}}\n"
FILES = {
    "profiles/wide.yaml": spec("Profile", "services:\n  wide: {resources: [wide/]}\n"),
    "profiles/wide/kustomization.yaml": "resources: [more.yaml]\n",
    "profiles/wide/more.yaml": config_map("more", of="a profile"),
    # One that can travel alone.
    "services/small/service.yaml": spec("Service", "resources: [config.yaml]\n"),
    "services/small/config.yaml": config_map("small", of="small"),
    # One that an upper layer adds a directory to.
    "services/wide/service.yaml": spec("Service", "resources: [config.yaml]\n"),
    "services/wide/config.yaml": config_map("wide", of="wide"),
    # One that refers to another service's directory.
    "services/abroad/service.yaml": spec("Service", "resources: [config.yaml, ../shared/config.yaml]\n"),
    "services/abroad/config.yaml": config_map("abroad", of="abroad"),
    "services/shared/config.yaml": config_map("shared", of="shared"),
    # One with values whose size the tests choose.
    "services/values/service.yaml": spec("Service", "namespace: values\nchart: {path: chart}\n"),
    "services/values/chart/Chart.yaml": CHART,
    "services/values/chart/values.yaml": 'text: ""\n',
    "services/values/chart/templates/all.yaml": TEMPLATE,
    "clusters/c/cluster.yaml": cluster_yaml(
        "small:\nwide:\nabroad:\nvalues: {valuesFiles: [values.yaml]}", "profiles: [wide]\n"
    ),
    "clusters/c/values.yaml": "text: short\n",
}
FALLBACK = ("wide", "abroad")
BY_HAND = "/fleet.yaml;/profiles;/services;."
READS = {
    "wide": "/fleet.yaml;/profiles;/services/wide;.",
    "abroad": "/fleet.yaml;/profiles;/services/abroad;/services/shared;.",
    "values": "/fleet.yaml;/profiles;/services/values;.",
}


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    return new_fleet(tmp_path / "fleet", FILES)


def generated(repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]) -> dict[str, Application]:
    """The cluster's Applications by service, as Argo CD gets them."""
    made = preview(fleet.root, "c", "--applications")
    return {each["metadata"]["name"].removeprefix("c-"): as_application(each) for each in made}


def by_hand(application: Application) -> Application:
    """The same one in the form that names the cluster's directory and the service."""
    words = {name: str(application.parameters[name]) for name in ("cluster", "service")}
    return application._replace(path="clusters/c", parameters=words, paths=BY_HAND)


def fallback(application: Application) -> bool:
    reads = READS[str(application.parameters["service"])]
    return (application.path, application.paths) == ("clusters/c", reads) and set(application.parameters) == {
        "cluster",
        "service",
    }


def sized(fleet: Repository, repo: RepoServer, preview: Callable[..., list[Any]], size: int) -> Application:
    """The service `values` after a commit that would make its `inputs` that many bytes."""
    short = len(str(generated(repo, fleet, preview)["values"].parameters["inputs"]))
    text = "x" * (size - short + len("short"))
    fleet.commit({"clusters/c/values.yaml": f"text: {text}\n"})
    return generated(repo, fleet, preview)["values"]


def test_16_kib_of_inputs_travel(narrow: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]) -> None:
    application = sized(fleet, narrow, preview, MAX_BYTES)
    assert len(str(application.parameters["inputs"])) == MAX_BYTES and application.path == "services/values"
    narrow_form = narrow.manifests(fleet.url, fleet.head, application)
    assert "x" * 10_000 in narrow_form[0]
    assert narrow_form == narrow.manifests(fleet.url, fleet.head, by_hand(application))


def test_one_byte_more_does_not_and_the_bytes_are_the_same(
    narrow: RepoServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    before = sized(fleet, narrow, preview, MAX_BYTES)
    (old,) = narrow.manifests(fleet.url, fleet.head, before)
    text = (fleet.root / "clusters/c/values.yaml").read_text()
    fleet.commit({"clusters/c/values.yaml": text.replace("text: x", "text: xx")})
    after = generated(narrow, fleet, preview)["values"]
    assert fallback(after)
    (new,) = narrow.manifests(fleet.url, fleet.head, after)
    assert new == old.replace('"text":"x', '"text":"xx')


@pytest.mark.parametrize("service", FALLBACK)
def test_the_forms_that_cannot_travel(
    narrow: RepoServer, repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    application = generated(narrow, fleet, preview)[service]
    assert fallback(application)
    manifests = narrow.manifests(fleet.url, fleet.head, application)
    assert len(manifests) == 2
    assert manifests == repo.manifests(fleet.url, fleet.head, application)


class Counted:
    """An Application that repo-server has rendered; what it does at the next commits."""

    def __init__(self, repo: RepoServer, cmp: CmpServer, fleet: Repository, application: Application) -> None:
        self.repo, self.cmp, self.fleet, self.application = repo, cmp, fleet, application
        self.synced = fleet.head
        repo.manifests(fleet.url, fleet.head, application)

    def calls(self, application: Application | None = None) -> int:
        """How often the plugin ran for it at the newest commit, by what the application controller asks."""
        self.application = application or self.application
        before, head = self.cmp.calls(self.application.name), self.fleet.head
        self.repo.moved(self.fleet.url, self.synced, head, self.application)
        self.repo.manifests(self.fleet.url, head, self.application)
        self.synced = head
        return self.cmp.calls(self.application.name) - before


LABELLED = "labels: {tier: front}\ndefaults: {metadata: {labels: {tier: front}}}\n"
CHANGES = {
    "its own file": {"services/{}/config.yaml": config_map("renamed", of="it")},
    "its service.yaml": {
        "services/wide/service.yaml": spec("Service", "resources: [config.yaml]\nmetadata: {labels: {a: b}}\n"),
        "services/abroad/service.yaml": spec(
            "Service", "resources: [config.yaml, ../shared/config.yaml]\nmetadata: {labels: {a: b}}\n"
        ),
    },
    "what it refers to": {
        "profiles/wide/more.yaml": config_map("more", of="b"),
        "services/shared/config.yaml": config_map("shared", of="b"),
    },
    "a profile": {"profiles/wide.yaml": spec("Profile", LABELLED + "services:\n  wide: {resources: [wide/]}\n")},
    "its cluster": {
        "clusters/c/cluster.yaml": cluster_yaml("small:\nwide:\nabroad:\n", "profiles: [wide]\n" + LABELLED)
    },
}


@pytest.mark.parametrize("service", FALLBACK)
def test_the_fallback_renders_again_when_any_input_changes(
    narrow: RepoServer, cmp: CmpServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    counted = Counted(narrow, cmp, fleet, generated(narrow, fleet, preview)[service])
    seen = {tuple(narrow.manifests(fleet.url, fleet.head, counted.application))}
    for what, files in CHANGES.items():
        fleet.commit({name.format(service): text for name, text in files.items()})
        assert counted.calls(generated(narrow, fleet, preview)[service]) == 1, what
        seen.add(tuple(narrow.manifests(fleet.url, fleet.head, counted.application)))
    assert len(seen) > len(CHANGES) - 1
    fleet.replace("fleet.yaml", "kubernetes:", "defaults: {metadata: {labels: {fleet: all}}}\nkubernetes:")
    assert counted.calls() == 1
    # A file that no cluster and no service names.
    fleet.commit({"README.md": "About this fleet.\n", "clusters/other/cluster.yaml": cluster_yaml("small:")})
    assert counted.calls() == 0


def test_another_services_change_renders_nothing_that_travels_alone(
    narrow: RepoServer, cmp: CmpServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    small = Counted(narrow, cmp, fleet, generated(narrow, fleet, preview)["small"])
    fleet.commit({"services/abroad/config.yaml": config_map("abroad", of="a change")})
    again = generated(narrow, fleet, preview)["small"]
    assert again == small.application and small.calls(again) == 0
    fleet.commit({"services/small/config.yaml": config_map("small", of="a change")})
    assert small.calls() == 1


@pytest.mark.parametrize("service", FALLBACK)
def test_another_services_change_does_not_render_the_fallback(
    narrow: RepoServer, cmp: CmpServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    counted = Counted(narrow, cmp, fleet, generated(narrow, fleet, preview)[service])
    by_hand_too = Counted(narrow, cmp, fleet, by_hand(counted.application)._replace(name="by-hand"))
    before = narrow.manifests(fleet.url, fleet.head, counted.application)
    fleet.commit({"services/small/config.yaml": config_map("small", of="a change")})
    assert counted.calls(generated(narrow, fleet, preview)[service]) == 0
    assert narrow.manifests(fleet.url, fleet.head, counted.application) == before
    # Who writes the form by hand cannot know what it will read: one call, and nothing to apply.
    assert by_hand_too.calls() == 1


def test_what_is_read_from_now_on_counts_from_now_on(
    narrow: RepoServer, cmp: CmpServer, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    """The list and the commit are in one object, so the commit that makes it longer is the first to have it."""
    counted = Counted(narrow, cmp, fleet, generated(narrow, fleet, preview)["abroad"])
    fleet.commit({"services/late/config.yaml": config_map("late", of="nobody")})
    assert counted.calls(generated(narrow, fleet, preview)["abroad"]) == 0
    listed = "resources: [config.yaml, ../shared/config.yaml, ../late/config.yaml]\n"
    fleet.commit({"services/abroad/service.yaml": spec("Service", listed)})
    assert counted.calls(generated(narrow, fleet, preview)["abroad"]) == 1
    fleet.commit({"services/late/config.yaml": config_map("late", of="abroad")})
    assert counted.calls(generated(narrow, fleet, preview)["abroad"]) == 1
    manifests = narrow.manifests(fleet.url, fleet.head, counted.application)
    assert any('"name":"late"' in each and "abroad" in each for each in manifests)


@pytest.mark.parametrize("service", ["small", "wide"])
def test_a_file_moved_to_another_service_counts_for_the_first(
    narrow: RepoServer, repo: RepoServer, fleet: Repository, preview: Callable[..., list[Any]], service: str
) -> None:
    """Git calls it a renamed file, of which Argo CD sees only the new name, unless git is told not to look for any."""

    def noticed(server: RepoServer, name: str) -> bool:
        file = f"services/{service}/{name}"
        synced = fleet.commit({file: "".join(f"{name} {number}\n" for number in range(100))})
        fleet.git("mv", file, f"services/shared/{name}")
        return server.moved(fleet.url, synced, fleet.commit(), generated(server, fleet, preview)[service])

    assert noticed(narrow, "with the setting.txt")
    assert not noticed(repo, "without it.txt")
