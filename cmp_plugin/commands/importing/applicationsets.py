"""ApplicationSets -> the Applications that Argo CD makes of them.

In: an ApplicationSet, what Argo CD knows of clusters, the repository's files. Out: Applications at its place.
Plain templates are filled here; Go templates by helm, whose engine and functions they share.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...argocd.applications import FINALIZER, NAMESPACE
from ...errors import InputError, ToolError
from ...goyaml.load import dump_values
from ...render.manifest import mapping, text
from .application_files import Found
from .conversion import Block, ImportRequest
from .generators import ClusterSecret, Generators, at_path
from .releases import printed_by_probe

_PLAIN = re.compile(r"\{\{\s*([\w.\[\]/-]+)\s*\}\}")
_NO_TEMPLATE = {
    "template",
    "generators",
    "goTemplate",
    "goTemplateOptions",
    "syncPolicy",
    "strategy",
    "preservedFields",
    "ignoreApplicationDifferences",
}


def applications_of(applicationset: Found, clusters: Sequence[ClusterSecret], request: ImportRequest) -> list[Found]:
    """The Applications of one ApplicationSet. Raises InputError for what cannot be known from the files."""
    spec = mapping(applicationset.value, "spec")
    if more := sorted(key for key in set(spec) - _NO_TEMPLATE if spec[key]):
        raise InputError(f"spec.{more[0]} is not imported", applicationset.at)
    go = spec.get("goTemplate") is True

    def fill(value: Any, parameters: Block) -> Any:
        return _by_helm(value, [parameters], request)[0] if go else _plain(value, parameters)

    parameters = Generators(clusters, request, applicationset.at, fill).all_of(spec.get("generators"))
    if not parameters:
        raise InputError(
            "it makes no Application of the files and clusters at hand",
            applicationset.at,
            "Secrets in the source tell of clusters",
        )
    template = mapping(spec, "template")
    try:
        filled = _by_helm(template, parameters, request) if go else [_plain(template, values) for values in parameters]
    except ToolError as error:
        raise InputError(f"its template is not understood: {error.message}", applicationset.at) from None
    return [Found(_application(applicationset, application), applicationset.at) for application in filled]


def _application(applicationset: Found, template: Block) -> Block:
    metadata = {
        "namespace": text(mapping(applicationset.value, "metadata"), "namespace") or NAMESPACE,
        **mapping(template, "metadata"),
    }
    kept = mapping(mapping(applicationset.value, "spec"), "syncPolicy").get("preserveResourcesOnDeletion") is True
    if not metadata.get("finalizers") and not kept:
        metadata["finalizers"] = [FINALIZER]
    return {
        "apiVersion": applicationset.value["apiVersion"],
        "kind": "Application",
        "metadata": metadata,
        "spec": mapping(template, "spec"),
    }


def _plain(value: Any, parameters: Block) -> Any:
    """`{{a.b}}` in every text; what there is no parameter for stays, as in Argo CD."""

    def replaced(match: re.Match[str]) -> str:
        seen = at_path(parameters, match[1])
        if seen is None or isinstance(seen, dict | list):
            return match[0]
        return seen if isinstance(seen, str) else json.dumps(seen)

    return _mapped(value, lambda text_: _PLAIN.sub(replaced, text_))


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _mapped(child, change) for key, child in value.items()}
    return [_mapped(child, change) for child in value] if isinstance(value, list) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and "{{" in value:
        yield value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(key)
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)


def _by_helm(value: Any, parameters: Sequence[Block], request: ImportRequest) -> list[Any]:
    """`value` once for each set of parameters, every text of it a Go template with them as its dot."""
    texts = list(dict.fromkeys(_texts(value)))
    if not texts or not parameters:
        return [value for _ in parameters]
    blocks = "".join(f'{{{{ define "text{number}" }}}}{text_}{{{{ end }}}}' for number, text_ in enumerate(texts))
    calls = " ".join(f'(include "text{number}" .)' for number in range(len(texts)))
    lines = f"filled{{{{ $number }}}}: {{{{ list {calls} | toJson }}}}"
    page = f"{blocks}\n{{{{ range $number, $one := .Values.parameters }}}}\n{lines}\n{{{{ end }}}}\n"
    chart = os.path.join(request.context.workdir, "templates-probe")
    files = {
        "Chart.yaml": b"apiVersion: v2\nname: probe\nversion: 1.0.0\n",
        "templates/page.yaml": page.encode(),
        "values.json": dump_values({"parameters": list(parameters)}),
    }
    for name, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(chart, name)), exist_ok=True)
        with open(os.path.join(chart, name), "wb") as file:
            file.write(content)
    output = printed_by_probe(request, chart)
    filled = [json.loads(match[1]) for match in re.finditer(r"^filled\d+: (.*)$", output, re.MULTILINE)]
    known = [dict(zip(texts, rendered, strict=True)) for rendered in filled]
    return [_mapped(value, lambda text_, of=of: of.get(text_, text_)) for of in known]
