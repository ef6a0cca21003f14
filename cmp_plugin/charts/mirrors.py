"""Where a chart really comes from: its own address, a mirror's, or a directory.

In: what is wanted, fleet.yaml's `mirrors`, CMP_PLUGIN_CHART_MIRROR. Out: a `Place`. The lock, and
every digest in it, is about the chart's own address; a mirror cannot change what is rendered.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import InputError, Location
from ..system.files import FileTree, canonical, within
from .wanted import Wanted, checked_address

VARIABLE = "CMP_PLUGIN_CHART_MIRROR"


class Place(NamedTuple):
    """`address`: an http(s) or oci repository, or "" for `directory`, which holds an index.yaml.

    `name`: what the chart is called there. `said` names the place in an error: never a path of this
    machine, never a variable's value.
    """

    address: str
    directory: str
    name: str
    said: str
    mirrored: bool

    @property
    def is_oci(self) -> bool:
        return self.address.startswith("oci://")


def place_of(wanted: Wanted, mirrors: tuple[tuple[str, str], ...], tree: FileTree) -> Place:
    """The place to get `wanted` from. The variable wins over fleet.yaml, the longest prefix over others."""
    everything = os.environ.get(VARIABLE)
    if everything:
        return _by_variable(everything, wanted.name)
    for prefix, instead in sorted(mirrors, key=lambda mirror: -len(mirror[0])):
        prefix = prefix.rstrip("/")
        if within(_reference(wanted), prefix):
            return _by_fleet(wanted, prefix, instead, tree)
    return Place(wanted.repository, "", wanted.name, wanted.repository, False)


def _reference(wanted: Wanted) -> str:
    """What a prefix is compared with: a registry's address goes on to the chart, a repository's ends."""
    return f"{wanted.repository}/{wanted.name}" if wanted.is_oci else wanted.repository


def _by_variable(value: str, name: str) -> Place:
    said = f"the mirror that {VARIABLE} names"
    if value.startswith(("http://", "https://", "oci://")):
        return Place(value.rstrip("/"), "", name, said, True)
    directory = os.path.abspath(value)
    if not os.path.isfile(os.path.join(directory, "index.yaml")):
        raise InputError(f"{VARIABLE} names neither an address nor a directory with an index.yaml")
    return Place("", directory, name, said, True)


def _by_fleet(wanted: Wanted, prefix: str, instead: str, tree: FileTree) -> Place:
    at = Location("fleet.yaml")
    if "://" not in instead:
        directory = canonical(instead, "/", at)
        said = f"{directory[1:]}, the mirror of {prefix}"
        return Place("", tree.locate(directory, at), wanted.name, said, True)
    address, name = checked_address(instead, at), wanted.name
    rest = _reference(wanted)[len(prefix) :]
    if not wanted.is_oci:
        address += rest
    elif address.startswith("oci://"):
        address, _, name = (address + rest).rpartition("/")
    return Place(address, "", name, f"{address}, the mirror of {prefix}", True)
