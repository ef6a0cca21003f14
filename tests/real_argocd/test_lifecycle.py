"""What goes and what stays when services, profiles and clusters change, in the real Argo CD; told in docs/lifecycle.md.

One root Application, one cluster per story, a second API server for what is elsewhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cluster import NAMESPACE, Cluster, cluster, cluster_secret
from documented import command, run_block
from documents import blocks
from live import GOOD, IN_CLUSTER, Live
from own_fleet import cluster_yaml, config, config_map, new_fleet, root_application, spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from repository import Repository

DOCUMENT = "docs/lifecycle.md"
ROOT = "life"
CONFIRM = "Prune=confirm,Delete=confirm"
ONE = "one: {service: small, namespace: %s-one}\n"
TWO = "two: {service: small, namespace: %s-two}\n"


def both(name: str) -> str:
    return ONE % name + TWO % name


def claim(name: str) -> str:
    fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claimed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": fields}
    return json.dumps(claimed) + "\n"


def written(name: str) -> str:
    return f"clusters/{name}/cluster.yaml"


(KEPT,) = [each.text for each in blocks(DOCUMENT) if each.kind == "yaml" and "Prune=false" in each.text]
HOLD = """data: {namespace: life-hold-data}
all:
  service: small
  namespace: life-hold-all
  metadata: {annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}}
"""
FAR = spec("Cluster", "destination: {name: far}\nservices: {one: {service: small, namespace: life-far-one}}\n")
FILES = {
    "services/small/service.yaml": spec("Service", "resources: [config.yaml]\n"),
    "services/small/config.yaml": config_map("config", of="small"),
    "services/data/service.yaml": spec("Service", f"resources: [config.yaml, claim.yaml]\n{KEPT}"),
    "services/data/config.yaml": config_map("config", of="data"),
    "services/data/claim.yaml": claim("claim"),
    "profiles/extra.yaml": spec("Profile", "services:\n  two: {service: small, namespace: life-profile-two}\n"),
    written("life-service"): cluster_yaml(both("life-service")),
    written("life-keep"): cluster_yaml(both("life-keep")),
    written("life-profile"): cluster_yaml(ONE % "life-profile", "profiles: [extra]\n"),
    written("life-name"): cluster_yaml(both("life-name")),
    written("life-move"): cluster_yaml(ONE % "life-move"),
    written("life-far"): FAR,
    written("life-away"): FAR.replace("far", "away"),
    written("life-file"): cluster_yaml(ONE % "life-file"),
    written("life-other"): cluster_yaml(ONE % "life-other"),
    written("life-manager"): cluster_yaml(ONE % "life-manager"),
    written("life-made"): cluster_yaml(
        ONE % "life-made",
        "provision: {service: small, managementCluster: life-manager, namespace: life-made-cluster}\n",
    ),
}
CLUSTERS = sorted(name.split("/")[1] for name in FILES if name.startswith("clusters/"))


class Life(NamedTuple):
    """A fleet that has come up from its root Application; `far` is the cluster that is elsewhere."""

    live: Live
    fleet: Repository
    far: Cluster

    def commit(self, *refreshed: str, **files: str | None) -> str:
        """A commit, and what a webhook does for these Applications. In names of clusters `_` is `-`."""
        made = self.fleet.commit({written(name.replace("_", "-")): text for name, text in files.items()})
        for name in refreshed or [name.replace("_", "-") for name in files]:
            self.live.refresh(name)
        return made

    def uid(self, namespace: str, on: Cluster | None = None) -> str | None:
        """The identity of the ConfigMap in a namespace: another one was deleted in between."""
        found = config(on or self.live.cluster, namespace, "config")
        return found["metadata"]["uid"] if found and "deletionTimestamp" not in found["metadata"] else None

    def root_at(self, revision: str) -> None:
        """Waits until the root is Synced to a commit; how the clusters are is another matter."""

        def there() -> bool:
            sync = self.live.status(ROOT).get("sync", {})
            return (sync.get("status"), sync.get("revision")) == ("Synced", revision)

        self.live.eventually(ROOT, there)

    def gone(self, name: str) -> None:
        self.live.until(name, lambda: self.live.application(name) is None)

    def here(self, name: str, namespace: str) -> str:
        """Waits until an Application is good and has its ConfigMap; the identity of that."""
        return str(self.live.until(name, lambda: self.live.state(name) == GOOD and self.uid(namespace)))


@pytest.fixture(scope="module")
def life(live: Live, run_directory: Path) -> Iterator[Life]:
    fleet = new_fleet(run_directory / "life", FILES)
    with cluster(run_directory / "far") as far, live.lent():
        secrets = [cluster_secret(name, far) for name in ("far", "away")]
        live.cluster.apply(*secrets, root_application(fleet, ROOT))
        for name in CLUSTERS:
            live.settled(name, fleet.head)
        yield Life(live, fleet, far)
        live.cluster.kubectl("delete", "secret", "far", "away", "-n", NAMESPACE, "--ignore-not-found")


def run(life: Life, text: str, **names: str) -> None:
    """The document's command that holds `text`, with its names exchanged for this test's."""
    run_block(life.live.cluster, command(DOCUMENT, text), names)


# --- services ---


def test_a_service_taken_off_a_cluster_goes_with_what_it_deployed(life: Life) -> None:
    kept = life.uid("life-service-one")
    made = life.commit(life_service=cluster_yaml(ONE % "life-service"))
    life.gone("life-service-two")
    assert life.uid("life-service-two") is None
    life.live.settled("life-service", made)
    assert life.uid("life-service-one") == kept
    # CreateNamespace makes namespaces that belong to nobody.
    assert life.live.cluster.get("namespace", "life-service-two")


def test_the_last_service_is_not_taken_off_by_mistake(life: Life) -> None:
    kept = life.uid("life-service-one")
    life.commit(life_service=spec("Cluster", f"destination: {{server: {IN_CLUSTER}}}\n"))
    assert life.live.condition("life-service", "cluster life-service has no services")
    assert life.live.application("life-service-one") and life.uid("life-service-one") == kept
    # While a cluster's file is wrong, the root takes up no changes of other clusters.
    assert life.live.condition(ROOT, "cluster life-service has no services")
    made = life.commit(ROOT, "life-service", life_service=cluster_yaml(ONE % "life-service"))
    life.live.settled("life-service", made)
    life.root_at(made)


def test_a_service_lets_go_of_its_objects_before_it_is_taken_off(life: Life) -> None:
    """Without the finalizer, in a commit before, everything stays that was deployed."""
    kept = life.uid("life-keep-two")
    two = "two: {service: small, namespace: life-keep-two, application: {finalizers: []}}\n"
    made = life.commit(life_keep=cluster_yaml(ONE % "life-keep" + two))
    life.live.settled("life-keep", made)
    life.commit(life_keep=cluster_yaml(ONE % "life-keep"))
    life.gone("life-keep-two")
    assert kept and life.uid("life-keep-two") == kept


def test_what_is_marked_stays_when_its_service_goes(life: Life) -> None:
    """First out of the service, where the Application is still Synced, then the service off the cluster."""
    made = life.commit(ROOT, life_hold=cluster_yaml(ONE % "life-hold" + HOLD))
    life.live.until("life-hold-data", lambda: claimed(life))
    bound = ("patch", "pvc", "claim", "-n", "life-hold-data", "--subresource=status", "--type=merge")
    life.live.cluster.kubectl(*bound, "-p", '{"status": {"phase": "Bound"}}')
    life.live.settled("life-hold", made)
    before, whole = claimed(life), life.uid("life-hold-all")
    assert before and whole

    empty = {
        "services/data/service.yaml": spec("Service", "resources: [config.yaml]\n"),
        "services/data/claim.yaml": None,
    }
    made = life.fleet.commit(empty)
    life.live.settled("life-hold", made)
    life.live.settled("life-hold-data", made)
    assert claimed(life) == before

    life.commit(life_hold=cluster_yaml(ONE % "life-hold"))
    for name in ("life-hold-data", "life-hold-all"):
        life.gone(name)
    life.live.until("life-hold-data", lambda: life.uid("life-hold-data") is None)
    assert claimed(life) == before and life.uid("life-hold-all") == whole


def claimed(life: Life) -> str | None:
    """The identity of the PersistentVolumeClaim, unless it is being deleted."""
    found = life.live.cluster.read("/api/v1/namespaces/life-hold-data/persistentvolumeclaims/claim")
    return found["metadata"]["uid"] if found and "deletionTimestamp" not in found["metadata"] else None


def test_a_profile_taken_off_a_cluster_takes_its_services_along(life: Life) -> None:
    kept = life.uid("life-profile-one"), life.uid("life-profile-two")
    assert all(kept)
    life.fleet.commit({"profiles/extra.yaml": None})
    life.live.refresh("life-profile")
    assert life.live.condition("life-profile", 'no profile "extra"')
    assert (life.uid("life-profile-one"), life.uid("life-profile-two")) == kept
    life.commit(life_profile=cluster_yaml(ONE % "life-profile"))
    life.gone("life-profile-two")
    assert (life.uid("life-profile-one"), life.uid("life-profile-two")) == (kept[0], None)


def test_a_service_with_another_key_is_another_service(life: Life) -> None:
    """Its objects have the same names and are deleted and made again; where `application.name` stays, so do they."""
    one, two = life.uid("life-name-one"), life.uid("life-name-two")
    first = "uno: {service: small, namespace: life-name-one}\n"
    second = "due: {service: small, namespace: life-name-two, application: {name: life-name-two}}\n"
    made = life.commit(life_name=cluster_yaml(first + second))
    life.gone("life-name-one")
    life.live.settled("life-name", made)
    assert life.here("life-name-uno", "life-name-one") != one
    assert life.here("life-name-two", "life-name-two") == two


def test_a_service_in_another_namespace_leaves_the_first(life: Life) -> None:
    before = life.uid("life-move-one")
    made = life.commit(life_move=cluster_yaml("one: {service: small, namespace: life-move-two}\n"))
    life.live.settled("life-move", made)
    after = life.here("life-move-one", "life-move-two")
    assert before and after != before
    life.live.until("life-move-one", lambda: life.uid("life-move-one") is None)
    assert life.live.cluster.get("namespace", "life-move-one")


# --- clusters ---


def test_what_runs_elsewhere_stays_when_the_destination_goes(life: Life) -> None:
    far = life.uid("life-far-one", life.far)
    assert far
    life.commit(life_far=FAR.replace("destination: {name: far}\n", ""))
    assert life.live.condition("life-far", "cluster life-far has no `destination`")
    assert life.uid("life-far-one", life.far) == far
    # Another destination: deployed there, and not taken away here.
    life.commit(life_far=cluster_yaml(ONE % "life-far"))
    life.here("life-far-one", "life-far-one")
    assert life.uid("life-far-one", life.far) == far


def test_a_cluster_without_its_secret_is_let_go(life: Life) -> None:
    away = life.uid("life-away-one", life.far)
    life.live.cluster.kubectl("delete", "secret", "away", "-n", NAMESPACE)
    name, said = "life-away-one", "there are no clusters with this name: away"
    life.live.eventually(name, lambda: said in str(life.live.status(name).get("conditions")))
    life.commit(ROOT, "life-away", life_away=spec("Cluster", "destination: {name: away}\nallow: [empty]\n"))
    life.live.eventually("life-away", lambda: life.live.application("life-away-one") is None)
    assert away and life.uid("life-away-one", life.far) == away


def asked_for(life: Life) -> bool:
    """Whether the root waits for somebody to confirm that the Application life-file goes."""
    return "waiting for pruning confirmation of argoproj.io/Application/life-file" in life.live.doing(ROOT)


def test_a_cluster_file_taken_away_waits_for_a_person(life: Life) -> None:
    """The root's sync waits; the Application of the cluster goes when somebody confirms, and nothing else."""
    before = life.uid("life-file-one")
    text = FILES[written("life-file")]
    life.commit(ROOT, life_file=None)
    life.live.eventually(ROOT, lambda: asked_for(life))
    assert life.live.application("life-file") and life.uid("life-file-one") == before

    # Meanwhile other clusters go on, and none is added.
    life.commit(
        ROOT, "life-other", life_other=cluster_yaml(both("life-other")), life_new=cluster_yaml(ONE % "life-new")
    )
    life.here("life-other-two", "life-other-two")
    assert life.live.application("life-new") is None and asked_for(life)

    # Taken back: the sync that waits has to be ended, and the next one started.
    back = life.commit(ROOT, life_file=text)
    run(life, "Terminating", fleet=ROOT)
    life.live.eventually(ROOT, lambda: "Operation terminated" in life.live.doing(ROOT))
    run(life, '"operation":', fleet=ROOT)
    life.root_at(back)
    assert life.live.application("life-new") and life.uid("life-file-one") == before

    life.commit(ROOT, life_file=None)
    life.live.eventually(ROOT, lambda: asked_for(life))
    run(life, "deletion-approved", fleet=ROOT)
    life.gone("life-file")
    assert life.live.application("life-file-one") and life.uid("life-file-one") == before

    again = life.commit(ROOT, life_file=text)
    life.live.settled("life-file", again)
    assert life.here("life-file-one", "life-file-one") == before


def test_what_makes_a_cluster_is_kept_until_somebody_confirms_twice(life: Life) -> None:
    """First that its Application goes, then that the object goes by which the cluster exists."""
    name = "life-manager-provision.life-made"
    before = life.uid("life-made-cluster")
    life.commit("life-manager", life_made=cluster_yaml(ONE % "life-made"))
    asked = f"waiting for pruning confirmation of argoproj.io/Application/{name}"
    life.live.eventually("life-manager", lambda: asked in life.live.doing("life-manager"))
    assert before and life.uid("life-made-cluster") == before
    run(life, "deletion-approved", fleet="life-manager")
    life.live.until(name, lambda: life.live.asks_to_delete(name))
    assert life.uid("life-made-cluster") == before
    run(life, "deletion-approved", fleet=name)
    life.live.until(name, lambda: life.uid("life-made-cluster") is None)
    life.gone(name)


def test_without_its_root_the_fleet_stands_still_and_nothing_goes(life: Life) -> None:
    """And when it is back, by hand or by the service `argocd`, it finds everything as it was."""
    found = {name: life.live.application(name) for name in CLUSTERS}
    clusters = {name: each["metadata"]["uid"] for name, each in found.items() if each}
    kept = life.uid("life-service-one")
    life.live.cluster.kubectl("delete", "application", ROOT, "-n", NAMESPACE, "--timeout=60s")
    life.gone(ROOT)
    made = life.commit(
        "life-service", life_late=cluster_yaml(ONE % "life-late"), life_service=cluster_yaml(both("life-service"))
    )
    life.live.settled("life-service", made)
    assert life.live.application("life-late") is None
    life.live.cluster.apply(root_application(life.fleet, ROOT))
    life.root_at(made)
    life.live.settled("life-late", made)
    assert {each: life.live.application(each)["metadata"]["uid"] for each in clusters} == clusters
    assert kept and life.uid("life-service-one") == kept
