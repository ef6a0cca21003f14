"""Applications that name the plugin, in a running Argo CD: synced, changed, broken, pruned."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from applications import TRACKING
from checkout import CHECKOUT
from cmp_server import Application
from live import Live, contained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repository import Repository

REAL = Path(CHECKOUT).parent / "shared/real"


@pytest.fixture
def live(live: Live) -> Iterator[Live]:
    """Argo CD for one test's Applications."""
    with live.lent():
        yield live


def on_cluster(name: str, service: str, namespace: str = "default") -> Application:
    parameters = {"cluster": "kind.local", "service": service}
    return Application(name, "clusters/kind.local", parameters, namespace=namespace, paths="/services")


def find(live: Live, wanted: dict[str, Any], namespace: str) -> Any:
    """The object in the cluster that `wanted` became."""
    group = wanted["apiVersion"].partition("/")[0] if "/" in wanted["apiVersion"] else ""
    kind = f"{wanted['kind']}.{group}" if group else wanted["kind"]
    return live.cluster.get(kind, wanted["metadata"]["name"], wanted["metadata"].get("namespace", namespace))


@pytest.mark.parametrize(
    ("service", "namespace"),
    [("namespaces", ""), ("priority-classes", ""), ("web", "web"), ("web-preview", "web-preview")],
)
def test_reference_services_become_synced(
    live: Live, fleet: Repository, preview: Callable[..., list[Any]], service: str, namespace: str
) -> None:
    live.apply(fleet, on_cluster(f"reference-{service}", service, namespace or "default"))
    live.synced(f"reference-{service}", fleet.head)
    shown = preview(fleet.root, "kind.local", service)
    assert shown
    for wanted in shown:
        actual = find(live, wanted, namespace)
        assert contained(wanted, actual), (wanted, actual)
        assert actual["metadata"]["annotations"][TRACKING].startswith(f"reference-{service}:")


def own_service(fleet: Repository, name: str, files: dict[str, str], block: str = "") -> None:
    """Commits services/<name> of plain files, on kind.local."""
    written = {f"services/{name}/{file}": text for file, text in files.items()}
    resources = "".join(f"  - {file}\n" for file in files)
    spec = f"apiVersion: cmp-plugin/v1alpha1\nkind: Service\nresources:\n{resources}{block}"
    cluster = (fleet.root / "clusters/kind.local/cluster.yaml").read_text()
    written |= {f"services/{name}/service.yaml": spec, "clusters/kind.local/cluster.yaml": f"{cluster}  {name}: {{}}\n"}
    fleet.commit(written)


def config_map(name: str, value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: {value}}}\n"


def values(live: Live, *names: str) -> list[str | None]:
    """`data.value` of ConfigMaps in `default`, None where there is none."""
    found = [live.cluster.get("configmap", name, "default") for name in names]
    return [each["data"]["value"] if each else None for each in found]


def test_a_commit_changes_a_value_and_the_cluster_follows(live: Live, fleet: Repository) -> None:
    own_service(fleet, "follow", {"a.yaml": config_map("follow-a", "one")})
    live.apply(fleet, on_cluster("follow", "follow"))
    live.synced("follow", fleet.head)
    assert values(live, "follow-a") == ["one"]
    changed = fleet.replace("services/follow/a.yaml", "value: one", "value: two")
    live.refresh("follow")
    live.synced("follow", changed)
    assert values(live, "follow-a") == ["two"]


def test_a_broken_commit_changes_nothing_and_says_where(live: Live, fleet: Repository) -> None:
    own_service(fleet, "broken", {"a.yaml": config_map("broken-a", "one")})
    live.apply(fleet, on_cluster("broken", "broken"))
    live.synced("broken", fleet.head)
    fleet.replace("services/broken/service.yaml", "resources:", "resuorces:")
    live.refresh("broken")
    said = live.condition("broken", "services/broken/service.yaml:3:1: ")
    assert 'unknown key "resuorces" (did you mean "resources"?)' in said
    assert live.status("broken")["sync"]["status"] == "Unknown"
    assert values(live, "broken-a") == ["one"]
    mended = fleet.replace("services/broken/service.yaml", "resuorces:", "resources:")
    live.refresh("broken")
    assert not live.synced("broken", mended).get("conditions")


def test_a_commit_that_empties_the_service_deletes_nothing(live: Live, fleet: Repository) -> None:
    own_service(fleet, "emptied", {"a.yaml": config_map("emptied-a", "one")})
    live.apply(fleet, on_cluster("emptied", "emptied"))
    live.synced("emptied", fleet.head)
    fleet.commit({"services/emptied/a.yaml": "# Nothing.\n"})
    live.refresh("emptied")
    assert live.condition("emptied", "kind.local/emptied")
    assert values(live, "emptied-a") == ["one"]


def test_prune_removes_exactly_what_was_dropped(live: Live, fleet: Repository) -> None:
    names = ("pruned-a", "pruned-b", "pruned-c")
    own_service(fleet, "pruned", {f"{name}.yaml": config_map(name, "one") for name in names})
    live.cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pruned-d", "namespace": "default"}}
    )
    live.apply(fleet, on_cluster("pruned", "pruned"))
    live.synced("pruned", fleet.head)
    kept = {name: live.cluster.get("configmap", name, "default")["metadata"]["uid"] for name in names}
    dropped = fleet.replace("services/pruned/service.yaml", "  - pruned-b.yaml\n", "")
    live.refresh("pruned")
    live.synced("pruned", dropped)
    live.until("pruned", lambda: values(live, "pruned-b") == [None])
    for name in ("pruned-a", "pruned-c"):
        assert live.cluster.get("configmap", name, "default")["metadata"]["uid"] == kept[name]
    assert live.cluster.get("configmap", "pruned-d", "default")


def test_another_helm_shows_no_difference(live: Live, fleet: Repository) -> None:
    """From helm 4 to helm 3: new manifests are made, and nothing is written to the cluster."""
    # An instance that no other test's Application has objects in common with: two would write by turns.
    cluster = (fleet.root / "clusters/kind.local/cluster.yaml").read_text()
    fleet.commit({"clusters/kind.local/cluster.yaml": f"{cluster}  helms: {{service: web, namespace: helms}}\n"})
    live.apply(fleet, on_cluster("helms", "helms", "helms"))
    live.synced("helms", fleet.head)
    before = live.cluster.get("deployment", "helms", "helms")
    changed = fleet.replace("fleet.yaml", 'helm: "~4.3"', 'helm: "~3.22"')
    live.refresh("helms")
    status = live.synced("helms", changed)
    after = live.cluster.get("deployment", "helms", "helms")
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert status["history"][-1]["revision"] != changed, "there was something to apply"


def printed_chart(fleet: Repository, name: str, manifests: bytes) -> None:
    """Commits services/<name>: a chart that prints `manifests` as they are."""
    chart = fleet.root / f"services/{name}/chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    (chart / "templates/all.yaml").write_text('{{ .Files.Get "manifests.yaml" }}\n')
    (chart / "manifests.yaml").write_bytes(manifests)
    spec = f"apiVersion: cmp-plugin/v1alpha1\nkind: Service\nnamespace: {name}\nchart: {{path: chart}}\n"
    cluster = (fleet.root / "clusters/kind.local/cluster.yaml").read_text()
    fleet.commit(
        {f"services/{name}/service.yaml": spec, "clusters/kind.local/cluster.yaml": f"{cluster}  {name}: {{}}\n"}
    )


@pytest.mark.skipif(not REAL.is_dir(), reason="what real charts print is not in the repository")
def test_real_charts_with_large_crds_become_synced(live: Live, fleet: Repository) -> None:
    """CRDs past the 256 KiB of an annotation: only server-side apply can carry them."""
    printed = gzip.decompress((REAL / "kube-prometheus-stack-88.5.3/manifests.yaml.gz").read_bytes())
    # Hooks are Jobs, which nobody runs here.
    documents = [each for each in printed.split(b"\n---\n") if b"helm.sh/hook" not in each]
    moved = b"\n---\n".join(documents).replace(b"namespace: ns\n", b"namespace: prometheus-stack\n")
    printed_chart(fleet, "prometheus-stack", moved)
    live.apply(fleet, on_cluster("prometheus-stack", "prometheus-stack", "prometheus-stack"))
    live.synced("prometheus-stack", fleet.head)
    crd = live.cluster.get("crd", "prometheuses.monitoring.coreos.com")
    assert crd["spec"]["names"]["kind"] == "Prometheus"
