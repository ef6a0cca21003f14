"""Helm sources of Applications: which chart, which values in which order, and the same as a service.

In: a source as Argo CD reads it, the repository's files. Out: a `HelmSource`; of several of one chart, fields
for service.yaml and blocks for clusters. Parameters are helm's `--set`: what they mean is asked of helm.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...charts.chart_request import chart_request
from ...charts.obtain import lock_chart
from ...errors import InputError, Location
from ...goyaml.load import Node, dump_values, load_values, node, plain
from ...render.manifest import mapping, text
from ...specs.merge import merge_values
from ...system.files import canonical, within
from ...tools import helm
from ...tools.versions import is_exact
from .conversion import Block, ImportRequest, Release
from .owner import chart_directory

_NULL = "cmp-plugin: this parameter is null"
_PROBE = {
    "Chart.yaml": "apiVersion: v2\nname: probe\nversion: 1.0.0\n",
    "templates/values.yaml": '{{ dict "values" .Values | toJson }}\n',
}
_KNOWN = (
    *("releaseName", "values", "valuesObject", "valueFiles", "parameters", "ignoreMissingValueFiles", "skipCrds"),
    *("namespace", "kubeVersion", "apiVersions", "version", "passCredentials", "skipTests", "skipSchemaValidation"),
)


class HelmSource(NamedTuple):
    """A chart with the values of one Application. `release` is what helm is asked for.

    `files`: (path in the repository or chart, content), lowest first; `values` go over them.
    """

    release: Release
    files: tuple[tuple[str, bytes], ...]
    values: Block

    @property
    def chart(self) -> tuple[str, str]:
        """What makes two of them the same service: repository and name, or the path."""
        return (self.release.repository, self.release.path or self.release.name)


def helm_source(source: dict[str, Any], refs: dict[str, str], release: Release, request: ImportRequest) -> HelmSource:
    """`source` of an Application. `refs`: names of its other sources -> directory; `release` says what is known.

    Raises InputError for what a fleet cannot say.
    """
    options = mapping(source, "helm")
    if unknown := [key for key, value in options.items() if value and key not in _KNOWN]:
        raise InputError(f"helm.{unknown[0]} is not imported", release.at)
    if "$ARGOCD_" in json.dumps(options) or "${ARGOCD_" in json.dumps(options):
        raise InputError("it uses Argo CD's build environment", release.at, "write the values out")
    if text(options, "namespace") not in ("", release.namespace):
        raise InputError("helm.namespace is another one than the destination's", release.at)
    release = _with_chart(source, release, request)
    files = _files(options, refs, release, request)
    values = _inline(options, release.at)
    sets = tuple(_set(parameter) for parameter in options.get("parameters") or [])
    release = release._replace(
        files=(*(content for _, content in files), *((dump_values(values),) if values else ())),
        sets=sets,
        include_crds=options.get("skipCrds") is not True,
        release=text(options, "releaseName") or release.release,
        kube_version=text(options, "kubeVersion") or release.kube_version,
        api_versions=tuple(map(str, options.get("apiVersions") or ())),
    )
    if sets and any("[" in option.partition("=")[2].partition("=")[0] for option in sets):
        # An index changes a list that lies below, so everything is worked out into one.
        merged = _merged([*(content for _, content in files), dump_values(values)], release.at)
        return _checked(HelmSource(release, (), _computed(sets, merged, request)))
    if sets:
        over = node(_computed(sets, {}, request), release.at)
        values = plain(merge_values(node(values, release.at), over))
    return _checked(HelmSource(release, files, values))


def _checked(source: HelmSource) -> HelmSource:
    def appends(value: Any) -> bool:
        if isinstance(value, dict):
            return any(key.endswith("+") or appends(child) for key, child in value.items())
        return isinstance(value, list) and any(map(appends, value))

    if appends(source.values):
        raise InputError("it has a value whose key ends in +", source.release.at, "put it into a values file")
    return source


def _with_chart(source: dict[str, Any], release: Release, request: ImportRequest) -> Release:
    name = text(source, "chart")
    if not name:
        path = canonical(text(source, "path") or ".", "/", release.at)
        if not request.tree.exists(f"{path}/Chart.yaml"):
            raise missing(path, release.at, request)
        request.tree.locate(path, release.at)
        return release._replace(path=path, name=posixpath.basename(path))
    repository = text(source, "repoURL")
    repository = repository if "://" in repository else f"oci://{repository}"
    version = text(source, "targetRevision")
    if not is_exact(version):
        chart = chart_request(repository, name, version.replace("*", "x") or ">=0.0.0", release.at)
        version = lock_chart(chart, request.context)[0].version
    return release._replace(name=name, repository=repository.rstrip("/"), version=version)


def missing(path: str, at: Location, request: ImportRequest) -> InputError:
    """What to say of a path of a git source that is not among the files at hand."""
    hint = "" if request.is_whole else "the source is in no git repository: name the directory that paths begin at"
    return InputError(f"{path[1:]} is not in this repository", at, hint)


def _files(
    options: dict[str, Any], refs: dict[str, str], release: Release, request: ImportRequest
) -> tuple[tuple[str, bytes], ...]:
    files: list[tuple[str, bytes]] = []
    for name in options.get("valueFiles") or []:
        path, content = _file(str(name), refs, release, request)
        if content is not None:
            load_values(content, path.lstrip("/"))
            files.append((path, content))
        elif options.get("ignoreMissingValueFiles") is not True:
            raise InputError(f"the values file {name} does not exist", release.at)
    return tuple(files)


def _file(name: str, refs: dict[str, str], release: Release, request: ImportRequest) -> tuple[str, bytes | None]:
    """A values file of another source, of the repository, or of the chart itself; no content: it is not there."""
    if "://" in name or "*" in name:
        raise InputError(f"the values file {name} is not imported", release.at, "name each file by its path")
    if name.startswith("$"):
        ref, _, below = name.partition("/")
        if ref[1:] not in refs:
            raise InputError(f"the values file {name} names a source that is not there", release.at)
        path = canonical(below, refs[ref[1:]], release.at)
    elif not release.path and not name.startswith("/"):
        directory = os.path.realpath(chart_directory(release, (), request.context))
        path = os.path.realpath(os.path.join(directory, name))
        if not within(path, directory) or not os.path.isfile(path):
            return name, None
        with open(path, "rb") as file:
            return name, file.read()
    else:
        path = canonical(name, release.path, release.at)
    return path, request.tree.read(path, release.at) if request.tree.exists(path) else None


def _inline(options: dict[str, Any], at: Location) -> Block:
    """valuesObject, or else values: Argo CD takes one of them."""
    if isinstance(options.get("valuesObject"), dict):
        return dict(options["valuesObject"])
    return _merged([text(options, "values").encode() + b"\n"], at)


def _merged(contents: Sequence[bytes], at: Location) -> Block:
    """What helm makes of several values files, nulls included."""
    merged = Node({}, at)
    for content in contents:
        merged = merge_values(merged, load_values(content, f"{at.file} (values)"))
    values: Block = plain(merged)
    return values


def _set(parameter: dict[str, Any]) -> str:
    """A parameter as the option of helm's that Argo CD makes of it."""
    value, name = str(parameter.get("value", "")), str(parameter.get("name", ""))
    if not (value.startswith("{") and value.endswith("}")):
        value = "".join(
            "\\," if char == "," and value[max(index - 1, 0)] != "\\" else char for index, char in enumerate(value)
        )
    return f"--set{'-string' if parameter.get('forceString') is True else ''}={name}={value}"


def _computed(sets: Sequence[str], base: Block, request: ImportRequest) -> Block:
    """What helm makes of parameters over `base`, asked with a chart that prints its values."""
    probe = os.path.join(request.context.workdir, "parameters")
    for file, content in {**_PROBE, "values.json": dump_values(_marked(base)).decode()}.items():
        path = os.path.join(probe, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(content)
    # helm drops a null for which the chart has no value, and this chart has none.
    marked = [
        f"--set-string={option[6:-4]}{_NULL}" if option.startswith("--set=") and option.endswith("=null") else option
        for option in sets
    ]
    output = printed_by_probe(request, probe, marked)
    values: Block = _unmarked(json.loads(output[output.index("{") :])["values"])
    return values


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(child) for key, child in value.items()}
    return _NULL if value is None else value


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmarked(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_unmarked(child) for child in value]
    return None if value == _NULL else value


def shared_files(sources: Sequence[HelmSource]) -> int:
    """How many values files all of them begin with alike."""
    columns = zip(*(source.files for source in sources), strict=False)
    count = 0
    for column in columns:
        if any(file != column[0] for file in column):
            break
        count += 1
    return count


def printed_by_probe(request: ImportRequest, chart: str, options: Sequence[str] = ()) -> str:
    """What helm prints for a chart of ours, in the directory `chart` with its values in values.json.

    `options`: further options of helm's. Raises ToolError.
    """
    return helm.template(
        helm.find(request.context.helm_range),
        chart_path=chart,
        release="probe",
        namespace="probe",
        include_crds=False,
        skip_tests=True,
        kube_version=request.kubernetes,
        api_versions=(),
        values_file=os.path.join(chart, "values.json"),
        workdir=request.context.workdir,
        deadline=request.context.deadline,
        more=options,
    ).decode()
