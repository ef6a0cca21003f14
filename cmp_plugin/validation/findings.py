"""What a check finds: an error, or a warning with a name by which an owner can allow it.

In: errors. Out: `Finding`s. `allow: [name]` in a service block lifts a warning about that service,
in fleet.yaml everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import CmpError, InputError, Location, flatten
from ..specrules import value_of
from ..yamlfile import Node


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
    lists = [value_of(block, "allow") for block in blocks]
    return frozenset(
        str(item.value) for found in lists if found and isinstance(found.value, list) for item in found.value
    )


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by place; a warning where an error is too says nothing new and is left out."""
    unique = {str(one): one for one in sorted(found, key=lambda one: one.error.sort_key())}
    wrong = {one.error.at for one in unique.values() if not one.warning}
    return [one for one in unique.values() if not (one.warning and one.error.at in wrong)]
