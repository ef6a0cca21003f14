"""An object of a render, and a field in it, by the words of a person.

In: rendered objects, words. Out: the object and the field, or what was perhaps meant. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import InputError, nearest
from ...fleet.value_path import ObjectWords, Path, in_quotes, quoted, step_into
from ...render.compare import ABSENT, Absent
from ...render.manifest import Manifest
from ...render.object_key import Key, key_of, scopes_of

SECRET_FIELDS = ("data", "stringData")


class Field(NamedTuple):
    """A position in an object: the exact path, and what is there or ABSENT.

    `named`: the path with the names of items that have one, which stays when others come before them.
    """

    path: Path
    value: Any | Absent
    named: Path = ()

    def __str__(self) -> str:
        """`spec.containers[web].image`, which leads to the same field."""
        text = ""
        for step, name in zip(self.path, self.named, strict=True):
            if not isinstance(step, int):
                text += ("." if text else "") + quoted(step)
            elif isinstance(name, str) and name.isdecimal():
                text += f'["{name}"]'  # a name of digits only, which is not a position
            else:
                text += f"[{quoted(str(name))}]"
        return text


def named(manifests: Sequence[Manifest], words: ObjectWords, namespace: str, label: str) -> Manifest:
    """The one object that `words` name; `namespace` is that of objects that name none.

    Raises InputError when there is none, or more than one.
    """
    scopes = scopes_of(manifest.value for manifest in manifests)
    keys = [key_of(manifest.value, namespace, scopes) for manifest in manifests]
    fitting = [(manifest, key) for manifest, key in zip(manifests, keys, strict=True) if _fits(key, words)]
    if len(fitting) == 1:
        return fitting[0][0]
    if fitting:
        several = ", ".join(
            sorted(str(ObjectWords(key.kind, key.name, key.namespace, key.group)) for _, key in fitting)
        )
        raise InputError(f"{label}: there are {len(fitting)} objects {words}", None, several)
    plain_words = ObjectWords(words.kind, words.name)
    known = {str(ObjectWords(key.kind, key.name)): key for key in keys}
    same_kind = [name for name, key in known.items() if key.kind.lower() == words.kind.lower()]
    close = nearest(str(plain_words), same_kind) or nearest(str(plain_words), known)
    few = f"there is {', '.join(sorted(same_kind))}" if 0 < len(same_kind) <= 10 else ""
    raise InputError(f"{label}: there is no object {words}", None, f'did you mean "{close}"?' if close else few)


def _fits(key: Key, words: ObjectWords) -> bool:
    """Whether `words` name the object; a namespace is no mistake where the kind has none."""
    return (
        (key.kind.lower(), key.name) == (words.kind.lower(), words.name)
        and (not key.namespace or words.namespace in ("", key.namespace))
        and words.group in ("", key.group)
    )


def same(manifests: Sequence[Manifest], wanted: Manifest) -> Manifest | None:
    """The object that is `wanted`, in another render of the service."""
    key = key_of(wanted.value, "", {})
    return next((manifest for manifest in manifests if key_of(manifest.value, "", {}) == key), None)


def renamed(manifests: Sequence[Manifest], wanted: Manifest) -> Manifest | None:
    """The object that is `wanted` under another name or namespace, where only one can be."""
    key = key_of(wanted.value, "", {})
    names = [
        (manifest, candidate.name)
        for manifest in manifests
        if (candidate := key_of(manifest.value, "", {}))[:2] == key[:2]
    ]
    by_name = [manifest for manifest, name in names if name == key.name]
    matches = by_name or [manifest for manifest, name in names if name in key.name or key.name in name]
    return matches[0] if len(matches) == 1 else None


def counterpart(manifests: Sequence[Manifest], wanted: Manifest, among: Sequence[Manifest]) -> Manifest | None:
    """The object at the position that `wanted` has `among` those of its kind and source, when there are as many."""
    mine, theirs = _likes(among, wanted), _likes(manifests, wanted)
    return theirs[mine.index(wanted)] if len(mine) == len(theirs) else None


def _likes(manifests: Sequence[Manifest], wanted: Manifest) -> list[Manifest]:
    return [
        manifest
        for manifest in manifests
        if (manifest.source, manifest.value.get("kind")) == (wanted.source, wanted.value.get("kind"))
    ]


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
    wanted = field(value, path)
    if not isinstance(wanted.value, Absent):
        return wanted
    inner: Any = value
    done: Path = ()
    while (step := step_into(inner, path)) is not None:
        done, inner, path = (*done, step.step), step.found, step.rest
    hint = ""
    if isinstance(inner, dict) and (close := nearest(str(path[0]), inner)):
        hint = f"did you mean {in_quotes((*done, close))}?"
    elif isinstance(inner, list):
        hint = f"the list has {len(inner)} item{'s' if len(inner) != 1 else ''}"
    raise InputError(f"{label}: {words} has no field {in_quotes(wanted.path)}", None, hint)


def is_secret(value: dict[str, Any], path: Path) -> bool:
    """Whether what is at `path` is not to be shown."""
    return value.get("kind") == "Secret" and (not path or path[0] in SECRET_FIELDS)
