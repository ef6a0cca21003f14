"""What a chart says about its own values: values.yaml, values.schema.json, and those of its subcharts.

In: a service with a chart, or a chart's directory or archive on this machine. Out: frozen `ChartFiles`.
Nothing is fetched: a chart that is not here is a `NotHere` with the reason. Files of a chart are hostile:
`archive` reads them, within its bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..errors import InputError, Location
from ..fleet.service import Chart, ResolvedService
from ..goyaml.load import Node, load_values
from ..specs.merge import merge_values
from ..system.files import FileTree
from . import archive, lockfile, store, unlocked
from .chart_request import ChartRequest, request_of
from .dependencies import missing
from .limits import MAX_DEPTH
from .locate import locked_charts

_ISTIO = "_internal_defaults_do_not_set"
# Large, and nothing in them is about values: of the chart itself and of the charts in it.
_NOT_READ = re.compile(r"(?:charts/[^/]+/)*(?:crds|ci)/.*")


class NotHere(NamedTuple):
    """Why a chart cannot be looked at: a phrase that begins with the chart's name."""

    reason: str


class ChartFiles(NamedTuple):
    """One chart. Places are `<shown>/values.yaml:LINE`, where `shown` is what it was read as.

    `values`: values.yaml, an empty map where there is none; `schema`: values.schema.json or b"";
    `switches`: dotted paths in the values that Chart.yaml asks (conditions, `tags.x`);
    `files`: every file but crds/ and ci/, by its path below the chart, without the subcharts'.
    """

    name: str
    version: str
    is_library: bool
    values: Node
    schema: bytes
    switches: tuple[str, ...]
    subcharts: tuple[Subchart, ...]
    files: Mapping[str, bytes]


class Subchart(NamedTuple):
    """A chart inside a chart. `key`: under which the parent's values have its values (alias, or name).

    `imports`: (path in its values, path in the parent's), as `import-values` says. `conditions` (dotted
    paths in the parent's values) and `tags` switch it.
    """

    key: str
    chart: ChartFiles
    imports: tuple[tuple[str, str], ...] = ()
    conditions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def chart_files(service: ResolvedService, tree: FileTree) -> ChartFiles | NotHere:
    """The chart of `service`, when it is in the fleet, vendored, or in the cache. Reads no network.

    Raises InputError, at a place in the fleet, for a chart that cannot be read.
    """
    assert service.chart is not None
    return files_of(service.chart, Home(service.entry, service.lock_optional), tree)


class Home(NamedTuple):
    """The catalogue entry whose lock and vendored charts count, and whether an unlocked chart does."""

    entry: str
    lock_optional: bool


def files_of(chart: Chart, home: Home, tree: FileTree) -> ChartFiles | NotHere:
    """The same for a chart of which only the catalogue entry is known."""
    if not chart.path:
        return _elsewhere(request_of(chart), home, tree)
    return _in_fleet(chart.path, chart.at, home, tree, 1)


def _in_fleet(path: str, at: Location, home: Home, tree: FileTree, depth: int) -> ChartFiles | NotHere:
    real, shown = tree.locate(path, at), path[1:]
    chart = read_chart(real, shown, at)
    if not os.path.isdir(real):
        return chart
    if depth > MAX_DEPTH:
        raise InputError(f"charts depend on each other more than {MAX_DEPTH} deep", at)
    others: dict[str, ChartFiles] = {}
    for dependency in missing(path, tree, at):
        if dependency.chart:
            inner = _elsewhere(dependency.chart, home, tree)
        else:
            inner = _in_fleet(dependency.path, at, home, tree, depth + 1)
        if isinstance(inner, NotHere):
            return inner
        others[dependency.name] = inner
    return read_chart(real, shown, at, others) if others else chart


def _elsewhere(request: ChartRequest, home: Home, tree: FileTree) -> ChartFiles | NotHere:
    entry = lockfile.find(locked_charts(home.entry, tree), request)
    if entry is None:
        entry = unlocked.recall(request) if home.lock_optional else None
        if entry is None:
            return NotHere(f"{request} is not locked")
    shown = f"{entry.name}-{entry.version}"
    kept = store.find(entry.digest)
    if kept:
        return read_chart(kept, shown, request.at)
    vendored = f"/services/{home.entry}/charts/{entry.file}"
    if tree.exists(vendored):
        return read_chart(tree.locate(vendored, request.at), shown, request.at)
    return NotHere(f"{request} is not on this machine")


def read_chart(path: str, shown: str, at: Location, others: Mapping[str, ChartFiles] | None = None) -> ChartFiles:
    """The chart in the directory or archive `path`; errors and places call it `shown`.

    `others`: charts that Chart.yaml names and charts/ does not hold, by name. Raises InputError at `at`
    for what is no chart, and at its own place for a values.yaml that Helm could not read.
    """
    try:
        files = archive.read(path, lambda name: not _NOT_READ.fullmatch(name))
    except InputError as error:
        raise archive.chart_error(error, shown, at) from None
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {os.strerror(error.errno or 0)}", at) from None
    if "Chart.yaml" not in files:
        raise InputError(f"{shown} holds no Chart.yaml", at)
    return _chart(files, shown, others or {})


def _chart(files: Mapping[str, bytes], shown: str, others: Mapping[str, ChartFiles]) -> ChartFiles:
    own, charts = archive.parted(files)
    facts = load_values(own.get("Chart.yaml", b""), f"{shown}/Chart.yaml")
    named = {inner.name: inner for inner in others.values()}
    for directory, inner_files in charts.items():
        if "Chart.yaml" in inner_files:
            inner = _chart(inner_files, f"{shown}/charts/{directory.removesuffix('.tgz')}", {})
            named[inner.name] = inner
    dependencies = _dependencies(own, facts, shown)
    return ChartFiles(
        name=facts.as_text("name"),
        version=facts.as_text("version"),
        is_library=facts.as_text("type") == "library",
        values=load_values(own.get("values.yaml", b""), f"{shown}/values.yaml"),
        schema=own.get("values.schema.json", b""),
        switches=tuple(
            switch for dependency in dependencies for switch in (*_conditions(dependency), *_tags(dependency))
        ),
        subcharts=tuple(_subcharts(dependencies, named)),
        files=own,
    )


def _dependencies(own: Mapping[str, bytes], facts: Node, shown: str) -> list[Node]:
    """The entries of `dependencies`: in Chart.yaml, or of old in requirements.yaml."""
    if facts.get("dependencies") is None and "requirements.yaml" in own:
        facts = load_values(own["requirements.yaml"], f"{shown}/requirements.yaml")
    return facts.elements("dependencies")


def _conditions(dependency: Node) -> tuple[str, ...]:
    return tuple(path for part in dependency.as_text("condition").split(",") if (path := part.strip()))


def _tags(dependency: Node) -> tuple[str, ...]:
    return tuple(f"tags.{item.value}" for item in dependency.elements("tags"))


def _subcharts(dependencies: list[Node], named: Mapping[str, ChartFiles]) -> Iterator[Subchart]:
    """Every chart in charts/, under each key that a dependency gives it; Helm takes unnamed ones too."""
    seen: set[str] = set()
    for dependency in dependencies:
        name = dependency.as_text("name")
        seen.add(name)
        if name in named:
            key, imports = dependency.as_text("alias") or name, tuple(_imports(dependency))
            yield Subchart(key, named[name], imports, _conditions(dependency), _tags(dependency))
    for name, chart in named.items():
        if name not in seen:
            yield Subchart(name, chart)


def _imports(dependency: Node) -> Iterator[tuple[str, str]]:
    for item in dependency.elements("import-values"):
        if isinstance(item.value, str):
            yield f"exports.{item.value}", ""
        else:
            yield item.as_text("child"), item.as_text("parent").removeprefix(".")


def top_level(chart: ChartFiles) -> dict[str, Node]:
    """The keys of values.yaml. Istio's charts keep theirs one level down and merge them into .Values themselves."""
    fields = chart.values.entries()
    inner = chart.values.get(_ISTIO)
    if inner is None or not isinstance(inner.value, dict):
        return fields
    return {**inner.value, **{key: child for key, child in fields.items() if key != _ISTIO}}


def defaults(chart: ChartFiles) -> Node:
    """The chart's values.yaml over those of its subcharts, each under its key; `over` keeps what it hides.

    Subcharts that a condition leaves out are in it, nulls stay; `import-values` and `global` are not followed.
    """
    merged = Node({}, chart.values.at)
    for subchart in chart.subcharts:
        below = defaults(subchart.chart)
        merged = merge_values(merged, Node({subchart.key: below}, below.at))
    return merge_values(merged, chart.values)
