"""Kustomize's fields: what each one holds, and what it means to a render. The only list of them.

In: the name or the value of a field. Out: its row, its paths, what is wrong with it in a kustomization fragment.
Reads nothing and knows nothing of where a kustomization lies. A field that is new in Kustomize is a new row here,
and everybody who asks follows; a test compares the rows with what the installed Kustomize takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ..errors import InputError, did_you_mean
from ..goyaml.load import Node
from .interpolate import references

TEXT, MAP, TEXTS, MAPS = "a string", "a map", "a list of strings", "a list of maps"

# When Kustomize acts on a field, seen from the `patches` that a service adds to the fragment's own:
#   about    it says how other fields work, or what the kustomization is
#   adds     it makes objects of its own, which the patches then meet
#   before   it changes objects before the patches do
#   after    it changes them after the patches, in the order of the rows
#   prints   it is about the output only
#   chart    it runs helm, which is never Kustomize's task here
Stage = Literal["about", "adds", "before", "after", "prints", "chart"]

# Where a field holds paths, as patterns of `Node.select`.
_ITEMS = (("*",),)
_PATH = (("path",),)
_PATHS = (("*", "path"),)
_SOURCES = (("*", "files", "*"), ("*", "envs", "*"), ("*", "env"))  # of a generator, perhaps `key=path`


class Field(NamedTuple):
    """One field of Kustomize.

    `form`: what it holds, as far as a fragment is checked. `paths`: patterns of the values in it that are paths, or
    YAML written in place. `is_local`: in a kustomization of the repository it changes nothing but what that
    kustomization holds (a generator only while it keeps its names, see `references.keeps_names`); everything else may
    rename objects, and any object may have to follow. `may_rename`: objects may get another name or namespace by it.
    `refused`: why a fragment cannot have it, as a hint.
    """

    form: str
    stage: Stage
    paths: tuple[tuple[str, ...], ...] = ()
    is_local: bool = False
    may_rename: bool = False
    refused: str = ""


_CHART = "use the service's `chart`"
# types.Kustomization of api 0.21.2 with its old names; `after` in the order of target.KustTarget.
FIELDS = {
    "apiVersion": Field(TEXT, "about", is_local=True),
    "kind": Field(TEXT, "about", is_local=True),
    "metadata": Field(MAP, "about", is_local=True),
    "openapi": Field(MAP, "about", _PATH),
    "crds": Field(TEXTS, "about", _ITEMS),
    "configurations": Field(TEXTS, "about", _ITEMS),
    "generatorOptions": Field(MAP, "about", is_local=True),
    "resources": Field(TEXTS, "adds", _ITEMS, is_local=True),
    "bases": Field(TEXTS, "adds", _ITEMS, is_local=True, refused="use `resources`"),
    "configMapGenerator": Field(MAPS, "adds", _SOURCES, is_local=True),
    "secretGenerator": Field(MAPS, "adds", _SOURCES, is_local=True),
    "generators": Field(TEXTS, "adds", _ITEMS),
    "helmCharts": Field(MAPS, "chart", refused=_CHART),
    "helmChartInflationGenerator": Field(MAPS, "chart", refused=_CHART),
    "helmGlobals": Field(MAP, "chart", refused=_CHART),
    "components": Field(TEXTS, "before", _ITEMS, is_local=True, may_rename=True),
    "patchesStrategicMerge": Field(TEXTS, "before", _ITEMS),
    "patches": Field(MAPS, "before", _PATHS, is_local=True, may_rename=True),
    "namespace": Field(TEXT, "after", is_local=True, may_rename=True),
    "namePrefix": Field(TEXT, "after", may_rename=True),
    "nameSuffix": Field(TEXT, "after", may_rename=True),
    "commonLabels": Field(MAP, "after", is_local=True),
    "labels": Field(MAPS, "after", is_local=True),
    "commonAnnotations": Field(MAP, "after", is_local=True),
    "patchesJson6902": Field(MAPS, "after", _PATHS, may_rename=True),
    "replicas": Field(MAPS, "after", is_local=True),
    "imageTags": Field(MAPS, "after", is_local=True, refused="use `images`"),
    "images": Field(MAPS, "after", is_local=True),
    "replacements": Field(MAPS, "after", _PATHS),
    "vars": Field(MAPS, "after"),
    "transformers": Field(TEXTS, "after", _ITEMS, may_rename=True),
    "validators": Field(TEXTS, "after", _ITEMS),
    "sortOptions": Field(MAP, "prints", is_local=True),
    "buildMetadata": Field(TEXTS, "prints"),
}
BUILDS_ON = ("resources", "bases", "components")  # each item is a file or another kustomization
GENERATORS = ("configMapGenerator", "secretGenerator")
PLUGINS = ("generators", "transformers", "validators")  # each item is a plugin's configuration, or leads to some
_ALLOWED = [name for name, field in FIELDS.items() if not field.refused]


def fragment_field(key: str, node: Node, final: bool = False) -> list[InputError]:
    """What is wrong with one field of a fragment; `key+` has the form of `key`.

    Only the outermost form is looked at: the rest is Kustomize's to judge, but what we read ourselves (paths, lists
    of objects) must have a shape. A text that is a reference may become anything, unless what it became is `final`.
    """
    name = key.removesuffix("+")
    field = FIELDS.get(name)
    if field is None:
        return [InputError(f'unknown key "{name}" in kustomize', node.key, did_you_mean(name, _ALLOWED))]
    if field.refused:
        return [InputError(f'"{name}" has no place in a fragment', node.key, field.refused)]
    if node.value is None or _has_form(node, field.form, final):
        return []
    return [InputError(f"kustomize.{name} must be {field.form}", node.at)]


def _has_form(node: Node, form: str, final: bool) -> bool:
    value = node.value
    if isinstance(value, str):
        return form == TEXT or (not final and bool(references(value)))
    if isinstance(value, list):
        inner = {TEXTS: TEXT, MAPS: MAP}.get(form)
        return inner is not None and all(_has_form(item, inner, final) for item in value)
    return isinstance(value, dict) and form == MAP


def paths(name: str, node: Node) -> Iterator[Node]:
    """Every path in the field `name` of a kustomization as it is written, a source's `key=` included."""
    for pattern in FIELDS[name].paths:
        yield from node.select(pattern, any_case=True)


def with_paths(key: str, node: Node, change: Callable[[Node], Node]) -> Node:
    """The field `key` (or `key+`) of a fragment with `change` made to every path in it; a source keeps its `key=`."""
    field = FIELDS.get(key.removesuffix("+"))

    def changed(node: Node) -> Node:
        text = node.text()
        if text is None:
            return node
        if field is None or field.paths is not _SOURCES or "=" not in text:
            return change(node)
        name, _, path = text.partition("=")
        return node.with_value(f"{name}={change(node.with_value(path)).value}")

    for pattern in field.paths if field else ():
        node = node.with_selected(pattern, changed)
    return node
