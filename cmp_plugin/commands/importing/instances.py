"""Applications that are one service on several clusters: its name, its files, what differs between them.

In: a group of them. Out: a service and blocks of clusters in the draft, and the key of each instance.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ...errors import InputError, Location
from ...goyaml.load import load_values, plain
from ...render.kustomize.references import directories_of
from ...system.files import within
from .conversion import Block, Draft, ImportRequest, common, dns_name, factored, literal
from .kustomize import files_below
from .naming import without_word
from .releases import HelmSource, shared_files
from .variants import place_variants

NAME_BY_DEFAULT = "${cluster.name}-${service.name}"


class Instance(NamedTuple):
    """One Application. `settings`: its block `application`; paths are canonical in the repository.

    `word`: what the cluster is called in the names of its Applications, if that is known.
    """

    at: Location
    name: str
    cluster: str
    destination: Block
    namespace: str
    settings: Block
    helm: HelmSource | None = None
    kustomizations: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    word: str = ""

    @property
    def gives_objects(self) -> bool:
        """Whether there is anything that could print an object."""
        return bool(self.helm or self.kustomizations or self.manifests)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The cluster's name as it may stand in others."""
        return (self.cluster, self.cluster.replace(".", "-"), self.cluster.partition(".")[0])

    @property
    def stem(self) -> str:
        """The Application's name without the cluster's before or behind it."""
        known = (*self.spellings, self.word)
        return dns_name(without_word(self.name, known)) or dns_name(self.name)


def place_group(
    made: Draft, group: Sequence[Instance], request: ImportRequest, unique: bool
) -> tuple[str, list[tuple[Instance, str]]]:
    """Adds a service and its instances; its name, and the key of each. `unique`: their names are theirs alone.

    Raises InputError before anything is added.
    """
    copied = _copies(group, request)
    entry, keys = _named(made, group)
    keyed = list(zip(group, keys, strict=True))
    made.services[entry] = {}
    for path, data in copied.files.items():
        made.files[f"services/{entry}/{path}"] = data
    for instance, key in keyed:
        block = made.block(instance.cluster, key)
        block |= {"namespace": instance.namespace} if instance.namespace else {}
        block |= {"service": entry} if key != entry else {}
        if instance.settings:
            block["application"] = dict(instance.settings)
    if unique:
        _keep_names(made, entry, keyed)
    _place_charts(made, entry, keyed, request)
    _place_resources(made, entry, keyed, copied)
    shared = shared_files([instance.helm for instance in group if instance.helm])
    own = [content for instance in group if instance.helm for _, content in instance.helm.files[shared:]]
    values = [instance.helm.values for instance in group if instance.helm]
    apart = {"values"} if own and not _clear(common(values), own) else set()
    factored(made, entry, [(instance.cluster, key) for instance, key in keyed], apart)
    place_variants(made, entry, [(instance.cluster, key) for instance, key in keyed])
    return entry, keyed


def _clear(values: Block, files: Sequence[bytes]) -> bool:
    """Whether values mean the same below files as above them: no file says anything about them."""

    def met(low: object, high: object) -> bool:
        if not isinstance(low, dict) or not isinstance(high, dict):
            return True
        return any(met(child, high[key]) for key, child in low.items() if key in high)

    return not any(met(values, plain(load_values(content, "values"))) for content in files)


def _named(made: Draft, group: Sequence[Instance]) -> tuple[str, list[str]]:
    """The service's name, and each instance's key: the same, unless a cluster has two of them."""
    stems = Counter(instance.stem for instance in group)
    alone = max(Counter(instance.cluster for instance in group).values()) == 1
    helm = group[0].helm
    wanted = min(stems, key=lambda stem: (-stems[stem], len(stem), stem))
    if not alone and helm:
        wanted = dns_name(helm.release.name) or wanted
    entry, count = wanted, 2
    while entry in made.services:
        entry, count = f"{wanted}-{count}", count + 1
    taken = {(cluster, key) for cluster, fields in made.clusters.items() for key in fields.get("services", {})}
    keys: list[str] = []
    for instance in group:
        key = entry if alone else instance.stem
        if (instance.cluster, key) in taken:
            key = dns_name(instance.name)
        taken.add((instance.cluster, key))
        keys.append(key)
    return entry, keys


# --- names ---


def _keep_names(made: Draft, entry: str, keyed: Sequence[tuple[Instance, str]]) -> None:
    """Applications and releases go on under their names, said once where they follow a rule."""
    rule = _rule([(instance.cluster, key, instance.name) for instance, key in keyed])
    for instance, key in keyed:
        name = rule or instance.name
        if name != NAME_BY_DEFAULT:
            made.block(instance.cluster, key).setdefault("application", {})["name"] = name


def _rule(names: Sequence[tuple[str, str, str]]) -> str:
    """How all names are made of cluster and key, as a spec would write it; "" when there is no rule."""
    rules = set()
    for cluster, key, name in names:
        rule = f"-{name}-".replace(f"-{cluster}-", "-${cluster.name}-", 1)
        rules.add(rule.replace(f"-{key}-", "-${service.name}-", 1).strip("-"))
    return rules.pop() if len(rules) == 1 else ""


# --- charts ---


def _place_charts(made: Draft, entry: str, keyed: Sequence[tuple[Instance, str]], request: ImportRequest) -> None:
    charts = [(instance, key, instance.helm) for instance, key in keyed if instance.helm]
    if not charts:
        return
    service = made.services[entry]
    service["chart"] = _chart(made, entry, charts[0][2], request)
    versions = Counter(helm.release.version for _, _, helm in charts)
    version = versions.most_common(1)[0][0]
    if version:
        service["version"] = version
    rule = _rule([(instance.cluster, key, helm.release.release) for instance, key, helm in charts])
    _place_files(made, entry, charts)
    for instance, key, helm in charts:
        block = made.block(instance.cluster, key)
        release = helm.release
        block |= {"version": release.version} if release.version != version else {}
        block |= {} if release.include_crds else {"includeCRDs": False}
        if rule != "${service.name}":
            block["releaseName"] = rule or release.release
        block |= {"values": literal(helm.values)} if helm.values else {}


def _chart(made: Draft, entry: str, helm: HelmSource, request: ImportRequest) -> Block:
    release = helm.release
    if release.path:
        for path in files_below(request.tree, release.path):
            made.files[f"services/{entry}/chart/{posixpath.relpath(path, release.path)}"] = request.tree.read(
                path, release.at
            )
        return {"path": "chart"}
    if release.repository.startswith("oci://"):
        return {"oci": f"{release.repository}/{release.name}"}
    return {"repo": release.repository, "name": release.name}


def _place_files(made: Draft, entry: str, charts: Sequence[tuple[Instance, str, HelmSource]]) -> None:
    """Values files of several clusters beside the service, those of one beside its cluster.yaml."""
    shared = shared_files([helm for _, _, helm in charts])
    uses = Counter(path for _, _, helm in charts for path, _ in helm.files)
    contents = Counter(path for path, _ in {file for _, _, helm in charts for file in helm.files})
    names = _short_names([path for path in uses if contents[path] == 1 and (uses[path] > 1 or len(charts) == 1)])
    for number, (instance, key, helm) in enumerate(charts):
        listed: list[str] = []
        for path, content in helm.files:
            inside = helm.release.path and within(path, helm.release.path)
            name = f"values/{names[path]}" if path in names else f"{key}/{posixpath.basename(path)}"
            if inside:
                name = f"chart/{posixpath.relpath(path, helm.release.path)}"
            elif path in names:
                made.files[f"services/{entry}/{name}"] = content
            else:
                name = _beside_cluster(made, instance.cluster, name, content)
            listed.append(
                name if len(listed) < shared or not (inside or path in names) else f"/services/{entry}/{name}"
            )
        if shared and not number:
            made.services[entry]["valuesFiles"] = listed[:shared]
        if listed[shared:]:
            made.block(instance.cluster, key)["valuesFiles"] = listed[shared:]


def _beside_cluster(made: Draft, cluster: str, name: str, content: bytes) -> str:
    """Puts a file below the cluster's directory; its name there, another one where the name is taken."""
    stem, ending = posixpath.splitext(name)
    count, free = 2, name
    while made.files.get(f"clusters/{cluster}/{free}", content) != content:
        count, free = count + 1, f"{stem}-{count}{ending}"
    made.files[f"clusters/{cluster}/{free}"] = content
    return free


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """A file name for each path: the last step, or where that is not enough what tells the paths apart."""
    if len({posixpath.basename(path) for path in paths}) == len(paths):
        return {path: posixpath.basename(path) for path in paths}
    steps = {path: posixpath.splitext(path)[0].strip("/").split("/") for path in paths}
    common_steps = set.intersection(*(set(parts) for parts in steps.values()))
    names = {
        path: "-".join(step for step in parts if step not in common_steps) or "values" for path, parts in steps.items()
    }
    twice = len(set(names.values())) < len(names)
    return {
        path: f"{'-'.join(steps[path]) if twice else name}{posixpath.splitext(path)[1]}" for path, name in names.items()
    }


# --- kustomizations and plain files ---


class _Copies(NamedTuple):
    """`files`: path below the service -> content; `top`: what that path is relative to in the repository."""

    files: dict[str, bytes]
    top: str


def _copies(group: Sequence[Instance], request: ImportRequest) -> _Copies:
    """Everything that the kustomizations and plain files of a group are made of."""
    directories: dict[str, None] = {}
    for instance in group:
        for path in instance.kustomizations:
            directories |= dict.fromkeys(directories_of(path, request.tree, instance.at))
    manifests = [path for instance in group for path in instance.manifests]
    if not directories and not manifests:
        return _Copies({}, "/")
    locations = [*directories, *(posixpath.dirname(path) for path in manifests)]
    top = posixpath.commonpath(locations)
    if "/" in locations:
        hint = "import its tree with `import kustomize`"
        raise InputError("it is made of the whole repository", group[0].at, hint)
    if top in locations:
        top = posixpath.dirname(top)
    paths = {*manifests, *(path for directory in directories for path in files_below(request.tree, directory))}
    return _Copies(
        {posixpath.relpath(path, top): request.tree.read(path, Location(path[1:])) for path in sorted(paths)}, top
    )


def _place_resources(made: Draft, entry: str, keyed: Sequence[tuple[Instance, str]], copied: _Copies) -> None:
    lists = {}
    for instance, key in keyed:
        resources = [f"{posixpath.relpath(path, copied.top)}/" for path in instance.kustomizations]
        lists[instance.cluster, key] = [
            *resources,
            *(posixpath.relpath(path, copied.top) for path in instance.manifests),
        ]
    ruled = {tuple(_by_cluster(path, cluster) for path in paths) for (cluster, _), paths in lists.items()}
    if len(ruled) == 1:
        if paths := ruled.pop():
            made.services[entry]["resources"] = list(paths)
        return
    for (cluster, key), resources in lists.items():
        if resources:
            made.block(cluster, key)["resources"] = [f"/services/{entry}/{path}" for path in resources]


def _by_cluster(path: str, cluster: str) -> str:
    """A path with the cluster's name as a reference."""
    return "/".join("${cluster.name}" if step == cluster else step for step in path.split("/"))
