"""The order of a cluster's services: `dependsOn` -> sync waves.

In: the resolved services of one cluster. Out: a wave for each; or errors: unknown names, cycles with
their whole path, explicit waves that contradict a dependency. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import CmpError, Errors, InputError, did_you_mean
from .resolve import Resolved
from .specrules import value_of
from .yamlfile import Node


def waves(services: Mapping[str, Resolved]) -> dict[str, int]:
    """Service key -> sync wave. Raises Errors naming every wrong dependency."""
    errors: list[CmpError] = []
    known: dict[str, int] = {}

    def wave(key: str, path: tuple[str, ...]) -> int:
        if key in known:
            return known[key]
        below = -1
        for item, name in _dependencies(services[key], services, errors):
            if name in (*path, key):
                cycle = " -> ".join([*(*path, key)[(*path, key).index(name) :], name])
                raise InputError(f"dependsOn goes in a circle: {cycle}", item.at)
            below = max(below, wave(name, (*path, key)))
        known[key] = _own_wave(services[key], below)
        return known[key]

    for key in services:
        try:
            wave(key, ())
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return known


def _dependencies(
    resolved: Resolved, services: Mapping[str, Resolved], errors: list[CmpError]
) -> list[tuple[Node, str]]:
    found: list[tuple[Node, str]] = []
    for item in resolved.depends_on:
        text = str(item.value)
        name = text.removesuffix("?")
        if name in services:
            found.append((item, name))
        elif name == text:
            hint = did_you_mean(name, services) or f'write "{name}?" if it may be absent'
            label = resolved.service.label
            errors.append(InputError(f'{label}: depends on "{name}", which is not on this cluster', item.at, hint))
    return found


def _own_wave(resolved: Resolved, below: int) -> int:
    written = value_of(resolved.application, "wave")
    if written is None:
        return below + 1
    if not isinstance(written.value, int) or isinstance(written.value, bool):
        raise InputError(f"{resolved.service.label}: wave must be a whole number", written.at)
    if written.value <= below:
        message = f"{resolved.service.label}: wave {written.value} is not above its dependencies' wave {below}"
        raise InputError(message, written.at)
    return written.value
