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
        return "warning" if self.warning else "error"

    def __str__(self) -> str:
        if not self.warning:
            return str(self.error)
        place = f"{self.error.at}: " if self.error.at else ""
        return f"{place}warning: {str(self.error).removeprefix(place)} [{self.warning}]"


def warning(name: str, message: str, at: Location | None, hint: str = "") -> Finding:
    """A finding that is no error."""
    return Finding(InputError(message, at, hint), name)


def errors(found: Iterable[CmpError]) -> list[Finding]:
    """Errors as findings, those inside of `Errors` one by one."""
    return [Finding(error) for error in flatten(found)]


def allowed(*blocks: Node) -> frozenset[str]:
    """The names in `allow` of these blocks."""
    return frozenset(str(item.value) for block in blocks for item in block.elements("allow"))


def without_schemas(rendered: Iterable[Finding], values: Iterable[Finding]) -> list[Finding]:
    """Without what helm says about a values schema where `values` say it of the same service, each at its line."""
    told = {label for one in values for label, text in [_parted(one.error.message)] if text.startswith(SCHEMA)}
    parted = ((one, *_parted(one.error.message)) for one in rendered)
    return [one for one, label, text in parted if not (label in told and text.startswith(SCHEMA))]


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by place; a warning where an error is too says nothing new and is left out.

    What is wrong in one place for several clusters is one finding that names the first.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Finding]]] = {}
    for one in sorted(found, key=lambda one: one.error.sort_key()):
        label, text = _parted(one.error.message)
        group = groups.setdefault((one.error.at, text, one.error.hint, one.warning), [])
        group.append((label, one))
    merged = [_merged(group) for group in groups.values()]
    wrong = {one.error.at for one in merged if not one.warning}
    return [one for one in merged if not (one.warning and one.error.at in wrong)]


def _parted(message: str) -> tuple[str, str]:
    """`cluster/service` and what comes after it, where a message begins so."""
    match = _LABEL.match(message)
    return (match[1], message[match.end() :]) if match else ("", message)


def _merged(group: list[tuple[str, Finding]]) -> Finding:
    label, first = group[0]
    others = len({label for label, _ in group}) - 1
    if not others:
        return first
    message = f"{label} and {others} more: {_parted(first.error.message)[1]}"
    return Finding(InputError(message, first.error.at, first.error.hint), first.warning)
