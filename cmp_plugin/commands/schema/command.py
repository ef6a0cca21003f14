"""`schema [KIND]`: JSON Schema of the files people write, for editors; with --service or --out also of the charts'
values in them.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator

from ...errors import InputError, UsageError, there_is
from ...fleet.files import Fleet
from ...specs.editor import schema_text
from ...specs.models import KINDS, json_schema
from ..arguments import opened_fleet, service_name
from ..terminal import counted
from ..warnings import warn


def run(args: Namespace) -> int:
    """Prints one kind's schema, or an object with all four by kind; or writes what an editor needs."""
    if args.out is not None:
        return _to_files(args)
    if args.service:
        print(schema_text(_with_values(args)), end="")
    elif args.kind:
        print(schema_text(json_schema(args.kind.capitalize())), end="")
    else:
        print(schema_text({kind.lower(): json_schema(kind) for kind in KINDS}), end="")
    return 0


def _with_values(args: Namespace) -> object:
    """One kind with the values of some services' charts."""
    from .editor import keys_of, kind_schema, service_schema, values_of

    fleet = opened_fleet(args)
    entries = list(dict.fromkeys(_entry(fleet, word) for word in args.service))
    kind = (args.kind or "service").capitalize()
    if kind == "Fleet":
        raise UsageError("fleet.yaml has no values of one service")
    if kind == "Service" and len(entries) > 1:
        raise UsageError("a service.yaml is about one service: name one, or `schema cluster`")
    values = values_of(fleet, entries)
    for entry in entries:
        if entry not in values.schemas:
            why = values.absent.get(entry, "no cluster has it with a chart")
            raise InputError(f"there are no values to tell of {entry}: {why}")
    return service_schema(entries[0], values) if kind == "Service" else kind_schema(kind, values, keys_of(fleet))


def _entry(fleet: Fleet, word: str) -> str:
    name = service_name(fleet, word)
    if not fleet.has("Service", name):
        raise InputError(f'there is no service "{word}"', None, there_is(name, fleet.names("Service")))
    return name


def _to_files(args: Namespace) -> int:
    """Every schema that an editor can use for this fleet."""
    from ..outdir import write_directory
    from .editor import keys_of, kind_schema, service_schema, values_of

    if args.kind or args.service:
        raise UsageError("--out writes the schemas of all kinds and services")
    fleet = opened_fleet(args)
    names = fleet.names("Service")
    values, keys = values_of(fleet, names), keys_of(fleet)

    def files() -> Iterator[tuple[str, object]]:
        yield "fleet.json", json_schema("Fleet")
        yield "service.json", json_schema("Service")
        for kind in ("Profile", "Cluster"):
            yield f"{kind.lower()}.json", kind_schema(kind, values, keys)
        for name in names:
            yield f"services/{name}.json", service_schema(name, values)

    write_directory(args.out, ((name, schema_text(schema).encode()) for name, schema in files()))
    warn(f"the values of {entry} are not in it: {why}" for entry, why in values.absent.items())
    print(f"{counted(len(names), 'service')}, the values of {len(values.schemas)} known", file=sys.stderr)
    return 0
