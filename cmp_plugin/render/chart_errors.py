"""Helm's errors in the fleet's words: a file of the fleet, the service's label, no values.

In: a failed `helm template` and the service it was for. Out: one error, or one for each value that the
chart's schema refuses, at the line that set it. Reads nothing but the chart's own Chart.yaml.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ..errors import CmpError, Errors, Location, ToolError
from ..fleet.layers import is_open
from ..goyaml.load import load_values
from ..goyaml.node import Node, pointer_steps
from ..tools.helm_errors import HelmError, Violation
from ..tools.redact import HIDDEN
from .context import RenderContext

# A heuristic: shorter texts (`prod`, `web`) are words of many a sentence, and cutting them out hides the reason.
_SHORTEST_SECRET = 6


def located(error: HelmError, context: RenderContext, chart_path: str) -> CmpError:
    """The same error, or one for each sentence of a values schema, at a location in the fleet.

    That is a file of a chart in the fleet, the value that the schema refuses, or else the `chart` field.
    """
    service, tree, directory, _ = context
    reason = error.reason
    chart_at = service.chart.at if service.chart else service.at
    if reason.violations:
        name = _chart_name(chart_path)
        errors = [
            _tool_error(
                error,
                f"{service.label}: {_sentence(violation)}",
                _refused_value(violation, name, service.values) or chart_at,
            )
            for violation in reason.violations
        ]
        return errors[0] if len(errors) == 1 else Errors(errors)
    message = reason.message if reason.authored else _without_values(reason.message, service.values)
    message = tree.relative(message.replace(directory + os.sep, ""))
    if reason.at is None:
        return _tool_error(error, f"{service.label}: helm: {message}", chart_at)
    inner = reason.at.file.partition("/")[2]
    if service.chart and service.chart.path and tree.exists(f"{service.chart.path}/{inner}"):
        file = f"{service.chart.path[1:]}/{inner}"
        return _tool_error(error, f"{service.label}: helm: {message}", reason.at._replace(file=file))
    return _tool_error(error, f"{service.label}: helm: {reason.at._replace(file=inner)}: {message}", chart_at)


def _tool_error(error: HelmError, message: str, at: Location) -> ToolError:
    return ToolError(
        message,
        at,
        error.hint,
        argv=error.argv,
        exit_code=error.tool_exit_code,
        stderr=error.stderr,
    )


def _sentence(violation: Violation) -> str:
    where = violation.pointer.lstrip("/").replace("/", ".") or "the values"
    return f"the values schema of chart {violation.chart} refuses {where}: {violation.message}"


def _refused_value(violation: Violation, chart: str, values: Node) -> Location | None:
    """Where a layer sets the value that the schema refuses; None when no layer does."""
    steps = [] if violation.chart == chart else [violation.chart]
    steps += pointer_steps(violation.pointer)
    if unknown := re.match("additional properties '(.*?)'[, ]", violation.message):
        steps.append(unknown[1])
    return written_at(values, steps)


def written_at(values: Node, path: Iterable[str | int]) -> Location | None:
    """Where the value at `path`, or what is nearest above it, was written; None when no layer has any of it.

    A position in a list may be text, as in a JSON pointer. What a layer appends to the chart's own list has other
    positions than in the chart's eyes, so there the list is the nearest.
    """
    node = values
    for step in path:
        inner = node.entries().get(str(step))
        if not is_open(node) and str(step).isdecimal():
            inner = node.find((int(step),)) or inner
        if inner is None:
            break
        node = inner
    return node.start if node is not values else None


def _chart_name(chart_path: str) -> str:
    """The name in Chart.yaml, or "" for an archive."""
    file = os.path.join(chart_path, "Chart.yaml")
    if not os.path.isfile(file):
        return ""
    with open(file, "rb") as opened:
        return load_values(opened.read(), "Chart.yaml").text("name") or ""


def _without_values(message: str, values: Node) -> str:
    """`message` without any text that stands in the values: it may be a secret."""
    for text in sorted({str(string.value) for string in values.strings()}, key=len, reverse=True):
        if len(text) >= _SHORTEST_SECRET and text in message:
            message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, message)
    return message
