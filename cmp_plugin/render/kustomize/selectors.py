"""Which objects a patch's `target` selects, as Kustomize decides it.

In: a target as written, objects. Out: yes or no. The rules are Kustomize's (api 0.21.2, types.Selector
and resmap.Select): regular expressions anchored at both ends, an object without namespace is in
`default`, previous names and namespaces count as well as the current ones. Expressions come from git:
all but plain ones run on RE2, the engine that Go's is made after, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...errors import InputError, Location
from ...goyaml.load import Node
from ..manifest import Identity
from .label_selector import Requirement, parse

# Texts without a sign that means something in an expression: compared as they are, without the import of RE2.
_PLAIN = re.compile(r"[A-Za-z0-9_/:@ -]*")

Match = Callable[[str], bool]


class Selector(NamedTuple):
    """A target, compiled. None and empty mean no condition."""

    group: Match | None = None
    version: Match | None = None
    kind: Match | None = None
    name: Match | None = None
    namespace: Match | None = None
    labels: tuple[Requirement, ...] = ()
    annotations: tuple[Requirement, ...] = ()

    def selects_type(self, current: Identity) -> bool:
        """Whether group, version and kind fit."""
        return (
            _fits(self.group, current.group) and _fits(self.version, current.version) and _fits(self.kind, current.kind)
        )

    def selects_identity(self, current: Identity, original: Identity) -> bool:
        """Whether everything but labels and annotations fits."""
        return (
            self.selects_type(current)
            and (_fits(self.name, original.name) or _fits(self.name, current.name))
            and (_fits(self.namespace, original.scope) or _fits(self.namespace, current.scope))
        )

    def selects_metadata(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> bool:
        """Whether both selectors hold."""
        return all(requirement.holds(labels) for requirement in self.labels) and all(
            requirement.holds(annotations) for requirement in self.annotations
        )


def read_selector(target: Node) -> Selector:
    """The target of a patch. Raises InputError at the field that Kustomize could not read."""
    fields = {key: child for key, child in target.entries().items() if child.value}
    patterns = {
        key: anchored(str(child.value), child.at)
        for key, child in fields.items()
        if key in ("group", "version", "kind", "name", "namespace")
    }
    return Selector(
        **patterns,
        labels=_requirements(fields.get("labelSelector")),
        annotations=_requirements(fields.get("annotationSelector")),
    )


def anchored(pattern: str, at: Location) -> Match:
    """Whether a whole text matches a regular expression. InputError: it is none."""
    if _PLAIN.fullmatch(pattern):
        return pattern.__eq__
    return expression(f"^(?:{pattern})$", pattern, at)


def expression(whole: str, written: str, at: Location) -> Match:
    """Whether `whole`, an expression made of the `written` one, is found in a text."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(whole, options)
    except re2.error:
        raise InputError(f'"{written}" is no regular expression', at) from None
    return lambda text: compiled.search(text) is not None


def _requirements(selector: Node | None) -> tuple[Requirement, ...]:
    if selector is None:
        return ()
    try:
        return parse(str(selector.value))
    except ValueError as error:
        raise InputError(f"the selector cannot be read: {error}", selector.at) from None


def _fits(match: Match | None, text: str) -> bool:
    return match is None or match(text)
