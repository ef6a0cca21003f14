"""What a check finds: an error, or a warning with a name by which an owner can allow it.

In: errors. Out: `Finding`s. `allow: [name]` in a service block lifts a warning about that service,
in fleet.yaml everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ...errors import CmpError, InputError, Location, flatten
from ...goyaml.load import Node

SCHEMA = "the values schema of chart "  # how every such sentence begins, see chart_errors
_LABEL = re.compile(r"([a-z0-9.-]+/[a-z0-9.-]+): ")


class Finding(NamedTuple):
    """`warning`: the warning's name, or "" for an error."""

    error: CmpError
    warning: str = ""

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "warning" if self.warning else "error"

    def __str__(self) -> str:
        if not self.warning:
            return str(self.error)
        position = f"{self.error.at}: " if self.error.at else ""
        return f"{position}warning: {str(self.error).removeprefix(position)} [{self.warning}]"


def warning(name: str, message: str, at: Location | None, hint: str = "") -> Finding:
    """A finding that is no error."""
    return Finding(InputError(message, at, hint), name)


def errors(wrong: Iterable[CmpError]) -> list[Finding]:
    """Errors as findings, those inside of `Errors` one by one."""
    return [Finding(error) for error in flatten(wrong)]


def allowed(*blocks: Node) -> frozenset[str]:
    """The names in `allow` of these blocks."""
    return frozenset(str(item.value) for block in blocks for item in block.elements("allow"))


def without_schemas(rendered: Iterable[Finding], values: Iterable[Finding]) -> list[Finding]:
    """Without what helm says about a values schema where `values` say it of the same service, each at its line."""
    told = {label for finding in values for label, text in [_parted(finding.error.message)] if text.startswith(SCHEMA)}
    parted = ((finding, *_parted(finding.error.message)) for finding in rendered)
    return [finding for finding, label, text in parted if not (label in told and text.startswith(SCHEMA))]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by place; a warning where an error is too says nothing new and is left out.

    What is wrong in one place for several clusters is one finding that names the first.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Finding]]] = {}
    for finding in sorted(findings, key=lambda finding: finding.error.sort_key()):
        label, text = _parted(finding.error.message)
        group = groups.setdefault((finding.error.at, text, finding.error.hint, finding.warning), [])
        group.append((label, finding))
    merged: list[Finding] = []
    for group in groups.values():
        label, first = group[0]
        if others := len({label for label, _ in group}) - 1:
            message = f"{label} and {others} more: {_parted(first.error.message)[1]}"
            first = Finding(InputError(message, first.error.at, first.error.hint), first.warning)
        merged.append(first)
    wrong = {finding.error.at for finding in merged if not finding.warning}
    return [finding for finding in merged if not (finding.warning and finding.error.at in wrong)]


def _parted(message: str) -> tuple[str, str]:
    """`cluster/service` and what comes after it, where a message begins so."""
    match = _LABEL.match(message)
    return (match[1], message[match.end() :]) if match else ("", message)
