"""The schemas of the files people write, with the charts' values inside: what an editor completes from.

In: a fleet and service names. Out: JSON Schemas by kind, and for each service one of its service.yaml. Reads charts
that are on this machine, fetches nothing; a service whose chart is not here keeps `values` open.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

from ...charts.contents import ChartFiles, Home, files_of
from ...charts.used import chart_uses
from ...errors import CmpError
from ...fleet.chart import catalogue_chart
from ...fleet.cluster import entry_of, open_cluster
from ...fleet.files import Fleet
from ...fleet.service import Chart
from ...specs.interpolate import all_references
from ...specs.models import json_schema
from ...system.files import FileTree
from .values import values_schema

Schema = dict[str, Any]


class Values(NamedTuple):
    """`schemas`: catalogue entry -> schema of its values; `absent`: entry -> why there is none."""

    schemas: dict[str, Schema]
    absent: dict[str, str]


def values_of(fleet: Fleet, entries: Iterable[str]) -> Values:
    """The values of the chart that each entry has: the one that service.yaml names, else the first in use."""
    wanted = list(entries)
    uses: dict[str, list[tuple[Chart, FileTree]]] = {entry: _own(fleet, entry) for entry in wanted}
    for use in chart_uses(fleet)[0]:
        if use.entry in uses:
            uses[use.entry].append((use.chart, use.tree))
    lock_optional = fleet.settings.lock_optional
    schemas: dict[str, Schema] = {}
    absent: dict[str, str] = {}
    for entry in wanted:
        for chart, tree in uses[entry]:
            try:
                files = files_of(chart, Home(entry, lock_optional), tree)
            except CmpError as error:
                absent.setdefault(entry, str(error))
                continue
            if isinstance(files, ChartFiles):
                schemas[entry] = values_schema(files, f"#/$defs/{_name(entry)}")
                break
            absent.setdefault(entry, files.reason)
    return Values(schemas, {entry: why for entry, why in absent.items() if entry not in schemas})


def _own(fleet: Fleet, entry: str) -> list[tuple[Chart, FileTree]]:
    """The chart of service.yaml, where that says it without references."""
    spec = fleet.spec_of("Service", entry)
    chart = catalogue_chart(spec, entry)
    if chart is None or all_references(spec.entries()["chart"]) or not (chart.path or chart.version):
        return []
    return [(chart, fleet.tree)]


def _name(entry: str) -> str:
    return f"values.{entry}"


def keys_of(fleet: Fleet) -> dict[str, str]:
    """Service key -> catalogue entry, for every key that a cluster or profile has, and for every entry."""
    keys = {name: name for name in fleet.names("Service")}
    for name in fleet.names("Cluster"):
        try:
            cluster = open_cluster(fleet, name)
        except CmpError:
            continue  # what is wrong with it is for `validate` to say; the editor needs a schema to mend it
        keys |= {key: entry_of(cluster, key)[0] for key in cluster.keys() if key not in keys}  # noqa: SIM118 (a method of Cluster)
    return keys


def service_schema(entry: str, values: Values) -> Schema:
    """The schema of services/<entry>/service.yaml."""
    schema = json_schema("Service")
    if entry in values.schemas:
        schema["$defs"][_name(entry)] = values.schemas[entry]
        _set_values(schema, entry)
        _set_values(schema["$defs"]["Variant"], entry)
    return schema


def kind_schema(kind: str, values: Values, keys: dict[str, str]) -> Schema:
    """The schema of profiles or clusters: under `services` each key has the values of its service's chart."""
    schema = json_schema(kind)
    definitions = schema["$defs"]
    for entry, of_entry in values.schemas.items():
        definitions[_name(entry)] = of_entry
        definitions[f"Instance.{entry}"] = _instance(definitions["Instance"], entry)
    services = schema["properties"]["services"]["anyOf"][0]
    services["properties"] = {
        key: {"anyOf": [{"$ref": f"#/$defs/Instance.{entry}"}, {"type": "null"}]}
        for key, entry in sorted(keys.items())
        if entry in values.schemas
    }
    for name in ("Instance", "Provision"):
        if name in definitions:
            definitions[name]["allOf"] = [_if_service(entry) for entry in values.schemas]
    return schema


def _instance(instance: Schema, entry: str) -> Schema:
    made = copy.deepcopy(instance)
    _set_values(made, entry)
    return made


def _set_values(block: Schema, entry: str) -> None:
    block["properties"]["values"]["anyOf"][0] = {"$ref": f"#/$defs/{_name(entry)}"}


def _if_service(entry: str) -> Schema:
    """A block that says which service it is about, under a key that the fleet does not have yet."""
    values = {"anyOf": [{"$ref": f"#/$defs/{_name(entry)}"}, {"type": "null"}]}
    return {
        "if": {"required": ["service"], "properties": {"service": {"const": entry}}},
        "then": {"properties": {"values": values}},
    }
