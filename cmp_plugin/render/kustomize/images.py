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

# Names for which Go's expressions and Python's say the same; the others need RE2, which costs its import.
_PLAIN = re.compile(r"[A-Za-z0-9_/:@.-]*")
# What may follow the name: a tag, a digest (internal/image, IsImageMatched).
_REST = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"
# Where image volumes are looked for: Pod, what has a template, CronJob (builtinpluginconsts, images).
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
    texts = list(_in_containers(value))
    for path in _POD_SPECS:
        spec = value
        for key in path:
            spec = mapping(spec, key)
        volumes = spec.get("volumes")
        images = (
            [mapping(volume, "image") for volume in volumes if isinstance(volume, dict)]
            if isinstance(volumes, list)
            else []
        )
        texts += [image["reference"] for image in images if isinstance(image.get("reference"), str)]
    return texts


def _in_containers(value: dict[str, Any] | list[Any]) -> Iterator[str]:
    """Deepest lists first, as Kustomize finds them."""
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            yield from _in_containers(child)
    if isinstance(value, dict):
        for key in ("containers", "initContainers"):
            containers = value.get(key)
            for container in containers if isinstance(containers, list) else ():
                if isinstance(container, dict) and isinstance(container.get("image"), str):
                    yield container["image"]


def hits(texts: list[str], images: Sequence[tuple[Image, Match]]) -> set[str]:
    """The names of those `images` that change one of an object's references, one after the other."""
    names: set[str] = set()
    for image, matches in images:
        for position, text in enumerate(texts):
            if matches(text):
                names.add(image.name)
                texts[position] = replaced(text, image)
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
    ends = [end for end in (text.find("@", start), text.find(":", start)) if end >= 0]
    return text[: min(ends, default=len(text))]
