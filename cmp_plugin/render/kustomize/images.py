"""Which images in an object `images` would change, as Kustomize decides it.

In: objects, image replacements. Out: which replacement hits what. The rules are Kustomize's (api
0.21.2: filters/imagetag, internal/image, builtinpluginconsts): any `image` of an item of a list called
`containers` or `initContainers`, and image volumes of pods; never in a CustomResourceDefinition. The
name is a regular expression there. Kustomize does the change itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...fleet.service import Image
from ..manifest import mapping
from .selectors import Match, expression

_PLAIN = re.compile(r"[A-Za-z0-9_/:@.-]*")
_REST = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"
_POD_SPECS: tuple[tuple[str, ...], ...] = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
)


def matcher(image: Image) -> Match:
    """Whether a whole image reference is the one that `image` names. InputError: no expression."""
    if _PLAIN.fullmatch(image.name):
        compiled = re.compile(f"{image.name}{_REST}")
        return lambda text: compiled.fullmatch(text) is not None
    return expression(f"^{image.name}{_REST}$", image.name, image.at)


def references(value: dict[str, Any]) -> list[str]:
    """Every image reference of an object that Kustomize looks at."""
    if value.get("kind") == "CustomResourceDefinition":
        return []
    return [*_in_containers(value), *_in_volumes(value)]


def _in_containers(value: Any) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value
    for child in children:
        if isinstance(child, dict | list):
            yield from _in_containers(child)
    if isinstance(value, dict):
        for key in ("containers", "initContainers"):
            found = value.get(key)
            yield from _strings(found, "image") if isinstance(found, list) else ()


def _in_volumes(value: dict[str, Any]) -> Iterator[str]:
    for path in _POD_SPECS:
        found = value
        for key in path:
            found = mapping(found, key)
        volumes = found.get("volumes")
        for volume in volumes if isinstance(volumes, list) else ():
            if isinstance(volume, dict):
                yield from _strings([mapping(volume, "image")], "reference")


def _strings(items: list[Any], key: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict) and isinstance(item.get(key), str):
            yield item[key]


def hits(found: list[str], images: Sequence[tuple[Image, Match]]) -> set[str]:
    """The names of those `images` that change one of an object's references, one after the other."""
    names: set[str] = set()
    for image, matches in images:
        for place, text in enumerate(found):
            if matches(text):
                names.add(image.name)
                found[place] = replaced(text, image)
    return names


def replaced(text: str, image: Image) -> str:
    """The reference that Kustomize writes instead of `text`."""
    name = name_of(text)
    tag, _, digest = text[len(name) :].partition("@")
    tag = tag.removeprefix(":")
    if image.new_tag or image.digest:
        tag, digest = image.new_tag, image.digest
    return (image.new_name or name) + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def name_of(text: str) -> str:
    """A reference without tag and digest."""
    start = text.find("/") + 1
    ends = [place for place in (text.find("@", start), text.find(":", start)) if place >= 0]
    return text[: min(ends, default=len(text))]
