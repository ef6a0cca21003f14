"""`validate`: everything that is wrong with the fleet at once, sorted; with --render what only a render can tell.

The findings are the result and go to stdout, in the form asked for. Exit code 1 when an error is among them,
with --strict also for a warning.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from ...errors import CmpError, Errors
from ...fleet.files import Fleet
from ...fleet.plan import Planned
from ...render.manifest import Manifest
from ...system.process import Deadline
from ...verbose import note
from ..arguments import opened_fleet
from ..progress import waiting, with_progress
from ..terminal import counted
from ..warnings import warn, warn_about_plugin
from .findings import Finding, errors, in_order, without_schemas
from .inspection import inspect, lifted


def run(args: Namespace) -> int:
    """Prints what is wrong with the fleet and returns 1, or says on stderr how much is right."""
    try:
        fleet = opened_fleet(args)
    except Errors as wrong:
        return _report(args, errors([wrong]), "")
    with waiting("reading the fleet"):
        seen = inspect(fleet)
    findings = [*seen.findings, *_about_plugin(fleet)]
    rendered = _rendered(seen.planned, args.jobs) if args.render else []
    values = _values(seen.planned, args, quiet=any(not finding.warning for finding in (*findings, *rendered)))
    findings += [*values, *without_schemas(rendered, values)]
    where = "it" if seen.clusters == 1 else "them"
    fine = f"{counted(seen.clusters, 'cluster')}, {counted(len(seen.planned), 'service')} on {where}"
    return _report(args, lifted(fleet, findings), fine)


def _about_plugin(fleet: Fleet) -> list[Finding]:
    try:
        warn_about_plugin(fleet.settings, fleet.spec.at)
    except CmpError as error:
        return errors([error])
    return []


def _values(services: list[Planned], args: Namespace, quiet: bool) -> list[Finding]:
    """Values against their charts, after a render that may have fetched these.

    `quiet`: what was not looked at is not worth a word, there is enough to do.
    """
    if not any(planned.resolved.service.chart for planned in services):
        return []
    from .values import value_findings

    with waiting("looking at the charts' values"):
        findings, unseen = value_findings(services)
    if not quiet:
        if unseen.charts:
            # One sentence, however many charts are not here.
            first, others = unseen.charts[0], len(unseen.charts) - 1
            count = f"{others + 1} chart{'s were' if others else ' was'} not looked at"
            commands = {
                "is not locked": "`cmp-plugin lock`",
                "is not on this machine": "`cmp-plugin vendor`, or --render,",
            }
            fetches = next((command for reason, command in commands.items() if first.endswith(reason)), "")
            more = (f" (and {others} more)" if others else "") + (
                f"; {fetches} fetches what is missing" if fetches else ""
            )
            warn([f"{count}: {first}{more}"])
        warn(f"{schema}: it is not looked at without --render" for schema in unseen.schemas if not args.render)
    return findings


def _rendered(planned: list[Planned], jobs: int | None) -> list[Finding]:
    from ...argocd.pinned import render_planned
    from ...render.parallel import in_parallel
    from .objects import ObjectChecks
    from .rendered import rendered_errors, twice

    def manifests(planned: Planned, deadline: Deadline) -> list[Manifest]:
        result = render_planned(planned, deadline)
        warn(result.warnings)
        return result.manifests

    objects = ObjectChecks()
    outcomes = with_progress(in_parallel(planned, jobs, twice(manifests)), len(planned), "rendering")
    findings = errors(rendered_errors(outcomes, objects))
    warn(objects.unchecked)
    for text, times in objects.notes.items():
        note(f"{text} ({times} times)" if times > 1 else text)
    return findings


def _report(args: Namespace, findings: list[Finding], fine: str) -> int:
    ordered = in_order(findings)
    if args.output == "json":
        json.dump([_as_data(finding) for finding in ordered], sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        for finding in ordered:
            print(_as_annotation(finding) if args.output == "github" else finding)
    wrong = sum(finding.severity == "error" for finding in ordered)
    if fine and not wrong:
        warned = f", {counted(len(ordered), 'warning')}" if ordered else ""
        print(f"{fine}: no errors{warned}", file=sys.stderr)
    return 1 if wrong or (args.strict and ordered) else 0


def _as_data(finding: Finding) -> dict[str, object]:
    at = finding.error.at
    position = {"file": at.file, "line": at.line, "column": at.column} if at else {}
    named = {"warning": finding.warning} if finding.warning else {}
    return {
        **position,
        "severity": finding.severity,
        **named,
        "message": finding.error.message,
        "hint": finding.error.hint,
    }


def _as_annotation(finding: Finding) -> str:
    """GitHub's workflow command for a finding at a line (its escapes are documented there)."""
    error = finding.error
    hint = f" ({error.hint})" if error.hint else ""
    named = f" [{finding.warning}]" if finding.warning else ""
    text = f"{error.message}{hint}{named}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    if error.at is None:
        return f"::{finding.severity}::{text}"
    file = error.at.file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{finding.severity} file={file},line={max(error.at.line, 1)},col={max(error.at.column, 1)}::{text}"
