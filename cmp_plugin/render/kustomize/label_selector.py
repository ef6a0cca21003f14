"""Kubernetes label selectors: `app=web,tier in (a, b),!canary`.

In: the text of a selector. Out: requirements to match a map of labels (or annotations) against. The
grammar is apimachinery's, as in Kustomize's copy (kyaml 0.21.2, k8sgen/pkg/labels).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# Every sign but blanks is in some token, so `findall` loses nothing.
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_SPECIAL = {"=", "==", "!=", "!", "(", ")", ",", "<", ">"}
_NUMBER = re.compile(r"[+-]?[0-9]+")


class Requirement(NamedTuple):
    """One condition: `operator` is `in`, `notin`, `exists`, `!`, `>` or `<`."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the condition is true of `labels`."""
        value = labels.get(self.key)
        if value is None:
            return self.operator in ("notin", "!")
        if self.operator in ("in", "notin"):
            return (value in self.values) is (self.operator == "in")
        if self.operator in ("<", ">"):
            (bound,) = self.values
            if not _NUMBER.fullmatch(value):
                return False
            return int(value) > int(bound) if self.operator == ">" else int(value) < int(bound)
        return self.operator == "exists"


def parse(selector: str) -> tuple[Requirement, ...]:
    """The conditions of a selector, all of which must hold. ValueError says what is not understood."""
    tokens = _TOKEN.findall(selector)
    return tuple(_requirements(iter([*tokens, ","]))) if tokens else ()


def _requirements(tokens: Iterator[str]) -> Iterator[Requirement]:
    for token in tokens:
        if token == "!":
            yield Requirement(_word(next(tokens, "")), "!")
            _end(next(tokens, ""))
        else:
            yield _requirement(_word(token), tokens)


def _requirement(key: str, tokens: Iterator[str]) -> Requirement:
    operator = next(tokens, "")
    if operator == ",":
        return Requirement(key, "exists")
    if operator in ("in", "notin"):
        values = _values(tokens)
        _end(next(tokens, ""))
        return Requirement(key, operator, values)
    if operator not in ("=", "==", "!=", "<", ">"):
        raise ValueError(f'"{operator}" is no operator')
    value = next(tokens, "")
    if value == ",":
        value = ""
    else:
        _word(value)
        _end(next(tokens, ""))
    if operator in ("<", ">"):
        if not _NUMBER.fullmatch(value):
            raise ValueError(f'"{value}" is no whole number')
        return Requirement(key, operator, frozenset([value]))
    return Requirement(key, "notin" if operator == "!=" else "in", frozenset([value]))


def _values(tokens: Iterator[str]) -> frozenset[str]:
    if next(tokens, "") != "(":
        raise ValueError("the values of in and notin stand in parentheses")
    values, value = [], ""
    for token in tokens:
        if token in (",", ")"):
            values.append(value)
            value = ""
            if token == ")":
                return frozenset(values)
        elif value:
            raise ValueError(f'"," is missing before "{token}"')
        else:
            value = _word(token)
    raise ValueError('")" is missing')


def _word(token: str) -> str:
    if not token or token in _SPECIAL:
        raise ValueError(f'"{token}" stands where a name is needed')
    return token


def _end(token: str) -> None:
    if token != ",":
        raise ValueError(f'"," is missing before "{token}"')
