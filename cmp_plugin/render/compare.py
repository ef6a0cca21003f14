"""Two renders of one service, compared: which objects, which fields of them.

In: objects as plain values, and the namespace of those that name none. Out: changes, by object (see
`object_key`) and by path. Nothing of a Secret's data leaves here. Pure; knows no clusters, no files, no output.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..goyaml.dump import dump_json
from .list_keys import item_names
from .object_key import Key, Scopes, key_of, scopes_of

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
# A Secret's data; and what `kubectl apply` leaves on an object, in which a Secret's data is once more.
_HIDDEN_FIELDS = ("data", "stringData")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Charts write sums of what they mount, Secrets too: whoever knows the sum can try passwords.
_CHECKSUM = "checksum/"
# Limits: two lists whose lengths multiply to more are compared as wholes (2,000 equal items against 2,000 take
# 0.3 s), and so is what nests deeper (YAML is read a hundred levels deep at most).
_MOST_PAIRS = 4_000_000
_DEEPEST = 150


class Absent:
    """What stands for a field that is not there, which is not the same as null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


class Field(NamedTuple):
    """One field that differs. `steps` lead to it; an item of a list is a step such as `[app]` or `[0]`.

    `before` or `after` is ABSENT where it is not there. `hidden`: both are ABSENT, though there may be
    something, because it is a secret. `change` says what became of it.
    """

    steps: tuple[str, ...]
    change: str
    before: Any
    after: Any
    hidden: bool = False

    @property
    def path(self) -> str:
        """`spec.containers[app].image`; a key with a dot or another sign stands as `["a.b/c"]`."""
        return "".join(_spelt(step) for step in self.steps).removeprefix(".")


class Change(NamedTuple):
    """One object that differs: `fields` when it is in both renders, else none."""

    key: Key
    change: str
    fields: tuple[Field, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def compared(
    before: Sequence[dict[str, Any]],
    after: Sequence[dict[str, Any]],
    namespaces: tuple[str, str] = ("", ""),
) -> list[Change]:
    """Every object that differs, by kind, namespace and name.

    `namespaces`: where an object without one goes, before and after.
    """
    scopes = scopes_of([*before, *after])
    old, new = (
        dict(_keyed(objects, namespace, scopes)) for objects, namespace in zip((before, after), namespaces, strict=True)
    )
    changes: list[Change] = []
    for key in sorted({*old, *new}, key=lambda key: (key.kind, key.namespace, key.name, key.group)):
        old_object, new_object = old.get(key), new.get(key)
        if old_object is None or new_object is None:
            changes.append(Change(key, ADDED if old_object is None else REMOVED, (), old_object, new_object))
        elif fields := compared_values(old_object, new_object):
            changes.append(Change(key, CHANGED, tuple(fields), old_object, new_object))
    return changes


def compared_values(before: Any, after: Any) -> list[Field]:
    """Every field that differs between two values; none exactly when they are the same."""
    return list(_differing((), before, after))


def randomness(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> list[str]:
    """What differs between two renders of one commit, the work of `randAlphaNum`, `genCA`, `now`: object and field.

    Names may be random, too: objects of a kind that only one render has are compared in their order.
    """
    changes = compared(first, second)
    added: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        if change.change == ADDED:
            added.setdefault(change.key[:2], []).append(change)
    differences: list[str] = []
    for change in changes:
        counterparts = added.get(change.key[:2])
        if change.change == CHANGED:
            differences += [f"{change.key.kind}/{change.key.name} {field.path}" for field in change.fields]
        elif change.change == REMOVED and counterparts:
            fields = compared_values(change.before, counterparts.pop(0).after)
            differences += [f"{change.key.kind} (its name differs) {field.path}" for field in fields]
        elif change.change == REMOVED:
            differences.append(f"{change.key.kind}/{change.key.name} (not in both)")
    alone = [f"{key.kind}/{key.name} (not in both)" for changes in added.values() for key, *_ in changes]
    return list(dict.fromkeys(differences + alone))


def _keyed(objects: Iterable[dict[str, Any]], namespace: str, scopes: Scopes) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Objects by key; several with one generateName are told apart by their order."""
    seen: dict[Key, int] = {}
    for value in objects:
        key = key_of(value, namespace, scopes)
        count = seen[key] = seen.get(key, 0) + 1
        yield key if count == 1 else key._replace(name=f"{key.name}#{count}"), value


def _differing(steps: tuple[str, ...], before: Any, after: Any) -> Iterator[Field]:
    if isinstance(before, dict) and isinstance(after, dict) and len(steps) < _DEEPEST:
        secret = _is_secret(before) or _is_secret(after)
        for key in sorted({*before, *after}):
            hidden = key == _LAST_APPLIED or key.startswith(_CHECKSUM) or (secret and key in _HIDDEN_FIELDS)
            differ = _hidden if hidden else _differing
            yield from differ((*steps, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and len(steps) < _DEEPEST:
        yield from _differing_items(steps, before, after)
    elif not _same(before, after):
        yield Field(steps, _change(before, after), masked(before), masked(after))


def _change(before: Any, after: Any) -> str:
    return ADDED if before is ABSENT else REMOVED if after is ABSENT else CHANGED


def _same(first: Any, second: Any) -> bool:
    """Whether two values are written the same in JSON: 1 is neither 1.0 nor true."""
    if first is ABSENT or second is ABSENT:
        return first is second
    return type(first) is type(second) and (
        first == second if isinstance(first, str) else dump_json(first) == dump_json(second)
    )


# --- lists ---


def _differing_items(steps: tuple[str, ...], before: list[Any], after: list[Any]) -> Iterator[Field]:
    if _same(before, after):
        return
    names = item_names(steps[-1] if steps else "", before, after)
    if names is not None:
        yield from _by_name(steps, dict(zip(names[0], before, strict=True)), dict(zip(names[1], after, strict=True)))
    elif len(before) * len(after) > _MOST_PAIRS:
        yield Field(steps, CHANGED, masked(before), masked(after))
    else:
        yield from _by_place(steps, before, after)


def _by_name(steps: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[Field]:
    for name in (*before, *(name for name in after if name not in before)):
        yield from _differing((*steps, f"[{name}]"), before.get(name, ABSENT), after.get(name, ABSENT))
    kept = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if kept != order:
        yield Field((*steps, "[order]"), CHANGED, kept, order)


def _by_place(steps: tuple[str, ...], before: list[Any], after: list[Any]) -> Iterator[Field]:
    """What a longest common subsequence leaves; items that took each other's place are compared."""
    old, new = ([dump_json(item) for item in items] for items in (before, after))
    for kind, start, end, low, high in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        pairs = min(end - start, high - low)
        for step in range(pairs):
            yield from _differing((*steps, f"[{low + step}]"), before[start + step], after[low + step])
        for position in range(start + pairs, end):
            yield from _differing((*steps, f"[{position}]"), before[position], ABSENT)
        for position in range(low + pairs, high):
            yield from _differing((*steps, f"[{position}]"), ABSENT, after[position])


# --- secrets ---


def _is_secret(value: Mapping[str, Any]) -> bool:
    """A Secret, also one inside of another object, as a composite or a template holds it."""
    return value.get("kind") == "Secret"


def _hidden(steps: tuple[str, ...], before: Any, after: Any) -> Iterator[Field]:
    """Which keys of what must not be seen differ, and never how."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _hidden((*steps, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif not _same(before, after):
        yield Field(steps, _change(before, after), ABSENT, ABSENT, True)


def masked(value: Any, depth: int = 0) -> Any:
    """A value in which no Secret has any data left; what nests very deep is left out."""
    if depth > _DEEPEST:
        return "(deeper)"
    if isinstance(value, list):
        return [masked(child, depth + 1) for child in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for key, child in value.items():
        if key == _LAST_APPLIED or key.startswith(_CHECKSUM):
            shown[key] = "(hidden)"
        elif key in _HIDDEN_FIELDS and _is_secret(value):
            shown[key] = dict.fromkeys(child, "(hidden)") if isinstance(child, dict) else "(hidden)"
        else:
            shown[key] = masked(child, depth + 1)
    return shown


# --- paths ---


def _spelt(step: str) -> str:
    if step.startswith("["):
        return step
    return f".{step}" if step.replace("-", "").replace("_", "").isalnum() else f'["{step}"]'
