"""`validate`: every error of the fleet at once, sorted; with --render what only a render can tell.

The findings are the result and go to stdout, in the form asked for. Exit code 1 when there are any.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from ..applications import check_names
from ..charts import unlocked
from ..cluster import open_cluster
from ..errors import CmpError, Errors, InputError, Location, UsageError, did_you_mean, flatten
from ..fleet import Fleet
from ..paths import is_remote
from ..plan import Planned, plan
from ..request import settings_of
from ..specrules import value_of
from ..tools.process import Deadline
from .places import opened_fleet
from .warnings import warn_about_plugin


def run(args: Namespace) -> int:
    """Prints what is wrong with the fleet and returns 1, or says on stderr how much is right."""
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be 1 or more")
    try:
        fleet = opened_fleet(args)
    except Errors as wrong:
        return _report(args, list(wrong.errors), "")
    planned, errors = inspected(fleet)
    if args.render:
        errors.extend(_render_errors(planned, args.jobs))
    names = {one.cluster for one in planned}
    return _report(args, errors, f"{len(names)} clusters, {len(planned)} services on them: no errors")


def inspected(fleet: Fleet) -> tuple[list[Planned], list[CmpError]]:
    """Reads every file and plans every cluster: what is planned, and everything that is wrong."""
    errors: list[CmpError] = []
    for kind in ("Profile", "Service"):
        for name in fleet.names(kind):
            _attempt(errors, lambda kind=kind, name=name: fleet.spec_of(kind, name))
    _attempt(errors, lambda: warn_about_plugin(settings_of(fleet.spec), fleet.spec.at))
    planned: list[Planned] = []
    for name in fleet.names("Cluster"):
        _attempt(errors, lambda name=name: planned.extend(plan(open_cluster(fleet, name))))
        _attempt(errors, lambda name=name: _check_provision(fleet, name))
    errors.extend([*fleet.strays(), *_applications_errors(fleet, planned)])
    for one in planned:
        errors.extend(_missing_files(one))
    return planned, errors


def _applications_errors(fleet: Fleet, planned: list[Planned]) -> list[CmpError]:
    """What would keep Argo CD from getting Applications, where the fleet is meant for it."""
    errors = check_names(planned, fleet.names("Cluster"))
    if value_of(fleet.spec, "repoURL") is None:
        return errors
    if not fleet.names("Cluster"):
        errors.append(InputError("the fleet has no clusters", Location("clusters")))
    for one in {one.cluster: one for one in planned}.values():
        if not one.request.facts.destination:
            errors.append(InputError(f"cluster {one.cluster} has no `destination`", one.request.facts.at))
    return errors


def _check_provision(fleet: Fleet, name: str) -> None:
    """The management cluster's plan covers the block itself, if there is such a cluster."""
    provision = value_of(fleet.spec_of("Cluster", name), "provision")
    if provision is None:
        return
    manager = value_of(provision, "managementCluster")
    if manager is None:
        raise InputError("provision names no `managementCluster`", provision.key)
    if not fleet.has("Cluster", str(manager.value)):
        hint = did_you_mean(str(manager.value), fleet.names("Cluster"))
        raise InputError(f'there is no cluster "{manager.value}"', manager.at, hint)


def _attempt(errors: list[CmpError], work: object) -> None:
    assert callable(work)
    try:
        work()
    except CmpError as error:
        errors.append(error)


def _missing_files(planned: Planned) -> list[CmpError]:
    """Directories and files that the render would open and that are not there."""
    errors: list[CmpError] = []
    service, tree = planned.resolved.service, planned.request.tree
    if service.chart and service.chart.path:
        chart = service.chart
        _attempt(errors, lambda: tree.locate(chart.path, chart.at))
    for resource in service.resources:
        if not is_remote(resource.path):
            _attempt(errors, lambda resource=resource: tree.locate(resource.path, resource.at))
    return errors or unlocked(service, tree)


def _render_errors(planned: list[Planned], jobs: int | None) -> list[CmpError]:
    from .preview import in_parallel

    errors: list[CmpError] = []
    owners: dict[tuple[str, ...], str] = {}
    for one, result in in_parallel(planned, jobs, _twice):
        if isinstance(result, CmpError):
            errors.append(result)
        else:
            errors.extend(_owned_twice(one, _objects(result), owners))
    return errors


def _owned_twice(planned: Planned, objects: list[dict[str, Any]], owners: dict[tuple[str, ...], str]) -> list[CmpError]:
    """Objects that another service of the same cluster renders too: two Applications would fight over them."""
    from ..manifest import described, identity

    service = planned.resolved.service
    errors: list[CmpError] = []
    for value in objects:
        known = identity(value)
        if not known.name:
            continue
        key = (planned.cluster, known.group, known.kind, known.name, known.namespace or service.namespace)
        owner = owners.setdefault(key, service.label)
        if owner != service.label:
            errors.append(InputError(f"{service.label}: {described(value)} is also an object of {owner}", service.at))
    return errors


def _twice(planned: Planned, deadline: Deadline) -> bytes:
    """Renders, and renders again to see whether the same comes out; `allow: [random]` lifts that."""
    from ..randomness import differences
    from .preview import rendered

    service = planned.resolved.service
    first = rendered(planned, deadline)
    if "random" in service.allow or service.chart is None:
        return first
    second = rendered(planned, deadline)
    if first == second:
        return first
    found = differences(_objects(first), _objects(second))
    names = "; ".join(f"{name} {pointer}" for name, pointer in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise InputError(
        f"{service.label}: two renders differ in {names}{more}",
        service.chart.at,
        "set these values, or write `allow: [random]`",
    )


def _objects(lines: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def _report(args: Namespace, errors: list[CmpError], fine: str) -> int:
    findings = list({str(e): e for e in sorted(flatten(errors), key=CmpError.sort_key)}.values())
    if args.output == "json":
        json.dump([_as_data(error) for error in findings], sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        for error in findings:
            print(_as_annotation(error) if args.output == "github" else error)
    if not findings:
        print(fine, file=sys.stderr)
    return 1 if findings else 0


def _as_data(error: CmpError) -> dict[str, object]:
    place = {"file": error.at.file, "line": error.at.line, "column": error.at.column} if error.at else {}
    return {**place, "severity": "error", "message": error.message, "hint": error.hint}


def _as_annotation(error: CmpError) -> str:
    """GitHub's workflow command for an error at a line (its escapes are documented there)."""
    hint = f" ({error.hint})" if error.hint else ""
    text = f"{error.message}{hint}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    if error.at is None:
        return f"::error::{text}"
    file = error.at.file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},line={max(error.at.line, 1)},col={max(error.at.column, 1)}::{text}"
