"""One value with its story: who made it, whom that went over, and where what it refers to was set.

In: who said what, and what references see. Out: `Explained`. Pure. A value that is wrong is shown as it
is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from ...errors import CmpError, Location
from ...fleet.value_path import Path
from ...goyaml.load import Node, plain
from ...specs.interpolate import Scope, all_references, interpolated
from .cluster import Variant
from .trails import Keys, Origins, Statement, Trail


class Read(NamedTuple):
    """What a value refers to by `${name}`: its value, and who set it. No trail for what is no setting."""

    name: str
    value: Any
    trail: Trail


class Unmatched(NamedTuple):
    """What a variant says that does not apply to this cluster."""

    variant: Variant
    said: Statement


class Explained(NamedTuple):
    """One value. `state`: a layer `set` it, it is a `default`, or a layer `removed` it.

    `value` is interpolated; `problem` says why it could not be, and then it is as written.
    """

    path: Path
    value: Any
    state: Literal["set", "default", "removed"]
    trail: Trail
    reads: tuple[Read, ...] = ()
    problem: str = ""
    unmatched: tuple[Unmatched, ...] = ()


class Explainer:
    """What makes explained values: `origins` say who set them, `facts` who set what they refer to."""

    def __init__(self, origins: Origins, facts: Origins, scope: Scope) -> None:
        self.origins = origins
        self._facts = facts
        self._scope = scope

    def of(self, keys: Keys, leaf: Node, default: tuple[Statement, ...] = ()) -> Explained:
        """The value `leaf` at `keys`; `default`: what would hold if no layer said anything, highest first."""
        trail = self.origins.trail(keys)
        state: Literal["set", "default", "removed"] = (
            "removed" if trail.removed else "set" if trail.effective else "default"
        )
        value, problem = evaluated(leaf, self._scope)
        names = sorted(
            {name for statement in trail.effective if not statement.literal for name in all_references(statement.node)}
        )
        return Explained(keys, plain(value), state, _over(default, trail), tuple(self._reads(names, set())), problem)

    def value(self, leaf: Node) -> Node:
        """A value interpolated, or as it is written when it cannot be."""
        return evaluated(leaf, self._scope)[0]

    def said_value(self, statement: Statement) -> Any:
        """What one layer says, interpolated where that has a meaning."""
        return plain(statement.node if statement.literal else self.value(statement.node))

    def _reads(self, names: Iterable[str], seen: set[str]) -> Iterator[Read]:
        """What is referred to, and what that refers to in turn; each once."""
        for name in names:
            if name in seen:
                continue
            seen.add(name)
            trail = self._trail_of(name)
            yield Read(name, plain(self.value(Node(f"${{{name}}}", Location("")))), trail)
            deeper = {
                more
                for statement in trail.effective
                if not statement.literal
                for more in all_references(statement.node)
            }
            yield from self._reads(sorted(deeper), seen)

    def _trail_of(self, name: str) -> Trail:
        prefix, _, key = name.partition(".")
        if prefix == "vars":
            return self.origins.trail(("vars", key))
        if name == "service.namespace":
            return self.origins.trail(("namespace",))
        field, _, key = key.partition(".")
        return self._facts.trail((field, key)) if key else Trail((), ())


def _over(default: tuple[Statement, ...], trail: Trail) -> Trail:
    """What layers say, and below them what would hold without: for a list that is only added to, a part of it."""
    if not trail.effective:
        return Trail(default[:1], default[1:])
    if trail.effective[-1].does == "appends":
        return Trail((*trail.effective, *default[:1]), (*trail.overridden, *default[1:]))
    return Trail(trail.effective, (*trail.overridden, *default))


def evaluated(node: Node, scope: Scope) -> tuple[Node, str]:
    """A value interpolated; or as it is written, and why."""
    try:
        return interpolated(node, scope), ""
    except CmpError as error:
        return node, str(error)
