"""A `chart:` block -> `Chart`: which chart a service has, and where it comes from.

In: a service's merged block, or its service.yaml alone. Out: a `Chart` with its version. Pure; whether there is
such a chart is for charts/ to find out.
"""

from __future__ import annotations

import posixpath

from ..errors import InputError
from ..goyaml.load import Node
from ..specs.interpolate import references
from ..tools.versions import is_exact
from .layers import text_field
from .service import Chart


def chart_of_block(fields: Node) -> Chart | None:
    """The chart of a merged and interpolated block. InputError: a value that is no text, no exact version."""
    block = fields.get("chart")
    if block is None:
        return None
    source = {key: text_field(block, key) for key in block.entries()}
    if "path" in source:
        return Chart(block.at, **source)
    version = fields.get("version")
    if version is None:
        raise InputError("a chart from a repository needs a `version`", block.at)
    if not is_exact(text_field(fields, "version")):
        raise InputError(f'version "{version.value}" is not exact', version.at, 'write one such as "1.2.3"')
    return Chart(block.at, version=text_field(fields, "version"), **source)


def catalogue_chart(spec: Node, entry: str) -> Chart | None:
    """The chart that service.yaml itself names, whatever clusters have instead.

    References stay as they are written; `version` is empty where there is none that is exact.
    """
    block = spec.get("chart")
    if block is None:
        return None
    source = {key: str(child.value) for key, child in block.entries().items() if child.value is not None}
    if "path" in source and not references(source["path"]):
        source["path"] = posixpath.normpath(posixpath.join(f"/services/{entry}", source["path"]))
    version = spec.text("version") or ""
    return Chart(block.at, version=version if is_exact(version) else "", **source)
