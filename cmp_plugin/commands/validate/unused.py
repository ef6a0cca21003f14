"""Services, variants and profiles that no cluster has any use for, or whose labels none has.

In: a fleet whose clusters could all be planned, and the clusters. Out: warnings. Pure. A service that
clusters name but switch off is in use: somebody wrote down that it is not wanted there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...fleet.cluster import Cluster, entry_of, profile_order
from ...fleet.files import Fleet
from ...fleet.plan import PROVISION, keys_on
from ...fleet.request import provision_request
from ...fleet.service_layers import holds
from .findings import Finding, allowed, warning
from .labels import Known, unknown_in, unknown_labels

Uses = dict[str, list[Cluster]]


def unused(fleet: Fleet, clusters: list[Cluster], known: Known) -> Iterator[Finding]:
    """Nothing in a fleet without clusters: it has only begun."""
    if not clusters:
        return
    yield from _services(fleet, _uses(clusters), known)
    used = {name for cluster in clusters for name in profile_order(fleet, cluster.spec)}
    for name in fleet.names("Profile"):
        if name not in used:
            spec = fleet.spec_of("Profile", name)
            yield warning("unused", f"no cluster has the profile {name}", spec.at._replace(line=0))


def _uses(clusters: list[Cluster]) -> Uses:
    """Catalogue entry -> the clusters whose labels its variants are matched with."""
    named = {cluster.name: cluster for cluster in clusters}
    uses: Uses = {}
    for cluster in clusters:
        for key in keys_on(cluster):
            if key in cluster.named or not key.startswith(PROVISION):
                uses.setdefault(entry_of(cluster, key)[0], []).append(cluster)
            else:
                entry = provision_request(cluster, key.removeprefix(PROVISION)).entry
                uses.setdefault(entry, []).append(named[key.removeprefix(PROVISION)])
    return uses


def _services(fleet: Fleet, uses: Uses, known: Known) -> Iterator[Finding]:
    for name in fleet.names("Service"):
        spec = fleet.spec_of("Service", name)
        if name in uses:
            yield from unknown_labels(spec, known)
        if "unused" in allowed(spec):
            continue
        if name not in uses:
            hint = f"name it under `services:`, or take services/{name} away"
            yield warning("unused", f"no cluster has the service {name}", spec.at._replace(line=0), hint)
            continue
        for variant, block in spec.entries("variants").items():
            # Those that ask for a label or value that is nowhere have a warning of their own.
            if block.value is None or "unused" in allowed(block) or any(unknown_in(block, known)):
                continue
            if not any(holds(block, cluster.facts.labels) for cluster in uses[name]):
                message = f"the variant {variant} applies to no cluster that has {name}"
                yield warning("unused", message, block.start)
