"""A planned cluster -> Argo CD's Applications; a fleet -> its AppProjects and cluster Applications.

In: planned services, fleet.yaml and the commit they come from. Out: plain objects, not yet emitted.
Pure but for the files that `inputs` carries along. The rules are in docs/spec.md, "Applications".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import CmpError, Errors, InputError, Location
from ..fleet.cluster import Cluster, open_cluster
from ..fleet.files import Fleet
from ..fleet.layers import text_field
from ..fleet.plan import PROVISION, Planned, plan, plan_fleet
from ..goyaml.load import Node, plain
from ..specs.rules import NAME
from .inputs import CannotTravel, encode

API = "argoproj.io/v1alpha1"
PLUGIN = "cmp-plugin"
WAVE = "argocd.argoproj.io/sync-wave"
PATHS = "argocd.argoproj.io/manifest-generate-paths"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
IN_CLUSTER = "https://kubernetes.default.svc"
CONFIRM = {"Prune": "confirm", "Delete": "confirm"}
# On an Application itself, what made it asks before it takes it away; in its `syncOptions` it asks
# before it takes away what it made, and nothing else is synced until somebody answers.
CONFIRMED = {SYNC_OPTIONS: ",".join(f"{key}={value}" for key, value in CONFIRM.items())}
USUAL = ("/fleet.yaml", "/profiles", "/services")
NAMESPACE = "argocd"  # where Argo CD's own installation manifests put it
PROJECT = "default"  # the AppProject that every Argo CD has
# What an Application gets where the service's `application` says nothing.
DEFAULTS: dict[str, Any] = {
    "namespace": NAMESPACE,
    "project": PROJECT,
    "syncOptions": {"CreateNamespace": True, "ServerSideApply": True},
    "automated": {"prune": True, "selfHeal": True},
    "finalizers": [FINALIZER],
    "track": "commit",
    "revisionHistoryLimit": 3,  # Argo CD's own is 10; git is the history here
}
RETRY = {"limit": -1, "refresh": True}
MAX_NAME = 253


class Origin(NamedTuple):
    """Where Applications find the fleet: its address, the revision it follows, the commit at hand.

    `commit` is empty when it is not known; `track: commit` then shows the fleet's revision. `prefix` is
    the fleet's directory in its repository, empty or ending in `/`.
    """

    repo_url: str
    revision: str
    commit: str
    prefix: str = ""


def origin_of(fleet: Node, commit: str, prefix: str = "") -> Origin:
    """What fleet.yaml says about its own place. InputError: it has no repoURL."""
    repo = fleet.get("repoURL")
    if repo is None:
        raise InputError("Applications need the fleet's `repoURL`", Location(fleet.at.file))
    revision = fleet.get("targetRevision")
    return Origin(str(repo.value), str(revision.value) if revision else "HEAD", commit, prefix)


def applications_of_cluster(cluster: Cluster, commit: str, prefix: str) -> list[dict[str, Any]]:
    """The Applications of one cluster's services, by wave, then name. Raises Errors."""
    return cluster_applications(cluster, plan(cluster), origin_of(cluster.fleet.spec, commit, prefix))


def applications_of_fleet(fleet: Fleet, commit: str, prefix: str) -> list[dict[str, Any]]:
    """The AppProjects, and one Application per cluster. Raises Errors; names must be unique."""
    names = fleet.names("Cluster")
    planned = plan_fleet(fleet, names)
    if wrong := check_names(planned, names):
        raise Errors(wrong)
    origin = origin_of(fleet.spec, commit, prefix)
    clusters = [fleet_application(open_cluster(fleet, name), origin) for name in names]
    return [*projects(fleet, planned, origin), *clusters]


def cluster_applications(cluster: Cluster, services: Iterable[Planned], origin: Origin) -> list[dict[str, Any]]:
    """One Application per service of a cluster, in the given order. Raises Errors."""
    made: list[dict[str, Any]] = []
    errors: list[CmpError] = []
    if not cluster.facts.destination:
        raise InputError(f"cluster {cluster.name} has no `destination`", cluster.facts.at)
    for planned in services:
        try:
            made.append(_application(cluster, planned, origin))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return made


def application_name(planned: Planned) -> str:
    """`<cluster>-<service>`, or what `application.name` says. InputError: not a valid name."""
    written = planned.resolved.application.get("name")
    name = str(written.value) if written else f"{planned.cluster}-{planned.request.key}"
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        at = written.at if written else planned.request.facts.at
        raise InputError(f'"{name}" is no valid name for an Application', at)
    return name


def manifest_generate_paths(cluster: Cluster, prefix: str = "") -> str:
    """What a cluster's Application depends on: static, since exact lists go stale between commits."""
    return _paths(cluster, ["/services"], prefix)


def _paths(cluster: Cluster, services: list[str], prefix: str) -> str:
    fleet = cluster.fleet
    extra = [directory for directory in fleet.tree.allowed if directory not in USUAL]
    clusters = ["/clusters"] if fleet.provisioned_by(cluster.name) else []
    return _joined([*extra, "/fleet.yaml", "/profiles", *services, *clusters], prefix)


def _joined(paths: Iterable[str], prefix: str) -> str:
    return ";".join([*(f"/{prefix}{path[1:]}".rstrip("/") or "/" for path in paths), "."])


def _application(cluster: Cluster, planned: Planned, origin: Origin) -> dict[str, Any]:
    settings = planned.resolved.application
    service = planned.resolved.service
    source, paths = _source(cluster, planned, origin)
    provisioned = planned.request.key.startswith(PROVISION)
    protected = CONFIRMED if provisioned else {}
    metadata = {
        "name": application_name(planned),
        "namespace": text_field(settings, "namespace") or NAMESPACE,
        "labels": _map(settings, "labels"),
        "annotations": {**protected, **_map(settings, "annotations"), WAVE: str(planned.wave), PATHS: paths},
        "finalizers": _list(settings, "finalizers", DEFAULTS["finalizers"]),
    }
    spec = {
        "project": text_field(settings, "project") or PROJECT,
        "destination": {**cluster.facts.destination, "namespace": service.namespace},
        "source": source,
        "syncPolicy": _sync_policy(settings, CONFIRM if provisioned else {}),
        "revisionHistoryLimit": _value(settings, "revisionHistoryLimit", DEFAULTS["revisionHistoryLimit"]),
        "ignoreDifferences": [plain(rule) for rule in settings.entries("ignoreDifferences").values()],
        "info": _list(settings, "info", []),
    }
    return _object("Application", metadata, spec)


def _object(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": _filled(metadata), "spec": _filled(spec)}


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, which Argo CD would take away again."""
    return {
        key: _filled(value) if isinstance(value, dict) else value
        for key, value in fields.items()
        if value not in ({}, [], "", None)
    }


def _source(cluster: Cluster, planned: Planned, origin: Origin) -> tuple[dict[str, Any], str]:
    """The Application's source and its manifest-generate-paths, in the narrow form where it can be."""
    resolved, request = planned.resolved, planned.request
    track = text_field(resolved.application, "track") or DEFAULTS["track"]
    revision = resolved.revision or (origin.revision if track == "branch" else origin.commit or origin.revision)
    whole = bool(resolved.revision) or track == "branch"
    parameters = {"cluster": cluster.name, "service": request.key}
    inputs = encode(request, resolved.service, whole)
    if isinstance(inputs, CannotTravel):
        if resolved.revision:
            at = resolved.merged.fields.get("revision")
            message = f"{resolved.service.label}: `revision` cannot pin this service: {inputs.reason}"
            raise InputError(message, at.at if at else None)
        if track == "branch":
            return _cluster_source(cluster, origin, revision, parameters)
        source = _plugin_source(origin, revision, f"clusters/{cluster.name}", parameters)
        return source, _paths(cluster, _services_read(planned), origin.prefix)
    parameters["inputs"] = inputs
    return _plugin_source(origin, revision, f"services/{request.entry}", parameters), "."


def _services_read(planned: Planned) -> list[str]:
    """The services' directories that a service depends on which cannot travel; all where that is not known.

    The exact list does not go stale here: it and the commit that it was found at change together, and
    where nothing on it differs between that commit and another, a render of the other reads the same.
    """
    from .source_paths import services_read

    try:
        return services_read(planned.request, planned.resolved.service)
    except CmpError:
        return ["/services"]


def _cluster_source(
    cluster: Cluster, origin: Origin, revision: str, parameters: dict[str, str]
) -> tuple[dict[str, Any], str]:
    """A source in the cluster's directory, and its manifest-generate-paths.

    Argo CD's cache of manifests knows the source, but not the annotation: what was kept for a commit under
    other paths must not count. So paths beyond the usual ones are a part of the source, too.
    """
    paths = manifest_generate_paths(cluster, origin.prefix)
    more = {} if paths == _joined(USUAL, origin.prefix) else {"paths": paths}
    return _plugin_source(origin, revision, f"clusters/{cluster.name}", {**parameters, **more}), paths


def _plugin_source(origin: Origin, revision: str, path: str, parameters: dict[str, str]) -> dict[str, Any]:
    listed = [{"name": name, "string": value} for name, value in parameters.items()]
    plugin: dict[str, Any] = {"name": PLUGIN}
    if listed:
        plugin["parameters"] = listed
    return {"repoURL": origin.repo_url, "targetRevision": revision, "path": origin.prefix + path, "plugin": plugin}


def _sync_policy(settings: Node, extra: dict[str, str]) -> dict[str, Any]:
    defaults = {**DEFAULTS["syncOptions"], **extra}
    written = {key: child.value for key, child in settings.entries("syncOptions").items()}
    options = {key: value for key, value in {**defaults, **written}.items() if value is not None}
    policy: dict[str, Any] = {
        "syncOptions": [
            f"{key}={str(value).lower() if isinstance(value, bool) else value}"
            for key, value in sorted(options.items())
        ]
    }
    automated = _value(settings, "automated", {})
    if automated is not False:
        policy["automated"] = {**DEFAULTS["automated"], **(automated if isinstance(automated, dict) else {})}
    if retry := _map(settings, "retry"):
        policy["retry"] = retry
    return policy


def _map(settings: Node, field: str) -> dict[str, Any]:
    return {key: plain(child) for key, child in settings.entries(field).items()}


def _value(settings: Node, field: str, default: Any) -> Any:
    value = settings.get(field)
    return default if value is None else plain(value)


def _list(settings: Node, field: str, default: list[Any]) -> list[Any]:
    value = _value(settings, field, default)
    return value if isinstance(value, list) else default


def fleet_application(cluster: Cluster, origin: Origin) -> dict[str, Any]:
    """The Application of a whole cluster, called like it; removing the file never wipes the cluster."""
    settings = cluster.fleet.spec.get("application") or Node({}, cluster.facts.at)
    source, paths = _cluster_source(cluster, origin, origin.revision, {})
    namespace = text_field(settings, "namespace") or NAMESPACE
    metadata = {
        "name": cluster.name,
        "namespace": namespace,
        "labels": _map(settings, "labels"),
        "annotations": {**CONFIRMED, **_map(settings, "annotations"), PATHS: paths},
    }
    automated = dict(DEFAULTS["automated"])
    allowed = cluster.spec.get("allow")
    if allowed is not None and allowed.value:
        # Without it Argo CD does not sync when the last service has gone.
        automated["allowEmpty"] = True
    spec = {
        "project": PROJECT,
        "destination": {"server": IN_CLUSTER, "namespace": namespace},
        "source": source,
        "syncPolicy": {"automated": automated, "retry": dict(RETRY)},
    }
    return _object("Application", metadata, spec)


def projects(fleet: Fleet, services: Iterable[Planned], origin: Origin) -> list[dict[str, Any]]:
    """The AppProjects of fleet.yaml; where they name none, exactly the fleet's repository and places."""
    used: dict[str, set[tuple[str, str, str]]] = {}
    for planned in services:
        project = text_field(planned.resolved.application, "project") or PROJECT
        for kind, value in planned.request.facts.destination.items():
            used.setdefault(project, set()).add((kind, value, planned.resolved.service.namespace))
    namespace = _value(fleet.spec.get("application") or fleet.spec, "namespace", NAMESPACE)
    made: list[dict[str, Any]] = []
    for name, node in fleet.spec.entries("projects").items():
        written = plain(node) or {}
        destinations = [{kind: value, "namespace": ns} for kind, value, ns in sorted(used.get(name, ()))]
        spec = {"sourceRepos": [origin.repo_url], "destinations": destinations, **written}
        made.append(
            {"apiVersion": API, "kind": "AppProject", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
        )
    return made


def check_names(services: Iterable[Planned], clusters: Iterable[str]) -> list[CmpError]:
    """Two Applications of one name, anywhere in the fleet."""
    owners = {name: f"cluster {name}" for name in clusters}
    errors: list[CmpError] = []
    for planned in services:
        try:
            name = application_name(planned)
        except CmpError as error:
            errors.append(error)
            continue
        here = f"{planned.cluster}/{planned.request.key}"
        if name in owners:
            errors.append(
                InputError(f"{here}: {owners[name]} has an Application called {name} too", planned.request.facts.at)
            )
        owners.setdefault(name, here)
    return errors
