"""The kind `applications`: Argo CD's Applications -> services and clusters.

In: a repository with Applications. Out: a `Conversion`. Applications of one chart, or of one name but for the
cluster's, become one service; their destinations become clusters. Release and Application keep their names, so
that Argo CD goes on with the objects that are there.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ...argocd.applications import IN_CLUSTER
from ...errors import CmpError, InputError, Location, flatten, labelled
from ...render.manifest import mapping, text
from ...system.files import canonical
from .application_files import Found, clusters_of, found_objects, yaml_files
from .application_settings import settings
from .applicationsets import applications_of
from .conversion import (
    Block,
    Conversion,
    Draft,
    ImportRequest,
    Kustomization,
    Manifests,
    Pair,
    Release,
    common,
    dns_name,
    draft,
    without,
    written,
)
from .generators import ClusterSecret
from .instances import Instance, place_group
from .naming import has_word, words
from .parents import without_applications
from .releases import helm_source, missing
from .repository import Repository, check_repository, repository_of, sources_of

ARGOCD = "argocd.argoproj.io/"  # labels of a cluster's Secret with this prefix are Argo CD's own
IN_CLUSTER_NAME = "in-cluster"
_GIT_OPTIONS = {"repoURL", "path", "targetRevision", "ref", "name", "directory", "kustomize"}


def convert(asked: ImportRequest) -> Conversion:
    """A source as a fleet. InputError when there is no Application in it."""
    left: list[CmpError] = []
    objects, clusters = _expanded(found_objects(asked, left), asked, left)
    applications = [one for one in objects if one.kind == "Application"]
    if not applications and not left:
        raise InputError("there is no Application in the source", Location(asked.start[1:] or "."))
    made = draft()
    made.fleet["kubernetes"] = {"version": asked.kubernetes}
    here = repository_of(applications, asked)
    instances: list[Instance] = []
    for one in applications:
        try:
            for found in _instance(one, objects, clusters, here, asked):
                if any((found.name, found.cluster) == (other.name, other.cluster) for other in instances):
                    raise InputError(f"another one is called {found.name}, too", one.at)
                instances.append(found)
        except CmpError as error:
            name = text(mapping(one.value, "metadata"), "name")
            left.extend(flatten([labelled(error, f"Application {name}")]))
    claimed = {path[1:] for one in instances for path in one.manifests}
    others = [one for one in objects if one.kind != "Application" and one.at.file not in claimed]
    left.extend(error for one in others for error in _other(made, one))
    instances = _with_one_destination(_with_words(instances), left)
    for instance in instances:
        known = next((secret.labels for secret in clusters if instance.destination == {"name": secret.name}), {})
        labels = {key: value for key, value in known.items() if not key.startswith(ARGOCD)}
        made.clusters.setdefault(instance.cluster, {}).update({"labels": labels} if labels else {})
    pairs = _placed(made, instances, asked, left)
    return Conversion(written(made), tuple(pairs), tuple(left))


def _expanded(
    objects: list[Found], asked: ImportRequest, left: list[CmpError]
) -> tuple[list[Found], list[ClusterSecret]]:
    """The objects with ApplicationSets' Applications in their place, and what is known of clusters."""
    clusters = clusters_of(objects)
    found: list[Found] = []
    for one in objects:
        try:
            found += applications_of(one, clusters, asked) if one.kind == "ApplicationSet" else [one]
        except CmpError as error:
            left.extend(flatten([labelled(error, f"ApplicationSet {text(mapping(one.value, 'metadata'), 'name')}")]))
    return found, clusters


def _other(made: Draft, one: Found) -> list[CmpError]:
    """AppProjects go to fleet.yaml; for the rest there is no place."""
    name = text(mapping(one.value, "metadata"), "name")
    if one.kind == "AppProject":
        made.fleet.setdefault("projects", {})[name] = mapping(one.value, "spec")
        return []
    if one.kind == "cluster":
        return []
    kind = text(one.value, "kind")
    return [InputError(f"{kind} {name} is no Application", one.at, "put it into a service of its own")]


# --- one Application ---


def _instance(
    one: Found, every: list[Found], clusters: list[ClusterSecret], here: Repository, asked: ImportRequest
) -> list[Instance]:
    """One Application as an instance of a service; none when it makes nothing but other Applications."""
    spec = mapping(one.value, "spec")
    sources = sources_of(one)
    name = text(mapping(one.value, "metadata"), "name")
    cluster, destination = _destination(mapping(spec, "destination"), clusters, one.at)
    namespace = text(mapping(spec, "destination"), "namespace")
    found = Instance(one.at, name, cluster, destination, namespace, settings(one.value))
    refs = {source["ref"]: "/" for source in sources if isinstance(source.get("ref"), str)}
    for source in sources:
        if not source.get("chart"):
            check_repository(source, here, one.at)
        if source.get("chart") or source.get("path"):
            found = _with_source(found, source, refs, asked)
    if not found.gives_objects:
        raise InputError("it has no source that gives objects", one.at)
    found = without_applications(found, [other.at.file for other in every if other.kind], asked)
    return [found] if found.gives_objects else []


def _destination(written_: dict[str, Any], clusters: list[ClusterSecret], at: Location) -> tuple[str, Block]:
    """A cluster's name, and its `destination`."""
    name, server = text(written_, "name"), text(written_, "server")
    name = name or next((one.name for one in clusters if server and one.server == server), "")
    if name:
        return dns_name(name), {"name": name}
    if server == IN_CLUSTER:
        return IN_CLUSTER_NAME, {"name": IN_CLUSTER_NAME}
    host, _, path = re.sub(r"^[a-z]+://", "", server).partition("/")
    # Behind a proxy such as Rancher's many clusters share a host.
    known = dns_name("-".join(filter(None, [host.partition(":")[0], path.rstrip("/").rpartition("/")[2]])))
    if not known:
        raise InputError("it has no destination", at)
    return known, {"server": server}


def _with_source(found: Instance, source: dict[str, Any], refs: dict[str, str], asked: ImportRequest) -> Instance:
    """`found` with one more source."""
    path = canonical(text(source, "path") or ".", "/", found.at)
    if source.get("chart") or asked.tree.exists(f"{path}/Chart.yaml") or source.get("helm"):
        if found.helm:
            raise InputError("it has two charts", found.at, "a service has one: make two Applications of it first")
        release = Release(found.at, "", found.name, found.namespace, kube_version=asked.kubernetes)
        return found._replace(helm=helm_source(source, refs, release, asked))
    if more := _said(source, _GIT_OPTIONS):
        raise InputError(f"source.{more[0]} is not imported", found.at)
    if not asked.tree.is_dir(path):
        raise missing(path, found.at, asked)
    if asked.tree.kustomization(path):
        options = _said(mapping(source, "kustomize"), {"version"})
        if options:
            raise InputError(f"kustomize.{options[0]} is not imported", found.at, "write it into the kustomization")
        return found._replace(kustomizations=(*found.kustomizations, path))
    options = _said(mapping(source, "directory"), {"recurse"})
    if options:
        raise InputError(f"directory.{options[0]} is not imported", found.at)
    files = yaml_files(asked, path, mapping(source, "directory").get("recurse") is True)
    return found._replace(manifests=(*found.manifests, *files))


def _said(options: Block, known: set[str]) -> list[str]:
    """The options that say something and are not known."""
    return sorted(key for key, value in options.items() if value and key not in known)


def _with_words(instances: list[Instance]) -> list[Instance]:
    """Each with its cluster's word; a cluster that is known by its address only is called so."""
    names: dict[str, list[str]] = {}
    named = [one for one in instances if not _is_address(one)]
    plain = {one.cluster for one in named if any(has_word(one.name, word) for word in one.spellings)}
    for one in instances:
        if one.cluster not in plain:
            names.setdefault(one.cluster, []).append(one.name)
    found = words(names)
    renamed = {
        one.cluster: word for one in instances if (word := dns_name(found.get(one.cluster, ""))) and _is_address(one)
    }
    taken = {one.cluster for one in instances} - set(renamed)
    return [
        one._replace(word=found.get(one.cluster, ""), cluster=renamed.get(one.cluster, one.cluster))
        if renamed.get(one.cluster) not in taken
        else one._replace(word=found.get(one.cluster, ""))
        for one in instances
    ]


def _with_one_destination(instances: list[Instance], left: list[CmpError]) -> list[Instance]:
    """Those whose cluster's name stands for one destination only."""
    known: dict[str, Instance] = {}
    for one in instances:
        if known.setdefault(one.cluster, one).destination != one.destination:
            message = f"Application {one.name}: {known[one.cluster].name} calls another destination {one.cluster}, too"
            left.append(InputError(message, one.at))
    return [one for one in instances if known[one.cluster].destination == one.destination]


def _is_address(one: Instance) -> bool:
    return "server" in one.destination or one.cluster == IN_CLUSTER_NAME


# --- all of them ---


def _placed(made: Draft, instances: list[Instance], asked: ImportRequest, left: list[CmpError]) -> list[Pair]:
    pairs: list[Pair] = []
    names = Counter(one.name for one in instances)
    for group in _groups(instances):
        unique = all(names[one.name] == 1 for one in group)
        try:
            entry, keyed = place_group(made, group, asked, unique)
        except CmpError as error:
            left.extend(flatten([labelled(error, f"Application {group[0].name}")]))
            continue
        for one, key in keyed:
            cluster = made.clusters[one.cluster]
            cluster["destination"] = one.destination
            if one.helm and one.helm.release.api_versions:
                versions = cluster.setdefault("kubernetes", {}).setdefault("apiVersions", [])
                versions += [version for version in one.helm.release.api_versions if version not in versions]
            sources = (
                *((one.helm.release,) if one.helm else ()),
                *(Kustomization(path) for path in one.kustomizations),
                *((Manifests(one.manifests),) if one.manifests else ()),
            )
            pairs.append(Pair(one.cluster, key, sources, one.at, one.namespace, entry))
    _share_settings(made)
    return pairs


def _groups(instances: list[Instance]) -> list[list[Instance]]:
    """Instances of one name, and of one chart if they have one, together; in the order of their names.

    A chart of the repository lies beside its service: all its instances are of that one service.
    """
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for one in sorted(instances, key=lambda one: (one.stem, one.cluster, one.name)):
        chart = one.helm.chart if one.helm else ("", "")
        stem = "" if one.helm and one.helm.release.path else one.stem
        groups.setdefault((*chart, stem), []).append(one)
    return list(groups.values())


def _share_settings(made: Draft) -> None:
    """What every service's Applications have alike stands once, in fleet.yaml."""
    blocks = [service.get("application", {}) for service in made.services.values()]
    shared = common(blocks) if len(blocks) > 1 else {}
    # These would be the clusters' own Applications', too.
    shared = {key: value for key, value in shared.items() if key not in ("labels", "annotations")}
    if not shared:
        return
    made.fleet["application"] = shared
    for service in made.services.values():
        left = without(service["application"], shared)
        service["application"] = left
        if not left:
            del service["application"]
