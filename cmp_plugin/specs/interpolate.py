"""`${cluster.x}`, `${vars.x}`, `${service.x}` in the strings of a spec (docs/spec.md, "Interpolation").

In: nodes and a scope. Out: nodes with the references replaced; a string that is one reference keeps
the value's type. Everything else that looks like a template is left alone. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import CmpError, Errors, InputError, Location, did_you_mean, labelled
from ..goyaml.load import Node

MAX_CHAIN = 64  # vars that refer to vars: far more than anybody writes, and no recursion gets deep
MAX_SIZE = 1 << 20  # characters and parts of one var: ten vars that each hold the next ten times grow without it
REFERENCE = re.compile(r"(\$?)\$\{((?:cluster|vars|service)\.[^}]*)\}")


class Scope(NamedTuple):
    """What references see: `facts` (`cluster.name`, `service.name`, ... -> text) and raw `vars`.

    `absent` names facts that exist as words but have no value here, with the reason.
    """

    facts: Mapping[str, str]
    vars: Mapping[str, Node]
    absent: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """What an error is about: `cluster/service`, or the cluster alone."""
        names = (self.facts.get("cluster.name"), self.facts.get("service.name"))
        return "/".join(name for name in names if name)


def references(text: str) -> list[str]:
    """The names `text` refers to, such as `vars.domain`; escaped ones are none."""
    return [match[2] for match in REFERENCE.finditer(text) if not match[1]]


def all_references(node: Node) -> set[str]:
    """Every name that a string below `node` refers to."""
    texts = (str(string.value) for string in node.strings())
    return {name for text in texts if "${" in text for name in references(text)}


def escaped_text(text: str) -> str:
    """`text` such that interpolation gives it back, references and all."""
    return REFERENCE.sub(r"$\g<0>", text)


def escaped(node: Node) -> Node:
    """The same for every string below `node`: what stands in a values file is no reference."""

    def escape(string: Node) -> Node:
        text = str(string.value)
        return string.with_value(escaped_text(text)) if "${" in text else string

    return node.with_strings(escape)


def interpolated(node: Node, scope: Scope) -> Node:
    """`node` with every reference replaced. Raises Errors naming each reference that has no value."""
    errors: list[CmpError] = []
    run = _Run(scope, {})

    def replaced(string: Node) -> Node:
        text = str(string.value)
        if "${" not in text:
            return string
        try:
            # What a reference stands for has the position of the line that refers to it.
            return string.with_value(_string(text, string.at, run, ()).value)
        except CmpError as error:
            errors.append(labelled(error, scope.label))
            return string

    result = node.with_strings(replaced)
    if errors:
        raise Errors(errors)
    return result


def interpolated_text(text: str, at: Location, scope: Scope) -> str:
    """The same for a string that must stay a string, such as a path."""
    try:
        value = _string(text, at, _Run(scope, {}), ()).value
    except CmpError as error:
        raise labelled(error, scope.label) from None
    if not isinstance(value, str):
        raise InputError(f"{text} is not a string", at)
    return value


class _Run(NamedTuple):
    """One interpolation: each var is resolved once, however often it is referred to."""

    scope: Scope
    known: dict[str, Node]


def _string(text: str, at: Location, run: _Run, pending: tuple[str, ...]) -> Node:
    whole = REFERENCE.fullmatch(text)
    if whole and not whole[1]:
        return _value(whole[2], at, run, pending)

    def replace(match: re.Match[str]) -> str:
        return match[0][1:] if match[1] else _as_text(_value(match[2], at, run, pending), match[2], at)

    return Node(REFERENCE.sub(replace, text), at)


def _value(name: str, at: Location, run: _Run, pending: tuple[str, ...]) -> Node:
    if pending and name.startswith("service."):
        raise InputError(f"a var may refer to cluster.* and other vars, not to ${{{name}}}", at)
    if name in run.scope.facts:
        return Node(run.scope.facts[name], at)
    if name in run.known:
        return run.known[name]
    prefix, _, key = name.partition(".")
    if name in run.scope.absent:
        raise InputError(f"${{{name}}} has no value: {run.scope.absent[name]}", at)
    if prefix != "vars" or key not in run.scope.vars:
        known = [*run.scope.facts, *run.scope.absent, *(f"vars.{var}" for var in run.scope.vars)]
        raise InputError(f"${{{name}}} is not known here", at, did_you_mean(name, known))
    if name in pending:
        cycle = " -> ".join([*pending[pending.index(name) :], name])
        raise InputError(f"vars refer to each other in a cycle: {cycle}", at)
    if len(pending) == MAX_CHAIN:
        raise InputError(f"vars refer to each other more than {MAX_CHAIN} deep", at)
    value = run.scope.vars[key].with_strings(
        lambda string: _string(str(string.value), string.at, run, (*pending, name))
    )
    if _is_larger(value, MAX_SIZE):
        raise InputError(f"${{{name}}} grows to more than {MAX_SIZE >> 10} KiB", at)
    run.known[name] = value
    return value


def _is_larger(node: Node, limit: int) -> bool:
    """Whether a value has more than `limit` characters and parts; stops counting there."""
    pending, size = [node], 0
    while pending and size <= limit:
        part = pending.pop()
        size += len(part.value) if isinstance(part.value, str) else 1
        pending.extend(part.children())
    return size > limit


def _as_text(node: Node, name: str, at: Location) -> str:
    """A value inside a longer string: text as it is, numbers and booleans as YAML writes them."""
    if isinstance(node.value, str):
        return node.value
    if node.value is None or isinstance(node.value, dict | list):
        kind = "empty" if node.value is None else "a map or list"
        raise InputError(f"${{{name}}} is {kind} and cannot be part of a string", at)
    return json.dumps(node.value)
