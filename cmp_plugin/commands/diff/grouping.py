"""Changes of many clusters, gathered: what is the same everywhere is told once.

In: one service's changes on one cluster each. Out: groups of changes that exactly the same clusters have,
dangers and versions with their clusters. Pure, and the same for any order of the input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from ...render.compare import CHANGED, Field
from ...render.object_key import Key
from .dangers import Danger

# From so many different values on, one field's changes are told as one, with an example.
_MANY = 4
# Labels and annotations by which a chart says its own version or name; `version` alone may select pods.
_CHARTS = ("helm.sh/chart", "chart")
_VERSION = "/version"
_CHECKSUM = "checksum/"


class Found(NamedTuple):
    """One object that differs, of one service on one cluster."""

    cluster: str
    service: str
    key: Key
    change: str
    fields: tuple[Field, ...]
    dangers: tuple[Danger, ...]


class Told(NamedTuple):
    """One field's change. `others`: the same field's other changes, each with its clusters."""

    field: Field
    others: tuple[tuple[Field, tuple[str, ...]], ...] = ()


class Entry(NamedTuple):
    """One object of a group: added or removed as a whole, or with the fields that changed."""

    key: Key
    change: str
    fields: tuple[Told, ...]

    @property
    def is_minor(self) -> bool:
        """Whether nothing but what is minor changed."""
        return self.change == CHANGED and all(is_minor(told.field) for told in self.fields)


class Group(NamedTuple):
    """What of one service changes on exactly these clusters."""

    service: str
    clusters: tuple[str, ...]
    entries: tuple[Entry, ...]


class Warned(NamedTuple):
    """A danger with all clusters that it is on."""

    danger: Danger
    service: str
    key: Key
    clusters: tuple[str, ...]


class Replaced(NamedTuple):
    """A version or an image in place of another: `what` is the chart, or the image's name."""

    service: str
    what: str
    before: str
    after: str
    clusters: tuple[str, ...]


def is_minor(field: Field) -> bool:
    """Whether a field only repeats the chart's version or the sum of something else, or explains a schema."""
    if field.steps[:2] == ("spec", "versions") and field.steps[3:4] == ("schema",):
        return field.steps[-1] == "description" and field.steps[-2] != "properties"
    if field.steps[-3:-1] not in (("metadata", "labels"), ("metadata", "annotations")):
        return False
    key = field.steps[-1]
    return key in _CHARTS or key.endswith(_VERSION) or key.startswith(_CHECKSUM)


def groups(differences: Iterable[Found]) -> list[Group]:
    """Every change once, by service, those on most clusters first."""
    changes: dict[tuple[str, Key, str, str], tuple[Field | None, set[str]]] = {}
    for difference in differences:
        for field in difference.fields or (None,):
            text = json.dumps(field, sort_keys=True, default=repr) if field is not None else ""
            changes.setdefault((difference.service, difference.key, difference.change, text), (field, set()))[1].add(
                difference.cluster
            )
    gathered: dict[tuple[str, tuple[str, ...]], dict[tuple[Key, str], list[Told]]] = {}
    for (service, key, change), told, clusters in _varied(changes):
        fields_of = gathered.setdefault((service, clusters), {})
        fields_of.setdefault((key, change), []).extend([told] if told else [])
    made = []
    for (service, clusters), fields_of in gathered.items():
        entries = [
            Entry(key, change, tuple(sorted(fields, key=lambda told: told.field.steps)))
            for (key, change), fields in fields_of.items()
        ]
        entries.sort(
            key=lambda entry: (entry.key.kind, entry.key.namespace, entry.key.name, entry.key.group, entry.change)
        )
        made.append(Group(service, clusters, tuple(entries)))
    return sorted(made, key=lambda group: (group.service, -len(group.clusters), group.clusters))


# An object of a service, one field's change or None for the whole object, and the clusters that have it.
_Shared = tuple[tuple[str, Key, str], Told | None, tuple[str, ...]]


def _varied(changes: dict[tuple[str, Key, str, str], tuple[Field | None, set[str]]]) -> list[_Shared]:
    """One field with many different changes becomes one change of all of their clusters."""
    of_field: dict[tuple[str, Key, str, tuple[str, ...]], list[tuple[Field, tuple[str, ...]]]] = {}
    listed: list[_Shared] = []
    for (service, key, change, _), (field, clusters) in sorted(changes.items(), key=lambda item: item[0]):
        names = tuple(sorted(clusters))
        if field is None:
            listed.append(((service, key, change), None, names))
        else:
            of_field.setdefault((service, key, change, field.steps), []).append((field, names))
    for (service, key, change, _), variants in of_field.items():
        if len(variants) < _MANY:
            listed += [((service, key, change), Told(field), names) for field, names in variants]
            continue
        variants.sort(key=lambda variant: variant[1])
        union = tuple(sorted({name for _, names in variants for name in names}))
        listed.append(((service, key, change), Told(variants[0][0], tuple(variants)), union))
    return listed


def warned(differences: Iterable[Found]) -> list[Warned]:
    """Every danger once, loudest first."""
    clusters_of: dict[tuple[Danger, str, Key], set[str]] = {}
    for difference in differences:
        for danger in difference.dangers:
            clusters_of.setdefault((danger, difference.service, difference.key), set()).add(difference.cluster)
    made = (Warned(*danger_on, tuple(sorted(clusters))) for danger_on, clusters in clusters_of.items())
    return sorted(
        made,
        key=lambda warning: (warning.danger.rank, warning.service, warning.clusters, warning.key[1:], warning.danger),
    )


def images(differences: Iterable[Found]) -> list[Replaced]:
    """Which image takes another's place, by service."""
    clusters_of: dict[tuple[str, str, str, str], set[str]] = {}
    for difference in differences:
        for field in difference.fields:
            if field.steps[-1] == "image" and isinstance(field.before, str) and isinstance(field.after, str):
                (old, before), (new, after) = _split(field.before), _split(field.after)
                # Of one image the two versions, else the two whole texts.
                same = old == new and before and after
                token = (
                    (difference.service, old, before, after)
                    if same
                    else (difference.service, "", field.before, field.after)
                )
                clusters_of.setdefault(token, set()).add(difference.cluster)
    return [Replaced(*image, tuple(sorted(clusters))) for image, clusters in sorted(clusters_of.items())]


def _split(image: str) -> tuple[str, str]:
    """An image's name, and its tag and digest."""
    name, at, digest = image.partition("@")
    start = name.rfind(":") if name.rfind(":") > name.rfind("/") else len(name)
    return name[:start], name[start + 1 :] + at + digest
