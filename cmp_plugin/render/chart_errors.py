"""Helm's errors in the fleet's words: a file of the fleet, the service's label, no values.

In: a failed `helm template` and the service it was for. Out: one error, or one for each value that the
chart's schema refuses, at the line that set it. Reads nothing but the chart's own Chart.yaml.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from ..errors import CmpError, Errors, Location, ToolError
from ..fleet.layers import is_open
from ..fleet.service import Chart, ResolvedService
from ..goyaml.load import load_values
from ..goyaml.node import Node, plain, pointer_steps
from ..system.files import FileTree
from ..tools.helm_errors import HelmError, Reason, Violation
from ..tools.redact import HIDDEN
from .context import RenderContext

# Shorter texts (`prod`, `web`) are words of many a sentence and no secrets.
_SHORTEST_SECRET = 6


def located(error: HelmError, context: RenderContext, chart_path: str) -> CmpError:
    """The same error, or one for each sentence of a values schema, with a place in the fleet."""
    service, tree, directory, _ = context
    reason = error.reason
    assert service.chart is not None
    if reason.violations:
        name = _chart_name(chart_path)
        return _one(
            _tool_error(error, f"{service.label}: {_said(violation)}", at)
            for violation in reason.violations
            for at in [_violation_place(violation, name, service, service.chart)]
        )
    message = reason.message if reason.authored else _without(reason.message, service.values)
    message = tree.relative(message.replace(directory + os.sep, ""))
    at, inner = _place(reason, service.chart, tree)
    return _tool_error(error, f"{service.label}: helm: {inner}{message}", at)


def _tool_error(error: HelmError, message: str, at: Location) -> ToolError:
    return ToolError(
        message,
        at,
        error.hint,
        argv=error.argv,
        exit_code=error.tool_exit_code,
        stderr=error.stderr,
    )


def _one(errors: Iterator[ToolError]) -> CmpError:
    found = list(errors)
    return found[0] if len(found) == 1 else Errors(found)


def _place(reason: Reason, chart: Chart, tree: FileTree) -> tuple[Location, str]:
    """A file of the fleet, or the `chart` field and the file inside the chart as text."""
    if reason.at is None:
        return chart.at, ""
    inner = reason.at.file.partition("/")[2]
    if chart.path and tree.exists(f"{chart.path}/{inner}"):
        return reason.at._replace(file=f"{chart.path[1:]}/{inner}"), ""
    return chart.at, f"{reason.at._replace(file=inner)}: "


def _said(violation: Violation) -> str:
    where = violation.pointer.lstrip("/").replace("/", ".") or "the values"
    return f"the values schema of chart {violation.chart} refuses {where}: {violation.message}"


def _violation_place(violation: Violation, name: str, service: ResolvedService, chart: Chart) -> Location:
    """Where the value stands that the schema refuses; the `chart` field when no layer set it."""
    steps = [] if violation.chart == name else [violation.chart]
    steps += pointer_steps(violation.pointer)
    if unknown := re.match("additional properties '(.*?)'[, ]", violation.message):
        steps.append(unknown[1])
    return written_at(service.values, steps) or chart.at


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
        chart = plain(load_values(opened.read(), "Chart.yaml"))
    return str(chart.get("name", "")) if isinstance(chart, dict) else ""


def _without(message: str, values: Node) -> str:
    """`message` without any text that stands in the values: it may be a secret."""
    for text in sorted({str(string.value) for string in values.strings()}, key=len, reverse=True):
        if len(text) >= _SHORTEST_SECRET and text in message:
            message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, message)
    return message
