"""What clusters of one label have alike, as a variant of the service: the layer of an environment.

In: a service in the draft whose clusters have labels. Out: the same with `variants`, where one label says it for
several clusters, but not for all. A cluster that gets the label later gets the variant, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .conversion import DEPTHS, Block, Draft, common, dns_name, without

_PREFERRED = ("environment", "env", "stage", "tier")


class _Group(NamedTuple):
    """Clusters with one value of a label, and what their blocks have alike."""

    value: str
    blocks: Sequence[Block]
    shared: Block

    @property
    def gain(self) -> int:
        """How many lines fewer there are."""
        return _size(self.shared) * (len(self.blocks) - 1)


def place_variants(made: Draft, service: str, keys: Iterable[tuple[str, str]]) -> None:
    """Moves what the clusters of one label have alike into variants, by the label that saves most."""
    instances = [(made.clusters[cluster].get("labels", {}), made.block(cluster, key)) for cluster, key in keys]
    names = sorted({name for labels, _ in instances for name in labels})
    offers = {name: _groups(name, instances, service) for name in names}
    gains = {name: sum(group.gain for group in groups) for name, groups in offers.items()}
    best = max(gains, key=lambda name: (gains[name], name in _PREFERRED, name), default="")
    if not best or not gains[best]:
        return
    variants: Block = {}
    for group in offers[best]:
        if group.shared:
            files = {name: value for name, value in group.shared.items() if name == "valuesFiles"}
            inside = [file.removeprefix(f"/services/{service}/") for file in files.get("valuesFiles", [])]
            variants[dns_name(group.value) or "variant"] = {
                "when": {best: group.value},
                **group.shared,
                **({"valuesFiles": inside} if inside else {}),
            }
            for block in group.blocks:
                _take(block, group.shared)
    made.services[service]["variants"] = variants


def _groups(label: str, instances: Sequence[tuple[Block, Block]], service: str) -> list[_Group]:
    values: dict[str, list[Block]] = {}
    for labels, block in instances:
        if label in labels:
            values.setdefault(labels[label], []).append(block)
    return [
        _Group(value, blocks, _shared(blocks, service)) for value, blocks in sorted(values.items()) if len(blocks) > 1
    ]


def _shared(blocks: Sequence[Block], service: str) -> Block:
    """What the blocks have alike and a variant can say."""
    files: list[str] = []
    for column in zip(*(block.get("valuesFiles", []) for block in blocks), strict=False):
        if any(file != column[0] for file in column) or not column[0].startswith(f"/services/{service}/"):
            break
        files.append(column[0])
    shared: Block = {"valuesFiles": files} if files else {}
    more = any(len(block.get("valuesFiles", [])) > len(files) for block in blocks)
    for field in sorted({name for block in blocks for name in block} - {"service", "resources", "valuesFiles"}):
        # Values in a variant lie below the files of the cluster, where they were above.
        if not (field == "values" and more):
            shared |= common(
                [{field: block[field]} if field in block else {} for block in blocks], DEPTHS.get(field, 0) + 1
            )
    return shared


def _take(block: Block, shared: Block) -> None:
    """Removes from a block what the variant says."""
    for field, value in shared.items():
        if field == "valuesFiles":
            left: Any = block[field][len(value) :]
        else:
            left = without({field: block[field]}, {field: value}).get(field)
        if left:
            block[field] = left
        else:
            del block[field]


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return len(value) if isinstance(value, list) else 1
