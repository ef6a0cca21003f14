"""An object of a render, and a field in it, by the words of a person.

In: rendered objects, words. Out: the object and the field, or what was perhaps meant. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import InputError, nearest
from ...fleet.value_path import ObjectWords, Path, Step, in_quotes, quoted, step_into
from ...render.compare import ABSENT, Absent
from ...render.manifest import Manifest, identity, mapping, text

SECRET_FIELDS = ("data", "stringData")


class Field(NamedTuple):
    """A place in an object: the exact path, and what is there or ABSENT.

    `named`: the path with the names of items that have one, which stays when others come before them.
    """

    path: Path
    value: Any | Absent
    named: Path = ()

    def __str__(self) -> str:
        """`spec.containers[web].image`, which leads to the same field."""
        text = ""
        for step, name in zip(self.path, self.named, strict=True):
            text += f"[{_item(name)}]" if isinstance(step, int) else ("." if text else "") + quoted(step)
        return text


def _item(name: Step) -> str:
    """An item's name or position; a name of digits only is no position."""
    return f'"{name}"' if isinstance(name, str) and name.isdecimal() else quoted(str(name))


def named(manifests: Sequence[Manifest], words: ObjectWords, namespace: str, label: str) -> Manifest:
    """The one object that `words` name; `namespace` is that of objects that name none.

    Raises InputError when there is none, or more than one.
    """
    found = [one for one in manifests if _fits(one.value, words, namespace)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(sorted(str(_words(one.value, namespace)) for one in found))
        raise InputError(f"{label}: there are {len(found)} objects {words}", None, several)
    plain_words = ObjectWords(words.kind, words.name)
    known = {
        str(ObjectWords(each.kind, each.name)): each for one in manifests for each in [_words(one.value, namespace)]
    }
    same_kind = [name for name, each in known.items() if each.kind.lower() == words.kind.lower()]
    close = nearest(str(plain_words), same_kind) or nearest(str(plain_words), known)
    few = f"there is {', '.join(sorted(same_kind))}" if 0 < len(same_kind) <= 10 else ""
    raise InputError(f"{label}: there is no object {words}", None, f'did you mean "{close}"?' if close else few)


def _words(value: dict[str, Any], namespace: str) -> ObjectWords:
    found = identity(value)
    name = found.name or f"{text(mapping(value, 'metadata'), 'generateName')}*"
    return ObjectWords(found.kind, name, found.namespace or namespace, found.group)


def _fits(value: dict[str, Any], words: ObjectWords, namespace: str) -> bool:
    found = _words(value, namespace)
    return (found.kind.lower(), found.name) == (words.kind.lower(), words.name) and all(
        not wanted or wanted == actual
        for wanted, actual in ((words.namespace, found.namespace), (words.group, found.group))
    )


def same(manifests: Sequence[Manifest], wanted: Manifest) -> Manifest | None:
    """The object with the identity of `wanted`."""
    return next((one for one in manifests if _key(one) == _key(wanted)), None)


def renamed(manifests: Sequence[Manifest], wanted: Manifest) -> Manifest | None:
    """The object that is `wanted` under another name or namespace, where only one can be."""
    alike = [one for one in manifests if _key(one)[:2] == _key(wanted)[:2]]
    name = _key(wanted)[2]
    by_name = [one for one in alike if _key(one)[2] == name]
    found = by_name or [one for one in alike if _key(one)[2] in name or name in _key(one)[2]]
    return found[0] if len(found) == 1 else None


def counterpart(manifests: Sequence[Manifest], wanted: Manifest, among: Sequence[Manifest]) -> Manifest | None:
    """The object in the place that `wanted` has `among` those of its kind and source, when there are as many."""
    mine, theirs = _likes(among, wanted), _likes(manifests, wanted)
    return theirs[mine.index(wanted)] if len(mine) == len(theirs) else None


def _likes(manifests: Sequence[Manifest], wanted: Manifest) -> list[Manifest]:
    return [
        one for one in manifests if (one.source, one.value.get("kind")) == (wanted.source, wanted.value.get("kind"))
    ]


def _key(manifest: Manifest) -> tuple[str, str, str, str]:
    found = identity(manifest.value)
    name = found.name or text(mapping(manifest.value, "metadata"), "generateName")
    return found.group, found.kind, name, found.namespace


def field(value: Any, path: Path) -> Field:
    """What is at `path`, whose list items may go by name; ABSENT, and as far as it leads, when nothing is."""
    exact: Path = ()
    names: Path = ()
    while path:
        step = step_into(value, path)
        if step is None:
            return Field((*exact, *path), ABSENT, (*names, *path))
        exact, value, path = (*exact, step.step), step.found, step.rest
        name = value.get("name") if isinstance(value, dict) and isinstance(step.step, int) else None
        names = (*names, name if isinstance(name, str) else step.step)
    return Field(exact, value, names)


def field_of(value: dict[str, Any], path: Path, words: str, label: str) -> Field:
    """A field that is there. Raises InputError with what was perhaps meant."""
    found = field(value, path)
    if not isinstance(found.value, Absent):
        return found
    inner: Any = value
    done: Path = ()
    while (step := step_into(inner, path)) is not None:
        done, inner, path = (*done, step.step), step.found, step.rest
    hint = ""
    if isinstance(inner, dict) and (close := nearest(str(path[0]), inner)):
        hint = f"did you mean {in_quotes((*done, close))}?"
    elif isinstance(inner, list):
        hint = f"the list has {len(inner)} item{'s' if len(inner) != 1 else ''}"
    raise InputError(f"{label}: {words} has no field {in_quotes(found.path)}", None, hint)


def is_secret(value: dict[str, Any], path: Path) -> bool:
    """Whether what is at `path` is not to be shown."""
    return value.get("kind") == "Secret" and (not path or path[0] in SECRET_FIELDS)
