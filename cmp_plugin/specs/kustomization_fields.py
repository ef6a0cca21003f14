"""What may stand in a kustomization fragment: Kustomize's own fields, by name and form.

In: a field of `kustomize:` as written. Out: errors at its place. Only the outermost form is looked at:
the rest is Kustomize's to judge, but what we read ourselves (paths, lists of objects) must have a shape.
"""

from __future__ import annotations

from ..errors import InputError, did_you_mean
from ..goyaml.load import Node
from .interpolate import references

TEXTS = (
    "resources components crds configurations generators transformers validators patchesStrategicMerge buildMetadata"
)
MAPS = "patches patchesJson6902 images configMapGenerator secretGenerator labels replacements replicas vars"
ONE_MAP = "metadata generatorOptions commonLabels commonAnnotations openapi sortOptions"
ONE_TEXT = "apiVersion kind namePrefix nameSuffix namespace"
FORMS = {
    **dict.fromkeys(TEXTS.split(), "a list of strings"),
    **dict.fromkeys(MAPS.split(), "a list of maps"),
    **dict.fromkeys(ONE_MAP.split(), "a map"),
    **dict.fromkeys(ONE_TEXT.split(), "a string"),
}
REFUSED = {
    "helmCharts": "use the service's `chart`",
    "helmGlobals": "use the service's `chart`",
    "bases": "use `resources`",
}


def fragment_field(key: str, node: Node, final: bool = False) -> list[InputError]:
    """What is wrong with one field of a fragment; `key+` has the form of `key`.

    A text that is a reference may become anything, unless what it became is `final`.
    """
    name = key.removesuffix("+")
    if name in REFUSED:
        return [InputError(f'"{name}" has no place in a fragment', node.key, REFUSED[name])]
    if name not in FORMS:
        return [InputError(f'unknown key "{name}" in kustomize', node.key, did_you_mean(name, FORMS))]
    if node.value is None or _has_form(node, FORMS[name], final):
        return []
    return [InputError(f"kustomize.{name} must be {FORMS[name]}", node.at)]


def _has_form(node: Node, form: str, final: bool) -> bool:
    value = node.value
    if isinstance(value, str):
        return form == "a string" or (not final and bool(references(value)))
    if isinstance(value, list):
        inner = {"a list of strings": "a string", "a list of maps": "a map"}.get(form)
        return inner is not None and all(_has_form(item, inner, final) for item in value)
    return isinstance(value, dict) and form == "a map"
