"""`when` against the labels that the fleet's clusters have: a misspelt one silently never applies.

In: services' files and the clusters' labels. Out: warnings with the nearest label or value. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...errors import did_you_mean, there_is
from ...goyaml.load import Node
from .findings import Finding, allowed, warning

Known = Mapping[str, frozenset[str]]


def known_labels(clusters: Iterable[Mapping[str, str]]) -> Known:
    """Label -> the values that any cluster has for it."""
    values_of: dict[str, set[str]] = {}
    for labels in clusters:
        for label, value in labels.items():
            values_of.setdefault(label, set()).add(value)
    return {label: frozenset(values) for label, values in values_of.items()}


def unknown_labels(service: Node, known: Known) -> Iterator[Finding]:
    """What the variants of a service's file ask for and no cluster has."""
    for variant in service.entries("variants").values():
        if "unknown-label" not in allowed(service, variant):
            yield from unknown_in(variant, known)


def unknown_in(variant: Node, known: Known) -> Iterator[Finding]:
    """The same for one variant."""
    for label, wanted in variant.entries("when").items():
        yield from _condition(label, wanted, known)


def _condition(label: str, wanted: Node, known: Known) -> Iterator[Finding]:
    items = wanted.elements() or [wanted]
    negated = str(items[0].value).startswith("!")
    if label not in known:
        # `"!x"` holds where the label is missing, so an unknown one may be meant.
        hint = did_you_mean(label, known) if negated else there_is(label, sorted(known))
        if hint or not negated:
            yield warning("unknown-label", f'no cluster has a label "{label}"', wanted.start, hint)
        return
    for item in items:
        value = str(item.value).removeprefix("!")
        hint = (did_you_mean if negated else there_is)(value, sorted(known[label]))
        if value not in known[label] and (hint or not negated):
            yield warning("unknown-label", f'no cluster has the label {label} with the value "{value}"', item.at, hint)
