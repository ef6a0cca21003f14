"""The order of a cluster's services: `dependsOn` -> sync waves.

In: the resolved services of one cluster. Out: a wave for each; or errors: unknown names, cycles with
their whole path, explicit waves that contradict a dependency. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import CmpError, Errors, InputError, did_you_mean
from ..goyaml.load import Node
from .resolve import Resolved

LONGEST_CHAIN = 500


def waves(services: Mapping[str, Resolved]) -> dict[str, int]:
    """Service key -> sync wave. Raises Errors naming every wrong dependency."""
    errors: list[CmpError] = []
    known: dict[str, int] = {}

    def wave(key: str, path: tuple[str, ...]) -> int:
        if key not in known:
            below: int | None = None
            for item, name in _dependencies(services[key], services, errors):
                if len(path) == LONGEST_CHAIN:
                    errors.append(InputError(f"dependsOn goes more than {LONGEST_CHAIN} services deep", item.at))
                elif name in path:
                    circle = " -> ".join([*path[path.index(name) :], name])
                    label = services[key].service.label
                    errors.append(InputError(f"{label}: dependsOn goes in a circle: {circle}", item.at))
                else:
                    depth = wave(name, (*path, name))
                    below = depth if below is None else max(below, depth)
            known[key] = _own_wave(services[key], below, errors)
        return known[key]

    for key in services:
        wave(key, (key,))
    if errors:
        raise Errors(errors)
    return known


def _dependencies(
    resolved: Resolved, services: Mapping[str, Resolved], errors: list[CmpError]
) -> list[tuple[Node, str]]:
    dependencies: list[tuple[Node, str]] = []
    for item in resolved.depends_on:
        text = str(item.value)
        name = text.removesuffix("?")
        if name in services:
            dependencies.append((item, name))
        elif name == text:
            hint = did_you_mean(name, services) or f'write "{name}?" if it may be absent'
            label = resolved.service.label
            errors.append(InputError(f'{label}: depends on "{name}", which is not on this cluster', item.at, hint))
    return dependencies


def _own_wave(resolved: Resolved, below: int | None, errors: list[CmpError]) -> int:
    """The wave that is written, or the next; what is wrong with the written one goes to `errors`."""
    written = resolved.application.get("wave")
    lowest = 0 if below is None else below + 1
    if written is None:
        return lowest
    label = resolved.service.label
    if not isinstance(written.value, int) or isinstance(written.value, bool):
        errors.append(InputError(f"{label}: wave must be a whole number", written.at))
        return lowest
    if below is not None and written.value <= below:
        hint = f"write {lowest} or more, or leave it out"
        message = f"{label}: wave {written.value} is not above its dependencies' wave {below}"
        errors.append(InputError(message, written.at, hint))
    return written.value
