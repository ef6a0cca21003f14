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


def convert(request: ImportRequest) -> Conversion:
    """A source as a fleet. InputError when there is no Application in it."""
    left: list[CmpError] = []
    objects, clusters = _expanded(found_objects(request, left), request, left)
    applications = [manifest for manifest in objects if manifest.kind == "Application"]
    if not applications and not left:
        raise InputError("there is no Application in the source", Location(request.start[1:] or "."))
    made = draft()
    made.fleet["kubernetes"] = {"version": request.kubernetes}
    here = repository_of(applications, request)
    instances: list[Instance] = []
    for application in applications:
        try:
            for instance in _instance(application, objects, clusters, here, request):
                if any((instance.name, instance.cluster) == (earlier.name, earlier.cluster) for earlier in instances):
                    raise InputError(f"another one is called {instance.name}, too", application.at)
                instances.append(instance)
        except CmpError as error:
            name = text(mapping(application.value, "metadata"), "name")
            left.extend(flatten([labelled(error, f"Application {name}")]))
    claimed = {path[1:] for instance in instances for path in instance.manifests}
    others = [manifest for manifest in objects if manifest.kind != "Application" and manifest.at.file not in claimed]
    left.extend(error for manifest in others for error in _other(made, manifest))
    instances = _with_one_destination(_with_words(instances), left)
    for instance in instances:
        known = next((secret.labels for secret in clusters if instance.destination == {"name": secret.name}), {})
        labels = {key: value for key, value in known.items() if not key.startswith(ARGOCD)}
        made.clusters.setdefault(instance.cluster, {}).update({"labels": labels} if labels else {})
    pairs = _placed(made, instances, request, left)
    return Conversion(written(made), tuple(pairs), tuple(left))


def _expanded(
    objects: list[Found], request: ImportRequest, left: list[CmpError]
) -> tuple[list[Found], list[ClusterSecret]]:
    """The objects with ApplicationSets' Applications in their place, and what is known of clusters."""
    clusters = clusters_of(objects)
    expanded: list[Found] = []
    for manifest in objects:
        try:
            expanded += (
                applications_of(manifest, clusters, request) if manifest.kind == "ApplicationSet" else [manifest]
            )
        except CmpError as error:
            left.extend(
                flatten([labelled(error, f"ApplicationSet {text(mapping(manifest.value, 'metadata'), 'name')}")])
            )
    return expanded, clusters


def _other(made: Draft, manifest: Found) -> list[CmpError]:
    """AppProjects go to fleet.yaml; for the rest there is no place."""
    name = text(mapping(manifest.value, "metadata"), "name")
    if manifest.kind == "AppProject":
        made.fleet.setdefault("projects", {})[name] = mapping(manifest.value, "spec")
        return []
    if manifest.kind == "cluster":
        return []
    kind = text(manifest.value, "kind")
    return [InputError(f"{kind} {name} is no Application", manifest.at, "put it into a service of its own")]


# --- one Application ---


def _instance(
    application: Found, every: list[Found], clusters: list[ClusterSecret], here: Repository, request: ImportRequest
) -> list[Instance]:
    """One Application as an instance of a service; none when it makes nothing but other Applications."""
    spec = mapping(application.value, "spec")
    sources = sources_of(application)
    name = text(mapping(application.value, "metadata"), "name")
    cluster, destination = _destination(mapping(spec, "destination"), clusters, application.at)
    namespace = text(mapping(spec, "destination"), "namespace")
    instance = Instance(application.at, name, cluster, destination, namespace, settings(application.value))
    refs = {source["ref"]: "/" for source in sources if isinstance(source.get("ref"), str)}
    for source in sources:
        if not source.get("chart"):
            check_repository(source, here, application.at)
        if source.get("chart") or source.get("path"):
            instance = _with_source(instance, source, refs, request)
    if not instance.gives_objects:
        raise InputError("it has no source that gives objects", application.at)
    instance = without_applications(instance, [manifest.at.file for manifest in every if manifest.kind], request)
    return [instance] if instance.gives_objects else []


def _destination(written_: dict[str, Any], clusters: list[ClusterSecret], at: Location) -> tuple[str, Block]:
    """A cluster's name, and its `destination`."""
    name, server = text(written_, "name"), text(written_, "server")
    name = name or next((secret.name for secret in clusters if server and secret.server == server), "")
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


def _with_source(instance: Instance, source: dict[str, Any], refs: dict[str, str], request: ImportRequest) -> Instance:
    """`instance` with one more source."""
    path = canonical(text(source, "path") or ".", "/", instance.at)
    if source.get("chart") or request.tree.exists(f"{path}/Chart.yaml") or source.get("helm"):
        if instance.helm:
            raise InputError("it has two charts", instance.at, "a service has one: make two Applications of it first")
        release = Release(instance.at, "", instance.name, instance.namespace, kube_version=request.kubernetes)
        return instance._replace(helm=helm_source(source, refs, release, request))
    if more := _said(source, _GIT_OPTIONS):
        raise InputError(f"source.{more[0]} is not imported", instance.at)
    if not request.tree.is_dir(path):
        raise missing(path, instance.at, request)
    if request.tree.kustomization(path):
        options = _said(mapping(source, "kustomize"), {"version"})
        if options:
            raise InputError(f"kustomize.{options[0]} is not imported", instance.at, "write it into the kustomization")
        return instance._replace(kustomizations=(*instance.kustomizations, path))
    options = _said(mapping(source, "directory"), {"recurse"})
    if options:
        raise InputError(f"directory.{options[0]} is not imported", instance.at)
    files = yaml_files(request, path, mapping(source, "directory").get("recurse") is True)
    return instance._replace(manifests=(*instance.manifests, *files))


def _said(options: Block, known: set[str]) -> list[str]:
    """The options that say something and are not known."""
    return sorted(key for key, value in options.items() if value and key not in known)


def _with_words(instances: list[Instance]) -> list[Instance]:
    """Each with its cluster's word; a cluster that is known by its address only is called so."""
    names: dict[str, list[str]] = {}
    named = [instance for instance in instances if not _is_address(instance)]
    plain = {
        instance.cluster for instance in named if any(has_word(instance.name, word) for word in instance.spellings)
    }
    for instance in instances:
        if instance.cluster not in plain:
            names.setdefault(instance.cluster, []).append(instance.name)
    word_of = words(names)
    renamed = {
        instance.cluster: word
        for instance in instances
        if (word := dns_name(word_of.get(instance.cluster, ""))) and _is_address(instance)
    }
    taken = {instance.cluster for instance in instances} - set(renamed)
    return [
        instance._replace(
            word=word_of.get(instance.cluster, ""), cluster=renamed.get(instance.cluster, instance.cluster)
        )
        if renamed.get(instance.cluster) not in taken
        else instance._replace(word=word_of.get(instance.cluster, ""))
        for instance in instances
    ]


def _with_one_destination(instances: list[Instance], left: list[CmpError]) -> list[Instance]:
    """Those whose cluster's name stands for one destination only."""
    known: dict[str, Instance] = {}
    for instance in instances:
        if known.setdefault(instance.cluster, instance).destination != instance.destination:
            message = (
                f"Application {instance.name}: {known[instance.cluster].name} calls another destination "
                f"{instance.cluster}, too"
            )
            left.append(InputError(message, instance.at))
    return [instance for instance in instances if known[instance.cluster].destination == instance.destination]


def _is_address(instance: Instance) -> bool:
    return "server" in instance.destination or instance.cluster == IN_CLUSTER_NAME


# --- all of them ---


def _placed(made: Draft, instances: list[Instance], request: ImportRequest, left: list[CmpError]) -> list[Pair]:
    pairs: list[Pair] = []
    names = Counter(instance.name for instance in instances)
    for group in _groups(instances):
        unique = all(names[instance.name] == 1 for instance in group)
        try:
            entry, keyed = place_group(made, group, request, unique)
        except CmpError as error:
            left.extend(flatten([labelled(error, f"Application {group[0].name}")]))
            continue
        for instance, key in keyed:
            cluster = made.clusters[instance.cluster]
            cluster["destination"] = instance.destination
            if instance.helm and instance.helm.release.api_versions:
                versions = cluster.setdefault("kubernetes", {}).setdefault("apiVersions", [])
                versions += [version for version in instance.helm.release.api_versions if version not in versions]
            sources = (
                *((instance.helm.release,) if instance.helm else ()),
                *(Kustomization(path) for path in instance.kustomizations),
                *((Manifests(instance.manifests),) if instance.manifests else ()),
            )
            pairs.append(Pair(instance.cluster, key, sources, instance.at, instance.namespace, entry))
    _share_settings(made)
    return pairs


def _groups(instances: list[Instance]) -> list[list[Instance]]:
    """Instances of one name, and of one chart if they have one, together; in the order of their names.

    A chart of the repository lies beside its service: all its instances are of that one service.
    """
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for instance in sorted(instances, key=lambda instance: (instance.stem, instance.cluster, instance.name)):
        chart = instance.helm.chart if instance.helm else ("", "")
        stem = "" if instance.helm and instance.helm.release.path else instance.stem
        groups.setdefault((*chart, stem), []).append(instance)
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
