"""The life of a cluster, from the commit that orders it to the one that takes it away; told in docs/provisioning.md.

Argo CD, the API server, the service gke-cluster and Crossplane's function are real. Crossplane and Google are
this test: it says that all is made, and writes what the function wants to be written.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from checkout import CHECKOUT
from cluster import NAMESPACE, cluster_secret
from crossplane import Object, custom_resource_definition, function, in_git, made
from documented import command, run_block
from live import GOOD, Live, contained
from own_fleet import cluster_yaml, config, config_map, new_fleet, root_application, spec
from processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repository import Repository

ROOT, MANAGER, NEW = "story", "story-manager", "gke.new"
PROVISION = f"{MANAGER}-provision.{NEW}"
FILE = f"clusters/{NEW}/cluster.yaml"
CLUSTER = """labels: {region: europe-west1}
destination: {name: gke.new}
profiles: [google]
provision:
  service: gke-cluster
  managementCluster: story-manager
  values: {spec: {network: {nodes: 10.18.0.0/20, pods: 10.40.0.0/14, services: 10.18.16.0/20}}}
services:
  base: {service: small, namespace: story-base}
  web: {service: small, namespace: story-web, dependsOn: [base]}
"""
GOOGLE = "labels: {fleet: story, cloud: gcp, env: dev}\nvars: {gcpProject: example-dev}\n"
READY = [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "True"}]


def files() -> dict[str, str]:
    """A management cluster whose platform is the kind alone: Crossplane and its packages need pods."""
    (definition,) = in_git("definition.yaml")
    order = Path(CHECKOUT, "services", "gke-cluster")
    parts = [path for path in order.rglob("*") if path.is_file()]
    return {
        "services/gke-platform/service.yaml": spec("Service", "resources: [kind.yaml]\n"),
        "services/gke-platform/kind.yaml": json.dumps(custom_resource_definition(definition)),
        **{f"services/gke-cluster/{path.relative_to(order)}": path.read_text() for path in parts},
        "services/small/service.yaml": spec("Service", "resources: [config.yaml]\n"),
        "services/small/config.yaml": config_map("config", of="small"),
        "profiles/google.yaml": spec("Profile", GOOGLE),
        f"clusters/{MANAGER}/cluster.yaml": cluster_yaml("gke-platform:"),
    }


class Story(NamedTuple):
    """A fleet with its management cluster, under way; `secret` is what Crossplane's function makes of a composite."""

    live: Live
    fleet: Repository
    secret: Callable[[Object], Object]

    def commit(self, text: str | None) -> None:
        """Changes the cluster's file, and does what a webhook does."""
        self.fleet.commit({FILE: text})
        self.live.refresh(ROOT)
        self.live.refresh(MANAGER)

    def composite(self) -> Any:
        return self.live.cluster.read(f"/apis/fleet.example.com/v1alpha1/gkeclusters/{NEW}")

    def everything(self) -> dict[str, str | None]:
        """The identity of each object of the story: another one was deleted in between, None is not there."""
        found = {name: self.live.application(name) for name in (NEW, PROVISION, f"{NEW}-base", f"{NEW}-web")}
        found |= {name: config(self.live.cluster, name, "config") for name in ("story-base", "story-web")}
        found["composite"] = self.composite()
        return {name: each["metadata"]["uid"] if each else None for name, each in found.items()}

    def confirm(self, name: str) -> None:
        run_block(self.live.cluster, command("docs/lifecycle.md", "deletion-approved"), {"fleet": name})


@pytest.fixture
def story(live: Live, run_directory: Path) -> Iterator[Story]:
    fleet = new_fleet(run_directory / "story", files())
    (composition,) = in_git("composition.yaml")
    with live.lent(), function(run_directory / "story-function") as pythonic:
        live.cluster.apply(root_application(fleet, ROOT))
        live.settled(MANAGER, fleet.head)

        def secret(composite: Object) -> Object:
            found = made(lambda each, seen=None: pythonic.compose(composition, each, seen or {}), composite)
            return dict(found.objects["secret"])

        yield Story(live, fleet, secret)
    live.cluster.kubectl("delete", "secret", f"cluster-{NEW}", "-n", NAMESPACE, "--ignore-not-found")


def test_a_cluster_comes_and_goes(story: Story, preview: Callable[..., list[Any]]) -> None:
    assert set(story.everything().values()) == {None}
    story.commit(spec("Cluster", CLUSTER))
    (ordered,) = preview(story.fleet.root, MANAGER, f"provision.{NEW}")
    it_is_ordered(story, ordered)
    it_is_made(story)
    it_takes_its_services(story)

    before = story.everything()
    assert all(before.values())
    story.commit(None)
    nothing_goes(story, before)
    its_application_goes(story, before)
    the_cluster_goes(story, before)
    the_rest_goes(story)


def it_is_ordered(story: Story, ordered: Object) -> None:
    """The composite, with the API server's defaults; the Applications of the services are in error."""
    live = story.live
    live.until(MANAGER, story.composite)
    found = story.composite()
    assert contained(ordered, found)
    assert found["spec"]["project"] == "example-dev" and found["spec"]["region"] == "europe-west1"
    assert found["spec"]["releaseChannel"] == "RAPID" and found["spec"]["endpoint"] == "DNS"
    live.until(PROVISION, lambda: live.state(PROVISION) == ("Synced", "Progressing"))
    live.until(NEW, lambda: live.state(NEW)[1] == "Degraded")
    cannot_be_reached(story, f"{NEW}-base")
    # Its turn comes after `base`, which cannot be healthy.
    assert live.application(f"{NEW}-web") is None
    live.until(MANAGER, lambda: live.state(MANAGER)[1] == "Progressing")


def cannot_be_reached(story: Story, name: str) -> None:
    """Waits until an Application says that its cluster is not known."""
    said = f"there are no clusters with this name: {NEW}"
    story.live.until(name, lambda: said in str(story.live.status(name).get("conditions")))


def it_is_made(story: Story) -> None:
    """What Crossplane does in the end. The address and the identity are those of this machine."""
    secret = story.secret(story.composite())
    here = cluster_secret(NEW, story.live.cluster)["stringData"]
    for key in ("server", "config"):
        secret["data"][key] = b64encode(here[key].encode()).decode()
    story.live.cluster.apply(secret)
    patch = json.dumps({"status": {"conditions": READY}})
    story.live.cluster.kubectl("patch", "gkecluster", NEW, "--subresource=status", "--type=merge", "-p", patch)


def it_takes_its_services(story: Story) -> None:
    """Without a word from anybody: the retry of a cluster's Application waits for up to three minutes."""
    everyone = (f"{NEW}-base", f"{NEW}-web", NEW, PROVISION, MANAGER, ROOT)
    story.live.until(NEW, lambda: all(story.live.state(name) == GOOD for name in everyone), 2 * PATIENCE)
    assert story.live.application(f"{NEW}-web")["spec"]["destination"] == {"name": NEW, "namespace": "story-web"}


def nothing_goes(story: Story, before: dict[str, str | None]) -> None:
    """Both that would take something away wait, and say for whom."""
    asked = "waiting for pruning confirmation of argoproj.io/Application/"
    story.live.until(ROOT, lambda: f"{asked}{NEW}" in story.live.doing(ROOT))
    story.live.until(MANAGER, lambda: f"{asked}{PROVISION}" in story.live.doing(MANAGER))
    assert story.everything() == before


def its_application_goes(story: Story, before: dict[str, str | None]) -> None:
    """The first answer: Argo CD no longer follows the file. What runs stays, as does what made it."""
    story.confirm(ROOT)
    story.live.until(ROOT, lambda: story.live.application(NEW) is None)
    assert story.everything() == before | {NEW: None}


def the_cluster_goes(story: Story, before: dict[str, str | None]) -> None:
    """The second answer marks the Application, the third deletes the composite: Crossplane's sign to delete the rest."""
    story.confirm(MANAGER)
    story.live.until(MANAGER, lambda: story.live.asks_to_delete(PROVISION))
    assert story.everything() == before | {NEW: None}
    assert "deletionTimestamp" not in story.composite()["metadata"]
    story.confirm(PROVISION)
    story.live.until(PROVISION, lambda: story.live.application(PROVISION) is None)
    assert story.everything() == before | {NEW: None, PROVISION: None, "composite": None}


def the_rest_goes(story: Story) -> None:
    """Crossplane takes the Secret along. The services' Applications are left, with nothing to reach."""
    story.live.cluster.kubectl("delete", "secret", f"cluster-{NEW}", "-n", NAMESPACE)
    there = {f"{NEW}-base", f"{NEW}-web"}
    for name in there:
        cannot_be_reached(story, name)
    run_block(story.live.cluster, command("docs/provisioning.md", "kubectl delete"), {"gke.dev": NEW})
    story.live.until(NEW, lambda: not there & story.live.names())
