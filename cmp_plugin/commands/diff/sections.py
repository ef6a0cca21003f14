"""What a report of `diff` says in which order: what could hurt first, every change in the end.

In: a report. Out: titles with their lines, and one sentence about all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..terminal import counted
from .dangers import LOSS, REFUSED
from .grouping import Warned
from .lines import Line, Manner, group_lines, group_title, on_clusters, one_line
from .report import Report

# Without -v: services of a new or removed cluster by name, and plain deletions in a line each.
_FEW_SERVICES = 24
_FEW_DELETIONS = 3


def manner(report: Report, whole: bool) -> Manner:
    """The manner for a report."""
    return Manner(whole, frozenset({*report.before.clusters, *report.after.clusters}))


def headline(report: Report) -> str:
    """One sentence: what was compared, and how much of it changes."""
    changed, total = report.services
    if report.is_empty:
        return f"nothing changes from {report.before.name} to {report.after.name}"
    clusters = {name for group in report.groups for name in group.clusters if name} | {*report.added, *report.removed}
    subject = f"{changed} of {total} services" if changed else "no manifest"
    where = f" on {counted(len(clusters), 'cluster')}" if clusters else ""
    return f"{report.before.name} -> {report.after.name}: {subject} change{'s' if changed < 2 else ''}{where}"


def sections(report: Report, how: Manner) -> Iterator[tuple[str, list[Line]]]:
    """What stands below each other, each with its title; nothing that is empty."""
    first = (
        ("Look at this first", list(danger_lines(report, how))),
        ("Clusters", list(cluster_lines(report, how))),
        ("Versions and images", list(version_lines(report, how))),
    )
    yield from ((title, lines) for title, lines in first if lines)
    for group in report.groups:
        yield group_title(group, how), list(group_lines(group, how))
    if report.random:
        fields = f"{report.random} fields that differ at every render are left out (`allow: [random]`)"
        yield "Not told", [Line("", 1, fields)]


def danger_lines(report: Report, how: Manner) -> Iterator[Line]:
    """What deserves a second look, loudest first; many plain deletions of a service in one line."""
    plain: dict[tuple[str, tuple[str, ...]], list[Warned]] = {}
    for warned in report.dangers:
        if warned.danger.kind == "deleted" and warned.danger.rank == REFUSED:
            plain.setdefault((warned.service, warned.clusters), []).append(warned)
    folded = {which for which, some in plain.items() if len(some) > _FEW_DELETIONS and not how.whole}
    for warned in report.dangers:
        which = (warned.service, warned.clusters)
        if warned.danger.kind == "deleted" and warned.danger.rank == REFUSED and which in folded:
            folded.discard(which)
            some = plain.pop(which)
            kinds = ", ".join(
                f"{number} {kind}" for kind, number in Counter(deletion.key.kind for deletion in some).most_common()
            )
            yield Line("!", 1, _placed(f"{len(some)} objects ({kinds}) are deleted", *which, how))
        elif which in plain or warned.danger.kind != "deleted" or warned.danger.rank != REFUSED:
            sign = "!!" if warned.danger.rank == LOSS else "!"
            yield Line(sign, 1, _placed(f"{warned.key} {warned.danger.text}", *which, how))


def _placed(text: str, service: str, clusters: Sequence[str], how: Manner) -> str:
    where = " ".join(part for part in (service.strip("()"), on_clusters(clusters, how)) if part)
    return f"{text} ({where})"


def cluster_lines(report: Report, how: Manner) -> Iterator[Line]:
    """Clusters that come and go."""
    for sign, clusters in (("-", report.removed), ("+", report.added)):
        for name, services in clusters.items():
            listed = ", ".join(services if how.whole else services[:_FEW_SERVICES])
            more = (
                f" and {len(services) - _FEW_SERVICES} more" if len(services) > _FEW_SERVICES and not how.whole else ""
            )
            yield Line(sign, 1, f"{name}: {counted(len(services), 'service')}{': ' if listed else ''}{listed}{more}")
    if report.removed:
        yield Line("", 1, "Argo CD asks before it takes the Application of a cluster away; what runs there stays.")


def version_lines(report: Report, how: Manner) -> Iterator[Line]:
    """Charts and images in another version."""
    for kind, replacements in (("chart", report.versions), ("image", report.images)):
        for replaced in replacements:
            name = f"{kind} {replaced.what}" if replaced.what else kind
            versions = f"{one_line(replaced.before)} -> {one_line(replaced.after)}"
            yield Line("~", 1, f"{replaced.service}: {name} {versions} {on_clusters(replaced.clusters, how)}".rstrip())
