"""The kind GKECluster on a real API server, and what the real function makes of the fleet's clusters.

Neither Crossplane nor Google runs here: what is observed of an object is what a test says it is.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from checkout import CHECKOUT
from crossplane import (
    AUTHORITY,
    ENDPOINT,
    Composed,
    Function,
    Object,
    custom_resource_definition,
    function,
    in_git,
    made,
    observe,
    secret_of,
)
from function_pythonic import LOCKED, directory
from health import health

from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster import Cluster
    from live import Live

CLUSTERS = ("gke.dev", "gke.prod")


@pytest.fixture(scope="module")
def server(live: Live) -> Cluster:
    """A management cluster that serves the kind GKECluster."""
    (definition,) = in_git("definition.yaml")
    live.cluster.apply(custom_resource_definition(definition))
    live.cluster.wait_for_kinds("gkeclusters")
    return live.cluster


@pytest.fixture(scope="module")
def composites(server: Cluster, preview: Callable[..., list[Any]]) -> dict[str, Object]:
    """The composites of the reference fleet as the API server keeps them, defaults and all."""
    stored = {}
    for name in CLUSTERS:
        (composite,) = preview(Path(CHECKOUT), "management", f"provision.{name}")
        server.apply(composite)
        stored[name] = server.get("gkecluster", name)
    return stored


@pytest.fixture(scope="module")
def pythonic(run_directory: Path) -> Iterator[Function]:
    assert directory().is_dir(), "function-pythonic is not installed: make test-argocd installs it"
    with function(run_directory / "function") as running:
        yield running


@pytest.fixture(scope="module")
def compose(pythonic: Function) -> Callable[..., Composed]:
    """`compose(composite, observed)`: one call of the function, with the Composition as it is in git."""
    (composition,) = in_git("composition.yaml")

    def composed(composite: Object, observed: dict[str, Object] | None = None) -> Composed:
        return pythonic.compose(composition, composite, observed or {})

    return composed


# --- the kind ---


def test_the_fleets_composites_are_accepted_and_get_defaults(composites: dict[str, Object]) -> None:
    dev, prod = (composites[name]["spec"] for name in CLUSTERS)
    assert dev["releaseChannel"] == "RAPID" and prod["releaseChannel"] == "STABLE"
    assert dev["endpoint"] == prod["endpoint"] == "DNS"
    assert dev["deletionProtection"] is False and prod["deletionProtection"] is True
    assert prod["nodePools"]["memory"] == {
        "machineType": "n2d-highmem-4",
        "minNodes": 1,
        "maxNodes": 3,
        "diskSizeGb": 100,
        "spot": False,
        "labels": {"pool": "memory"},
    }


WRONG = {
    "unknown field": (("spec", "nodepools"), {}, ".spec.nodepools: field not declared in schema"),
    "a zone": (("spec", "region"), "europe-west1-b", "spec.region: Invalid value"),
    "no project": (("spec", "project"), None, "spec.project: Required value"),
    "project": (("spec", "project"), "Example", "spec.project: Invalid value"),
    "no range of pods": (("spec", "network", "pods"), None, "spec.network.pods: Required value"),
    "range": (("spec", "network", "nodes"), "10.0.0.0", "spec.network.nodes: Invalid value"),
    "channel": (("spec", "releaseChannel"), "LATEST", 'spec.releaseChannel: Unsupported value: "LATEST"'),
    "endpoint": (("spec", "endpoint"), "Public", 'spec.endpoint: Unsupported value: "Public"'),
    "no pools": (("spec", "nodePools"), {}, "spec.nodePools: Invalid value"),
    "name of a pool": (("spec", "nodePools", "A_b"), {"machineType": "e2-small"}, "the name of a node pool"),
    "machine type": (("spec", "nodePools", "default", "machineType"), None, "spec.nodePools.default.machineType"),
    "turned round": (("spec", "nodePools", "default", "minNodes"), 99, "minNodes must not exceed maxNodes"),
    "number": (("spec", "nodePools", "default", "maxNodes"), "3", "spec.nodePools.default.maxNodes"),
    "account": (("spec", "serviceAccounts", "dns"), {"namespace": "a", "name": "b"}, "the id of a service account"),
    "role": (("spec", "serviceAccounts", "cert-manager", "roles"), ["owner"], "serviceAccounts.cert-manager.roles[0]"),
    "name": (("metadata", "name"), "a" * 25, "metadata.name must start with a letter"),
    "end of the name": (("metadata", "name"), "gke.1-", "metadata.name"),
}


@pytest.mark.parametrize(("path", "value", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_composite_is_refused_with_the_fields_name(
    server: Cluster, composites: dict[str, Object], path: tuple[str, ...], value: Any, message: str
) -> None:
    said = refusal(server, changed(fresh(composites["gke.prod"]), path, value))
    assert message in said, said


@pytest.mark.parametrize(("field", "value"), [("region", "europe-west4"), ("project", "another-project")])
def test_a_cluster_cannot_move(server: Cluster, composites: dict[str, Object], field: str, value: str) -> None:
    moved = changed(fresh(composites["gke.prod"]), ("spec", field), value)
    moved["metadata"]["name"] = "gke.prod"
    said = refusal(server, moved)
    assert f'spec.{field}: Invalid value: "{value}": a cluster cannot move' in said, said


def fresh(composite: Object) -> Object:
    """The same composite as one that is not there yet."""
    return {key: composite[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "gke.new"}}


def changed(composite: Object, path: tuple[str, ...], value: Any) -> Object:
    """A copy with another value at `path`; None takes it away."""
    copy = deepcopy(composite)
    place = copy
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


def refusal(server: Cluster, composite: Object) -> str:
    """What the API server says against it, asked as Argo CD asks."""
    words = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-")
    said = server.kubectl(*words, text=json.dumps(composite), check=False)
    assert "serverside-applied" not in said, f"accepted: {composite}"
    return said


# --- what is made of it ---


def test_the_version_that_runs_here_is_the_one_that_crossplane_is_told_to_fetch() -> None:
    (package,) = (each["spec"]["package"] for each in in_git("packages.yaml") if each["kind"] == "Function")
    locked = re.search(r"^crossplane-function-pythonic==(\S+)", LOCKED.read_text(), re.MULTILINE)
    assert locked and package.endswith(f"/function-pythonic:v{locked[1]}")


def test_at_first_only_what_needs_nothing_else(compose: Callable[..., Composed], composites: dict[str, Object]) -> None:
    answer = compose(composites["gke.dev"])
    assert set(answer.objects) == {
        "account-cert-manager",
        "account-nodes",
        "cluster",
        "network",
        "pool-default",
        "providerconfig",
        "router",
        "routernat",
        "subnetwork",
    }
    assert answer.ready == {"providerconfig"}
    assert answer.status == {}


@pytest.mark.parametrize("name", CLUSTERS)
def test_in_the_end_everything(compose: Callable[..., Composed], composites: dict[str, Object], name: str) -> None:
    answer = made(compose, composites[name])
    kinds = sorted(each["kind"] for each in answer.objects.values())
    pools = len(composites[name]["spec"]["nodePools"])
    assert kinds == sorted(
        ["Cluster", "Network", "ProviderConfig", "Router", "RouterNAT", "Secret", "Subnetwork"]
        + ["NodePool"] * pools
        + ["ServiceAccount"] * 2
        + ["ProjectIAMMember"] * 3
        + ["ServiceAccountIAMMember"]
    )
    assert answer.ready == set(answer.objects)
    assert answer.status["server"] == f"https://{ENDPOINT}"
    names = [(each["kind"], each["metadata"]["name"]) for each in answer.objects.values()]
    assert len(set(names)) == len(names)


def test_every_object_of_googles_uses_the_clusters_project(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    answer = made(compose, composites["gke.dev"])
    config = answer.objects["providerconfig"]
    assert config["spec"] == {"projectID": "example-dev", "credentials": {"source": "InjectedIdentity"}}
    for each in answer.objects.values():
        if each["apiVersion"].endswith(".gcp.m.upbound.io/v1beta1"):
            assert each["spec"]["providerConfigRef"] == {"kind": "ProviderConfig", "name": config["metadata"]["name"]}
            assert each["metadata"]["namespace"] == config["metadata"]["namespace"]


def test_references_lead_to_objects_that_are_made(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    answer = made(compose, composites["gke.prod"])
    there = {(each["kind"], each["metadata"]["name"]) for each in answer.objects.values()}
    kinds = {
        "networkRef": "Network",
        "subnetworkRef": "Subnetwork",
        "routerRef": "Router",
        "clusterRef": "Cluster",
        "serviceAccountRef": "ServiceAccount",
        "serviceAccountIdRef": "ServiceAccount",
    }
    found = [
        (kinds[key], value["name"])
        for each in answer.objects.values()
        for key, value in walk(each)
        if key.endswith("Ref")
        if key != "providerConfigRef"
    ]
    assert found and set(found) <= there


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value below `value`."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield key, child
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def test_the_cluster_is_private_and_has_workload_identity(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    cluster = compose(composites["gke.prod"]).objects["cluster"]
    assert cluster["metadata"]["annotations"]["crossplane.io/external-name"] == "gke-prod"
    fields = cluster["spec"]["forProvider"]
    assert fields["location"] == "europe-west1"
    assert fields["privateClusterConfig"] == {"enablePrivateNodes": True}
    assert fields["controlPlaneEndpointsConfig"] == {
        "dnsEndpointConfig": {"allowExternalTraffic": True},
        "ipEndpointsConfig": {"enabled": False},
    }
    assert fields["workloadIdentityConfig"] == {"workloadPool": "example-prod.svc.id.goog"}
    assert fields["releaseChannel"] == {"channel": "STABLE"}
    assert fields["deletionProtection"] is True


def test_a_node_pool_is_what_the_composite_says(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    objects = compose(composites["gke.prod"]).objects
    ours = objects["pool-memory"]["spec"]["forProvider"]
    dev = compose(composites["gke.dev"]).objects["pool-default"]["spec"]["forProvider"]
    assert dev["autoscaling"]["locationPolicy"] == "ANY" and dev["nodeConfig"]["spot"] is True
    assert ours["nodeConfig"]["spot"] is False
    assert ours["autoscaling"] == {"totalMinNodeCount": 1, "totalMaxNodeCount": 3, "locationPolicy": "BALANCED"}
    assert ours["nodeConfig"]["machineType"] == "n2d-highmem-4"
    assert ours["nodeConfig"]["labels"] == {"pool": "memory"}
    assert ours["nodeConfig"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert "labels" not in objects["pool-default"]["spec"]["forProvider"]["nodeConfig"]


def test_a_workload_may_be_its_google_service_account_and_that_has_its_roles(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    objects = made(compose, composites["gke.dev"]).objects
    account = objects["account-cert-manager"]
    # The address that profiles/gcp.yaml's clusters give cert-manager.
    assert account["metadata"]["annotations"]["crossplane.io/external-name"] == "cert-manager"
    role = objects["cert-manager-roles-dns-admin"]["spec"]["forProvider"]
    assert role["role"] == "roles/dns.admin" and role["project"] == "example-dev"
    assert role["member"] == "serviceAccount:cert-manager@example.iam.gserviceaccount.com"
    identity = objects["identity-cert-manager"]["spec"]["forProvider"]
    assert identity["member"] == "serviceAccount:example-dev.svc.id.goog[cert-manager/cert-manager]"
    assert identity["role"] == "roles/iam.workloadIdentityUser"


# --- the Secret ---


@pytest.mark.parametrize("name", CLUSTERS)
def test_argocd_gets_the_cluster_with_its_name_and_labels_and_no_credentials(
    compose: Callable[..., Composed], composites: dict[str, Object], server: Cluster, name: str
) -> None:
    secret, data = secret_of(made(compose, composites[name]))
    facts = open_cluster(open_fleet(CHECKOUT), name).facts
    assert secret["metadata"] == {
        "name": f"cluster-{name}",
        "namespace": "argocd",
        "labels": dict(facts.labels) | {"argocd.argoproj.io/secret-type": "cluster"},
    }
    assert data.keys() == {"name", "server", "config"}
    assert data["name"] == name == facts.destination["name"]
    assert data["server"] == f"https://{ENDPOINT}"
    sign_in = {"command": "argocd-k8s-auth", "args": ["gcp"], "apiVersion": "client.authentication.k8s.io/v1beta1"}
    assert json.loads(data["config"]) == {"execProviderConfig": sign_in, "tlsClientConfig": {"insecure": False}}
    server.apply(secret)


def test_a_private_endpoint_is_trusted_by_the_clusters_own_authority(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    private = changed(composites["gke.prod"], ("spec", "endpoint"), "Private")
    answer = made(compose, private)
    _, data = secret_of(answer)
    assert data["server"] == "https://10.17.0.2"
    assert json.loads(data["config"])["tlsClientConfig"] == {"insecure": False, "caData": AUTHORITY}
    fields = answer.objects["cluster"]["spec"]["forProvider"]
    assert fields["privateClusterConfig"] == {"enablePrivateNodes": True, "enablePrivateEndpoint": True}
    assert fields["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {"allowExternalTraffic": False}


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("DNS", ("controlPlaneEndpointsConfig", "dnsEndpointConfig", "endpoint")),
        ("Private", ("privateClusterConfig", "privateEndpoint")),
        ("Private", ("masterAuth", "clusterCaCertificate")),
    ],
)
def test_no_secret_before_address_and_authority_are_known(
    compose: Callable[..., Composed],
    composites: dict[str, Object],
    endpoint: str,
    path: tuple[str, ...],
    empty: str | None,
) -> None:
    composite = changed(composites["gke.prod"], ("spec", "endpoint"), endpoint)
    observed = observe(compose(composite))
    assert "secret" in compose(composite, observed).objects
    observed["cluster"] = changed(observed["cluster"], ("status", "atProvider", *path), empty)
    assert "secret" not in compose(composite, observed).objects


def test_a_secret_that_exists_stays_when_the_address_is_not_reported(
    compose: Callable[..., Composed], composites: dict[str, Object]
) -> None:
    before = made(compose, composites["gke.prod"])
    observed = observe(before)
    del observed["cluster"]["status"]["atProvider"]
    after = compose(composites["gke.prod"], observed)
    assert after.objects["secret"]["data"] == before.objects["secret"]["data"]


# --- its health ---

READY = {"type": "Ready", "status": "True"}
NOT_READY = {"type": "Ready", "status": "False", "reason": "Creating"}
SYNCED = {"type": "Synced", "status": "True"}
NOT_SYNCED = {"type": "Synced", "status": "False", "message": "no such function"}


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        (None, "Progressing"),
        ([], "Progressing"),
        ([SYNCED, NOT_READY], "Progressing"),
        ([READY, SYNCED], "Healthy"),
        ([NOT_SYNCED, NOT_READY], "Degraded"),
        ([READY, NOT_SYNCED], "Degraded"),
    ],
)
def test_health_by_argocds_own_lua(tmp_path: Path, conditions: list[Object] | None, wanted: str) -> None:
    composite: Object = {"apiVersion": "fleet.example.com/v1alpha1", "kind": "GKECluster", "metadata": {"name": "x"}}
    if conditions is not None:
        composite["status"] = {"conditions": conditions}
    assert health(composite, tmp_path)[0] == wanted
