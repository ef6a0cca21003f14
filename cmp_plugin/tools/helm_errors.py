"""What helm printed on stderr, as one error: place, reason, and nothing that may be secret.

In: the stderr of a `helm template` that failed, of Helm 3 or 4. Out: `ToolError`. The texts are those
of Helm's pkg/engine, pkg/chart and pkg/action, of Go's text/template and of the JSON Schema library
that Helm uses. A few of them quote the value that they complain about: that part is cut out.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import Location, ToolError
from ..system.process import Completed
from .redact import clipped, refused, without_values

_LONGEST = 2000  # letters of a message: Argo CD shows all of it on one line


class Reason(NamedTuple):
    """Why helm failed. `at`: a file as helm names it, `<chart's name>/templates/x.yaml`.

    `authored`: the chart's own words (`fail`, `required`). `violations`: JSON pointers into the
    values with what the chart's schema says about them; `chart` is the (sub)chart that says so.
    """

    message: str
    at: Location | None = None
    hint: str = ""
    authored: bool = False
    violations: tuple[Violation, ...] = ()


class Violation(NamedTuple):
    """One sentence of a chart's values schema."""

    chart: str
    pointer: str
    message: str


class HelmError(ToolError):
    """A failed `helm template`, with what its one line was made from."""

    reason: Reason = Reason("")


def failure(argv: Sequence[str], done: Completed) -> HelmError:
    """The error for a helm that ended with an exit code or by a signal."""
    stderr = done.stderr.decode(errors="replace")
    reason = explain(stderr)
    if done.code < 0:
        reason = Reason(f"helm was ended by {signal.Signals(-done.code).name}")
    elif not reason.message:
        reason = Reason(f"helm ended with exit code {done.code}")
    error = HelmError(
        reason.message,
        reason.at,
        reason.hint,
        argv=argv,
        exit_code=done.code,
        stderr=without_values(clipped(stderr)),
    )
    error.reason = reason
    return error


def explain(stderr: str) -> Reason:
    """The reason in a failed helm's stderr; warnings before it and advice after it are left out."""
    before, marker, text = f"\n{stderr}".partition("\nError: ")
    # Of a crash, the first line: the rest is Go's stack.
    text = text.partition("\n\nUse --debug flag")[0].strip() if marker else before.strip().partition("\n")[0]
    text = clipped(text)
    for read in (_schema, _authored, _syntax, _no_yaml, _execution, _chart_file):
        reason = read(text)
        if reason:
            break
    else:
        reason = Reason(text)
    message = " ".join((reason.message if reason.authored else without_values(reason.message)).split())
    return reason._replace(message=message if len(message) <= _LONGEST else f"{message[:_LONGEST]} ...")


_SCHEMA = re.compile(r"values don't meet the specifications of the schema\(s\).*?:\n(.*)", re.DOTALL)
# A line with more indentation is a part of the sentence before it (`oneOf` and its like).
_VIOLATION = re.compile(r"( *)- at '(.*?)': (.*)")
_LOADING = re.compile(r'failing loading "(.*?)": .*')


def _schema(text: str) -> Reason | None:
    match = _SCHEMA.match(text)
    if not match:
        return None
    chart, unread = "", []
    violations: list[Violation] = []
    for line in match[1].splitlines():
        violation = _VIOLATION.fullmatch(line)
        if violation and violation[1] and violations:
            last = violations[-1]
            violations[-1] = last._replace(message=f"{last.message}; {refused(violation[3])}")
        elif violation:
            # The library loses its way with property names: the pointer may be another value's.
            pointer = "" if violation[3].startswith("invalid propertyName") else violation[2]
            violations.append(Violation(chart, pointer, refused(violation[3])))
        elif line.endswith(":") and not line.startswith(" "):
            chart = line[:-1]
        elif line.strip():
            unread.append(_LOADING.sub(r"it refers to \1, which a render does not load", line.strip()))
    violations.sort()  # Helm walks over a map: its order differs from run to run
    sentences = [f"{v.pointer or '/'}: {v.message}" for v in violations] + unread
    message = "the values do not fit the chart's schema: " + "; ".join(sentences)
    return Reason(message, violations=tuple(violations) if not unread else ())


_AUTHORED = re.compile(r"execution error at \((.+?):(\d+):(\d+)\): (.*)", re.DOTALL)
_SYNTAX = re.compile(r"parse error (?:at|in) \((.+?)(?::(\d+))?(?::(\d+))?\): (.*)", re.DOTALL)
_NO_YAML = re.compile(r"YAML parse error on (.+?): (.*)", re.DOTALL)
_BEFORE_YAML = re.compile(r"error (converting YAML to JSON|unmarshaling JSON): |while decoding JSON: |yaml: |json: ")


def _authored(text: str) -> Reason | None:
    match = _AUTHORED.match(text)
    if not match:
        return None
    file, line, column, message = match.groups()
    return Reason(message, Location(file, int(line), int(column)), authored=True)


def _syntax(text: str) -> Reason | None:
    match = _SYNTAX.match(text)
    if not match:
        return None
    file, line, column, message = match.groups()
    return Reason(message, Location(file, int(line or 0), int(column or 1)))


def _no_yaml(text: str) -> Reason | None:
    match = _NO_YAML.match(text)
    if not match:
        return None
    why = _BEFORE_YAML.sub("", match[2])
    why = re.sub(r" into Go (value|struct field \S+) of type .*", "", why, flags=re.DOTALL)
    return Reason(f"what it prints is no Kubernetes object in YAML: {why}", Location(match[1]))


# Helm 4 spreads over three lines what Helm 3 prints as `template: FILE:L:C: executing ...`.
_SPREAD = re.compile(r'^(\S.*:\d+)\n  (executing ".*" at <.*>):\n    ', re.MULTILINE)
_FRAME = re.compile(r'template: ([^\n:]+):(\d+):(\d+): executing "[^\n"]*" at <([^\n]*?)>:\s+')


def _execution(text: str) -> Reason | None:
    text = _SPREAD.sub(r"template: \1: \2: ", text)
    frames = list(_FRAME.finditer(text))
    # What `tpl` renders is no file but a value, and so is the expression in it.
    files = [frame for frame in frames if "/" in frame[1]]
    if not files:
        return None
    first, last = files[0], files[-1]
    if last[1] == first[1] or "nested reference name" in text:
        origin = ""
    else:
        origin = f", included from {first[1].partition('/')[2]}:{first[2]}:{first[3]}"
    at = Location(last[1], int(last[2]), int(last[3]))
    called = "in tpl: " if frames[-1] is not last else ""
    return Reason(called + text[frames[-1].end() :], at, f"at <{last[4]}>{origin}")


_CHART_FILE = re.compile(
    r"(?P<values>cannot load values\.yaml: )|cannot load Chart\.yaml: |Chart\.yaml file is missing"
    r"|validation: chart\.metadata|(?P<name>unable to detect chart at .*)",
)
_DEPENDENCIES = re.compile(r"an error occurred while checking for chart dependencies\..*directory: (.*)", re.IGNORECASE)


def _chart_file(text: str) -> Reason | None:
    if match := _DEPENDENCIES.match(text):
        return Reason(f"dependencies are missing in charts/: {match[1]}", Location("chart/Chart.yaml"))
    match = _CHART_FILE.match(text)
    if not match:
        return None
    if match["values"]:
        why = _BEFORE_YAML.sub("", text[match.end() :])
        return Reason(why.removeprefix("cannot unmarshal yaml document: "), Location("chart/values.yaml"))
    if match["name"]:
        return Reason("Chart.yaml file is missing", Location("chart/Chart.yaml"))
    why = _BEFORE_YAML.sub("", text.removeprefix("cannot load Chart.yaml: "))
    return Reason(why, Location("chart/Chart.yaml"))
