"""How much a JSON Schema can make of one value: references that multiply would take for ever.

In: a schema as data. Out: the number of evaluations that the worst value of MAX_DEPTH levels causes, up to a bound.
Pure, and itself fast: what several references share is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...goyaml.node import pointer_steps

MAX_DEPTH = 100  # of values, which goyaml.events bounds
_HERE_LISTS = ("allOf", "anyOf", "oneOf")
_HERE = ("not", "if", "then", "else")
_HERE_MAPS = ("dependentSchemas", "dependencies")
_BELOW_MAPS = ("properties", "patternProperties")
_BELOW = (
    *("additionalProperties", "unevaluatedProperties", "propertyNames", "items", "additionalItems"),
    *("unevaluatedItems", "prefixItems", "contains"),
)
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def work(schema: Any, bound: int) -> int:
    """Evaluations, or `bound` when there are as many or it cannot be told."""
    return _Count(schema, bound).of(schema, MAX_DEPTH)


class _Count:
    def __init__(self, root: Any, bound: int) -> None:
        self._root = root
        self._bound = bound
        self._known: dict[tuple[int, int], int] = {}

    def of(self, schema: Any, depth: int) -> int:
        """Evaluations of `schema` by a value with so many levels below it."""
        if not isinstance(schema, dict) or depth < 0:
            return 1
        key = (id(schema), depth)
        if key not in self._known:
            self._known[key] = self._bound  # what comes back here without going down never ends
            total = 1
            for child, deeper in self._children(schema):
                total += self.of(child, depth - deeper)
                if total >= self._bound:
                    break
            self._known[key] = min(total, self._bound)
        return self._known[key]

    def _children(self, schema: dict[str, Any]) -> Iterator[tuple[Any, int]]:
        """Subschemas that a value meets, with 1 for those that its parts meet."""
        for name in _REFERENCES:
            if name in schema:
                yield self._target(str(schema[name])), 0
        for names, deeper in ((_HERE, 0), (_HERE_LISTS, 0), (_HERE_MAPS, 0), (_BELOW, 1), (_BELOW_MAPS, 1)):
            for name in names:
                child = schema.get(name)
                is_map = name in (*_HERE_MAPS, *_BELOW_MAPS)
                if isinstance(child, list) or (is_map and isinstance(child, dict)):
                    yield from (
                        (subschema, deeper) for subschema in (child.values() if isinstance(child, dict) else child)
                    )
                elif child is not None:
                    yield child, deeper

    def _target(self, reference: str) -> Any:
        """What a reference leads to; one that is no pointer may lead anywhere, so also to the whole."""
        if not reference.startswith("#/"):
            return self._root
        target = self._root
        for step in pointer_steps(reference[1:]):
            name = step.replace("%25", "%")
            if isinstance(target, list) and name.isdigit() and int(name) < len(target):
                target = target[int(name)]
            else:
                target = target.get(name) if isinstance(target, dict) else None
        return target
