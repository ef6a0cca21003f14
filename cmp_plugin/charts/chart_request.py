"""A chart that lies elsewhere, as a spec or a Chart.yaml asks for it.

In: addresses and names as people wrote them. Out: `ChartRequest`, in one spelling. Cheap: no import, no file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import InputError, Location
from ..fleet.service import Chart
from ..goyaml.lenient import quoted

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ADDRESS = re.compile(r"(https?|oci)://([^/\s]+)(/\S*)?")


class ChartRequest(NamedTuple):
    """`repository`: an http(s) or oci address without a trailing slash; for OCI without the chart's name.

    `version` is as asked for: exact, or in a Chart.yaml's dependencies perhaps a range.
    """

    repository: str
    name: str
    version: str
    at: Location

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it this chart, whoever asks."""
        return (self.repository, self.name, self.version)

    @property
    def is_oci(self) -> bool:
        """Whether the chart is in an OCI registry."""
        return self.repository.startswith("oci://")

    def __str__(self) -> str:
        return f"chart {self.name} {self.version}"


def request_of(chart: Chart) -> ChartRequest:
    """What a spec's `{repo, name}` or `{oci}` asks for. InputError when an address is none."""
    if chart.repo:
        return chart_request(chart.repo, chart.name, chart.version, chart.at)
    repository, _, name = chart.oci.rstrip("/").rpartition("/")
    return chart_request(repository, name, chart.version, chart.at)


def chart_request(repository: str, name: str, version: str, at: Location) -> ChartRequest:
    """Checked and in one spelling."""
    return ChartRequest(checked_address(repository, at), checked_name(name, at), version, at)


def checked_name(name: str, at: Location) -> str:
    """`name` when it can be a chart's. InputError otherwise: names become files and directories, so none leads away."""
    if not NAME.fullmatch(name):
        hint = "the version belongs in `version`" if ":" in name else ""
        raise InputError(f"{quoted(name)} is no name of a chart", at, hint)
    return name


def checked_address(address: str, at: Location) -> str:
    """`address` without trailing slashes. Its text is not repeated when it may hold a secret."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        if "@" in address or "?" in address:
            raise InputError("this is no address of a chart repository", at)
        raise InputError(f'"{address}" is no address of a chart repository', at, "it starts with https:// or oci://")
    if "@" in match[2]:
        raise InputError("credentials do not belong into an address", at, "helm's own files and netrc can hold them")
    if "?" in address or "#" in address:
        raise InputError("the address of a chart repository has no ? or #", at)
    return address.rstrip("/")
