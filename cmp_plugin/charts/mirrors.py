"""Where a chart really comes from: its own address, a mirror's, or a directory.

In: what is requested, fleet.yaml's `mirrors`, CMP_PLUGIN_CHART_MIRROR. Out: a `ChartSource`. The lock, and
every digest in it, is about the chart's own address; a mirror cannot change what is rendered.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import InputError, Location
from ..system.files import FileTree, canonical, within
from .chart_request import ChartRequest, checked_address

VARIABLE = "CMP_PLUGIN_CHART_MIRROR"


class ChartSource(NamedTuple):
    """`address`: an http(s) or oci repository, or "" for `directory`, which holds an index.yaml.

    `name`: what the chart is called there. `said` names the source in an error: never a path of this
    machine, never a variable's value.
    """

    address: str
    directory: str
    name: str
    said: str
    mirrored: bool

    @property
    def is_oci(self) -> bool:
        """Whether the source is an OCI registry."""
        return self.address.startswith("oci://")


def source_of(request: ChartRequest, mirrors: tuple[tuple[str, str], ...], tree: FileTree) -> ChartSource:
    """The source to get `request` from. The variable wins over fleet.yaml, the longest prefix over others.

    InputError: what the variable or fleet.yaml names is no mirror.
    """
    everything = os.environ.get(VARIABLE)
    if everything:
        said = f"the mirror that {VARIABLE} names"
        if everything.startswith(("http://", "https://", "oci://")):
            return ChartSource(everything.rstrip("/"), "", request.name, said, True)
        directory = os.path.abspath(everything)
        if not os.path.isfile(os.path.join(directory, "index.yaml")):
            raise InputError(f"{VARIABLE} names neither an address nor a directory with an index.yaml")
        return ChartSource("", directory, request.name, said, True)
    # What a prefix is compared with: a registry's address goes on to the chart, a repository's ends.
    address = f"{request.repository}/{request.name}" if request.is_oci else request.repository
    for prefix, instead in sorted(mirrors, key=lambda mirror: -len(mirror[0])):
        mirrored = prefix.rstrip("/")
        if within(address, mirrored):
            return _mirrored(request, mirrored, address[len(mirrored) :], instead, tree)
    return ChartSource(request.repository, "", request.name, request.repository, False)


def _mirrored(request: ChartRequest, prefix: str, rest: str, instead: str, tree: FileTree) -> ChartSource:
    """The source where fleet.yaml has `instead` for `prefix`; `rest` is what follows that in the address."""
    at = Location("fleet.yaml")
    if "://" not in instead:
        directory = canonical(instead, "/", at)
        said = f"{directory[1:]}, the mirror of {prefix}"
        return ChartSource("", tree.locate(directory, at), request.name, said, True)
    address, name = checked_address(instead, at), request.name
    if not request.is_oci:
        address += rest
    elif address.startswith("oci://"):
        address, _, name = (address + rest).rpartition("/")
    return ChartSource(address, "", name, f"{address}, the mirror of {prefix}", True)
