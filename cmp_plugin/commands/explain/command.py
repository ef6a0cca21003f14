"""`explain CLUSTER [SERVICE [PATH]]`: where each value comes from, whom it went over, and why.

Renders nothing, unless PATH is a field of a finished object. Nothing is fetched: what a chart from
elsewhere says about its own values is known once it is on this machine.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...argocd.pinned import at_its_revision
from ...charts.contents import ChartFiles, NotHere, chart_files
from ...errors import CmpError, UsageError
from ...fleet.cluster import Cluster, open_cluster
from ...fleet.plan import Planned, keys_on, plan, planned_service, request_of
from ...fleet.request import Request
from ...fleet.resolve import resolve
from ...fleet.service import ResolvedService
from ...fleet.value_path import ObjectWords, Path, value_path
from ...render.parallel import RENDER_SECONDS
from ...system.process import Deadline
from ..arguments import cluster_name, opened_fleet, service_name
from ..progress import progress
from ..warnings import warn
from . import json as as_json
from . import text
from .cluster import Naming, named_by, profiles
from .settings import Explanation, cluster_facts


def run(args: Namespace) -> int:
    """Prints what was asked for."""
    if "" in (args.cluster, args.service):
        raise UsageError("an empty word is no cluster or service")
    wanted = value_path(args.path) if args.path else None
    fleet = opened_fleet(args)
    cluster = open_cluster(fleet, cluster_name(fleet, args.cluster))
    if not args.service:
        return _cluster(cluster, args.output)
    key = service_name(fleet, args.service)
    if wanted and wanted.object:
        return _object(cluster, key, wanted.object, wanted.path, args.output)
    return _service(cluster, key, wanted.path if wanted else (), args.output)


def _cluster(cluster: Cluster, output: str) -> int:
    """The cluster's own facts, its profiles and its services."""
    explainer, facts = cluster_facts(cluster)
    services: list[tuple[str, str, str, list[Naming]]] = []
    for key in keys_on(cluster):
        request = request_of(cluster, key)
        try:
            state = "on" if resolve(request) is not None else "off"
        except CmpError:
            state = "wrong"  # its files are
        services.append((key, request.entry, state, named_by(cluster, key)))
    if output == "json":
        return _json(
            {
                "cluster": cluster.name,
                "profiles": [
                    {"name": profile.name, "namedBy": as_json.naming(profile)} for profile in profiles(cluster)
                ],
                "values": [as_json.explained(fact, explainer) for fact in facts],
                "services": [
                    {"name": key, "entry": entry, "state": state, "namedBy": [as_json.naming(naming) for naming in by]}
                    for key, entry, state, by in services
                ],
            }
        )
    rows = [(key, (f"services/{entry}", state), by) for key, entry, state, by in services]
    return _text(
        text.values(facts, explainer, sys.stdout),
        text.named(("profile",), [(profile.name, (), [profile]) for profile in profiles(cluster)], sys.stdout),
        text.named(("service", "directory", ""), rows, sys.stdout),
    )


def _service(cluster: Cluster, key: str, path: Path, output: str) -> int:
    """Every value of a service with its variants, or what stands at a path."""
    wave = None
    if path[:1] == ("application",):
        # It follows from all services, so it is not known while one of them is wrong.
        with suppress(CmpError):
            wave = next((planned.wave for planned in plan(cluster) if planned.request.key == key), None)
    with _read(cluster, key) as (request, service):
        chart = _chart(service, request)
        explanation = Explanation(cluster, request, chart, wave)
        stories = explanation.at(path) if path else explanation.overview()
    if output == "json":
        values = [as_json.explained(story, explanation.explainer) for story in stories]
        variants = [as_json.variant(variant) for variant in explanation.variants]
        return _json({**_about(request, chart), "variants": variants, "values": values})
    shown = text.values(stories, explanation.explainer, sys.stdout)
    if path:
        return _text(shown)
    made_of = f"services/{request.entry}" + (f", chart {chart.name} {chart.version}" if chart else "")
    title = f"{request.key} on {request.facts.cluster}: {made_of}\n"
    return _text(title, text.variants(explanation.variants, sys.stdout), shown)


def _object(cluster: Cluster, key: str, words: ObjectWords, path: Path, output: str) -> int:
    """What made a field of a finished object, or what made the object."""
    from . import object_text
    from .fields import MOST_RENDERS, Fields
    from .rerender import opened_rerenderer

    planned_service(cluster, key)
    with _read(cluster, key) as (request, service), progress(MOST_RENDERS, "rendering") as step:
        assert service is not None
        deadline = Deadline(RENDER_SECONDS)
        with opened_rerenderer(
            service._replace(lock_optional=True), request.tree, deadline, MOST_RENDERS, step
        ) as rerenderer:
            chart = _chart(service, request)
            explanation = Explanation(cluster, request, chart)
            fields, about = Fields(explanation, rerenderer), {**_about(request, chart), "object": str(words)}
            if path:
                story = fields.story(words, path)
                shown = object_text.field_text(str(words), story, explanation.explainer, sys.stdout)
                answer = object_text.field_json(story, explanation.explainer)
            else:
                whole = fields.object_story(words)
                shown = object_text.object_text(str(words), whole, explanation.explainer, sys.stdout)
                answer = object_text.object_json(whole, explanation.explainer)
    warn(rerenderer.warnings)
    return _json({**about, **answer}) if output == "json" else _text(shown)


@contextmanager
def _read(cluster: Cluster, key: str) -> Iterator[tuple[Request, ResolvedService | None]]:
    """A service's request, its directory as its `revision` has it, and what it resolves to if it does."""
    request = request_of(cluster, key)
    try:
        resolved = resolve(request)
    except CmpError as error:
        warn([f"{cluster.name}/{key} cannot be rendered: {line}" for line in str(error).split("\n")])
        resolved = None
    if resolved is None or not resolved.revision:
        yield request, resolved.service if resolved is not None else None
        return
    with at_its_revision(Planned(cluster.name, request, resolved, 0), Deadline(RENDER_SECONDS)) as planned:
        warn([f"services/{request.entry} is read as revision {resolved.revision} has it, and so are its lines"])
        # The layers above come from here, with their positions.
        yield (
            planned.request._replace(facts=request.facts, below=request.below, above=request.above),
            planned.resolved.service,
        )


def _chart(service: ResolvedService | None, request: Request) -> ChartFiles | None:
    """What the service's chart says about its values; a warning when that cannot be known."""
    if service is None or service.chart is None:
        return None
    try:
        chart = chart_files(service._replace(lock_optional=True), request.tree)
    except CmpError as error:
        warn([f"the chart's own values are not shown: {error}"])
        return None
    if isinstance(chart, NotHere):
        fetch = f"cmp-plugin preview {request.facts.cluster} {request.key}"
        warn([f"the chart's own values are not shown, as {chart.reason} (`{fetch}` fetches it)"])
        return None
    return chart


def _about(request: Request, chart: ChartFiles | None) -> dict[str, Any]:
    known = {"name": chart.name, "version": chart.version} if chart else None
    return {"cluster": request.facts.cluster, "service": request.key, "entry": request.entry, "chart": known}


def _text(*parts: str) -> int:
    """The parts with a blank line between them."""
    sys.stdout.write("\n".join(part for part in parts if part))
    return 0


def _json(value: Any) -> int:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0
