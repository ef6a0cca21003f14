"""What differs between two renders of one commit: the work of `randAlphaNum`, `genCA`, `now`.

In: the objects of two renders, in the order they came. Out: which fields of which objects differ, never
their values: those are often generated secrets. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .manifest import described, identity, text


class Difference(NamedTuple):
    """`pointer`: JSON pointer of a field that differs; "" when only one render has the object."""

    object: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.object} {self.pointer}" if self.pointer else f"{self.object} (not in both)"


def differences(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> list[Difference]:
    """Every field that differs, in the order of `first`, deepest fields, each once.

    Objects are compared by what identifies them; those of one kind whose names differ, in their order.
    Where lists have other lengths or maps other keys, the list or the key is the field.
    """
    found: dict[Difference, None] = {}
    for one, other in _pairs(first, second):
        present = one if one is not None else other
        assert present is not None
        label = described(present)
        if one is None or other is None:
            found[Difference(label, "")] = None
        else:
            if identity(one) != identity(other):
                label = f"{text(one, 'kind')} (its name differs)"
            for pointer in _fields(one, other, ""):
                found[Difference(label, pointer)] = None
    return list(found)


_Pair = tuple[dict[str, Any] | None, dict[str, Any] | None]


def _pairs(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> Iterator[_Pair]:
    """What belongs together: same identity first, then same kind, then what has no counterpart."""
    rest: list[dict[str, Any]] = []
    named = _by(second, identity)
    for one in first:
        others = named.get(identity(one))
        if others:
            yield one, others.pop(0)
        else:
            rest.append(one)
    of_kind = _by([other for others in named.values() for other in others], _kind)
    for one in rest:
        others = of_kind.get(_kind(one))
        yield one, others.pop(0) if others else None
    for others in of_kind.values():
        for other in others:
            yield None, other


def _by(
    objects: Iterable[dict[str, Any]], key: Callable[[dict[str, Any]], Hashable]
) -> dict[Hashable, list[dict[str, Any]]]:
    grouped: dict[Hashable, list[dict[str, Any]]] = {}
    for one in objects:
        grouped.setdefault(key(one), []).append(one)
    return grouped


def _kind(value: dict[str, Any]) -> Hashable:
    return identity(value)[:3]


def _fields(one: Any, other: Any, pointer: str) -> Iterator[str]:
    """Pointers of what differs, types included: `1` is not `true`."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            below = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key in one and key in other:
                yield from _fields(one[key], other[key], below)
            else:
                yield below
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _fields(left, right, f"{pointer}/{index}")
    elif type(one) is not type(other) or one != other:
        yield pointer
