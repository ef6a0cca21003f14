"""Services in order, in the real Argo CD: who waits for whom, and what gets past a bad commit.

Deployments stand for what takes time to become healthy: no pods run, the tests say when they are ready.
ConfigMaps carry the version that they are from, once from the service's directory and once from a layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from live import APPLICATIONS
from own_fleet import (
    become_ready,
    cluster_yaml,
    config,
    config_map,
    deployment,
    give_up,
    history,
    install,
    new_fleet,
    on_record,
    spec,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from live import Live
    from processes import Program
    from repository import Repository


class Story:
    """A cluster called `name` with the services db and web, where web depends on db."""

    def __init__(self, live: Live, root: Path, name: str, preview: Callable[..., list[Any]]) -> None:
        self.live = live
        self.name = name
        self.db, self.web = f"{name}-db", f"{name}-web"
        self.fleet: Repository = new_fleet(root, self.files("v1"))
        install(live.cluster, self.fleet, preview, name)

    def files(self, version: str) -> dict[str, str]:
        patch = f"{{target: {{kind: ConfigMap}}, patch: {{data: {{layer: {version}}}}}}}"
        return {
            "services/db/service.yaml": spec("Service", f"namespace: {self.name}\nresources: [db.yaml, config.yaml]\n"),
            "services/db/db.yaml": deployment("db", version),
            "services/db/config.yaml": config_map("db", directory=version),
            "services/web/service.yaml": spec(
                "Service", f"namespace: {self.name}\ndependsOn: [db]\nresources: [config.yaml]\n"
            ),
            "services/web/config.yaml": config_map("web", directory=version),
            f"clusters/{self.name}/cluster.yaml": cluster_yaml(
                f"db: {{patches: {{layer: {patch}}}}}\nweb: {{patches: {{layer: {patch}}}}}"
            ),
        }

    def commit(self, version: str, changes: Mapping[str, str] | None = None) -> str:
        """Everything becomes `version` in one commit, but for `changes` (file -> text)."""
        made = self.fleet.commit({**self.files(version), **(changes or {})})
        self.live.refresh(self.name)
        return made

    def version(self, name: str) -> str | None:
        found = config(self.live.cluster, self.name, name)
        return found["data"]["directory"] if found else None

    def held(self, revision: str) -> None:
        """Waits until db is applied from `revision` and not healthy, and the cluster's sync waits for it."""
        waiting = f"waiting for healthy state of argoproj.io/Application/{self.db}"
        self.live.eventually(self.name, lambda: waiting in self.live.doing(self.name))
        self.live.eventually(
            self.db,
            lambda: (
                self.live.state(self.db) == ("Synced", "Progressing")
                and self.live.status(self.db)["sync"]["revision"] == revision
            ),
        )

    def ready(self) -> None:
        become_ready(self.live.cluster, self.name, "db")
        self.live.refresh(self.db)


@pytest.fixture
def story(
    live: Live, tmp_path: Path, request: pytest.FixtureRequest, preview: Callable[..., list[Any]]
) -> Iterator[Story]:
    with live.lent():
        yield Story(live, tmp_path / "fleet", request.param, preview)


@pytest.fixture
def record(story: Story, tmp_path: Path) -> Iterator[Program]:
    with on_record(story.live.cluster, tmp_path / "record", story.name) as program:
        yield program


def versions(record: Program) -> list[tuple[str, str, str]]:
    """Every state of the ConfigMaps db and web that the cluster ever had: name, and from where which version."""
    found = [(name, each) for name, each in history(record) if name in ("db", "web") and each]
    return [(name, each["directory"], each["layer"]) for name, each in found]


def mixed(record: Program) -> list[tuple[str, str, str]]:
    """States in which a service's directory and the layers around it are from different commits."""
    return [each for each in versions(record) if each[1] != each[2]]


def in_order(record: Program, *wanted: tuple[str, str]) -> None:
    """Each of `wanted` (name, version) was first seen in this order; all states are of one commit."""
    assert mixed(record) == []
    assert tuple(dict.fromkeys((name, version) for name, version, _ in versions(record))) == wanted


@pytest.mark.parametrize("story", ["held"], indirect=True)
def test_a_dependant_waits_on_installation_and_on_update(story: Story, record: Program) -> None:
    first = story.fleet.head
    story.held(first)
    assert story.live.target(story.web) is None and story.version("web") is None
    story.ready()
    story.live.settled(story.name, first)

    second = story.commit("v2")
    story.held(second)
    assert (story.live.target(story.web), story.version("web")) == (first, "v1")
    # One more commit while the second is on its way does not get in between.
    third = story.commit("v3")
    story.ready()
    story.held(third)
    assert (story.live.target(story.web), story.version("web")) == (second, "v2")
    story.ready()
    story.live.settled(story.name, third)
    in_order(record, ("db", "v1"), ("web", "v1"), ("db", "v2"), ("web", "v2"), ("db", "v3"), ("web", "v3"))


def health(story: Story) -> str:
    return story.live.state(story.name)[1]


def mended(story: Story, record: Program, version: str) -> None:
    """A commit that mends what is bad gets through with nobody's help."""
    commit = story.commit(version)
    story.live.eventually(story.name, lambda: story.live.target(story.db) == commit)
    story.held(commit)
    story.ready()
    story.live.settled(story.name, commit)
    in_order(record, ("db", "v1"), ("web", "v1"), ("db", version), ("web", version))


@pytest.fixture
def installed(story: Story, record: Program) -> Story:
    story.held(story.fleet.head)
    story.ready()
    story.live.settled(story.name, story.fleet.head)
    return story


@pytest.mark.parametrize("story", ["broken"], indirect=True)
def test_a_commit_that_cannot_be_rendered_and_the_one_that_mends_it(installed: Story, record: Program) -> None:
    """The child's ComparisonError makes the cluster Degraded, nothing changes, and the fix needs no help."""
    story, first = installed, installed.fleet.head
    bad = story.commit("v2", {"services/db/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"})
    story.live.eventually(story.name, lambda: health(story) == "Degraded")
    assert story.live.target(story.db) == bad and story.live.condition(story.db, "broken/db")
    story.live.eventually(story.name, lambda: "Retrying attempt #" in story.live.doing(story.name))
    assert (story.live.target(story.web), story.version("web"), story.version("db")) == (first, "v1", "v1")
    mended(story, record, "v3")


@pytest.mark.parametrize("story", ["crashing"], indirect=True)
def test_a_commit_that_does_not_come_up_and_the_one_that_mends_it(installed: Story, record: Program) -> None:
    story, first = installed, installed.fleet.head
    bad = story.commit("v1", {"services/db/db.yaml": deployment("db", "bad")})
    story.held(bad)
    give_up(story.live.cluster, story.name, "db")
    story.live.refresh(story.db)
    story.live.eventually(story.name, lambda: health(story) == "Degraded")
    story.live.eventually(story.name, lambda: "Retrying attempt #" in story.live.doing(story.name))
    assert (story.live.target(story.web), story.version("web")) == (first, "v1")
    mended(story, record, "v3")


# Slow on purpose, and always with the same result: scrypt, some hundred times.
SLOW = """
{{- range until 60 }}{{ $_ := derivePassword 1 "long" "slow" "db" (toString .) }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: db}
data: {directory: VERSION}
"""


def slow(story: Story, version: str) -> dict[str, str]:
    """Db as a chart that takes seconds to render, and has nothing to wait for."""
    return {
        "services/db/service.yaml": spec("Service", f"namespace: {story.name}\nchart: {{path: chart}}\n"),
        "services/db/chart/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "services/db/chart/templates/config.yaml": SLOW.replace("VERSION", version),
    }


@pytest.mark.parametrize("story", ["slow"], indirect=True)
def test_a_dependency_that_renders_slowly_does_not_let_its_dependant_pass(installed: Story, record: Program) -> None:
    """While db is rendered, its Application still says Synced and Healthy, of the commit before."""
    story, first = installed, installed.fleet.head
    second = story.commit("v2", slow(story, "v2"))
    story.live.until(story.name, lambda: story.live.target(story.db) == second)
    assert (story.version("db"), story.live.target(story.web)) == ("v1", first), "it was not slow"
    now = story.live.status(story.db)
    assert (now["sync"]["status"], now["sync"]["revision"], now["health"]["status"]) == ("Synced", first, "Healthy")
    story.live.settled(story.name, second)
    in_order(record, ("db", "v1"), ("web", "v1"), ("db", "v2"), ("web", "v2"))


@pytest.mark.parametrize("story", ["branch"], indirect=True)
def test_with_track_branch_a_state_comes_that_no_commit_holds(installed: Story, record: Program) -> None:
    """Why `track: commit` is the default, and that the record would show it."""
    story = installed
    story.fleet.replace("fleet.yaml", "targetRevision: main\n", "targetRevision: main\napplication: {track: branch}\n")
    story.live.refresh(story.name)
    story.live.settled(story.name, story.fleet.head)
    assert story.live.target(story.db) == "main" and mixed(record) == []
    # The cluster's Application does not look at git now, the service's does.
    by_hand = {"spec": {"syncPolicy": {"automated": None}}}
    story.live.cluster.patch(f"{APPLICATIONS}/{story.name}", by_hand)
    story.fleet.commit(story.files("v2"))
    story.live.refresh(story.web)
    story.live.until(story.web, lambda: ("web", "v2", "v1") in mixed(record))
