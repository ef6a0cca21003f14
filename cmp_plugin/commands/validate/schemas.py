"""Values against the values.schema.json of their chart and its subcharts, as Helm will at the render.

In: a chart's files, a resolved service. Out: what is refused, with the place of the value in our files. Pure.
Values are never printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...charts.contents import ChartFiles
from ...errors import CmpError, InputError, did_you_mean
from ...fleet.plan import Planned
from ...goyaml.load import Node, plain
from ...render.chart_errors import written_at
from .coalesce import ChartValues, Path, Values, at_path, chart_values, switched_on
from .findings import SCHEMA
from .json_schema import Elsewhere, Refusal, Unusable, Validator, compiled, read


class Schemas(NamedTuple):
    """The compiled schemas of a chart and of the charts in it, by their keys in the values.

    `unusable`: why a schema is not looked at, for each that is not; `wrong`: those that no render takes.
    """

    values: ChartValues
    validators: Mapping[Path, Validator]
    names: Mapping[Path, str]
    unusable: tuple[str, ...]
    wrong: tuple[str, ...]


def schemas_of(chart: ChartFiles) -> Schemas:
    """Compiles what there is; nothing is fetched for it."""
    validators: dict[Path, Validator] = {}
    names: dict[Path, str] = {}
    unusable: list[str] = []
    wrong: list[str] = []
    for path, member in _charts(chart, ()):
        names[path] = member.name
        if member.schema:
            try:
                validators[path] = compiled(read(member.schema))
            except Elsewhere as error:
                wrong.append(f"{SCHEMA}{member.name} {error}")
            except Unusable as error:
                unusable.append(f"{SCHEMA}{member.name} {error}")
    return Schemas(chart_values(chart), validators, names, tuple(unusable), tuple(wrong))


def _charts(chart: ChartFiles, path: Path) -> Iterator[tuple[Path, ChartFiles]]:
    yield path, chart
    for subchart in chart.subcharts:
        yield from _charts(subchart.chart, (*path, subchart.key))


def refused_values(planned: Planned, schemas: Schemas) -> Iterator[CmpError]:
    """What Helm would refuse of a service's values. Cheap where no chart has a schema."""
    chart = planned.resolved.service.chart
    for text in schemas.wrong if chart else ():
        yield InputError(f"{planned.resolved.service.label}: {text}", chart.at if chart else None)
    if not schemas.validators:
        return
    written = planned.resolved.values
    for path, values in switched_on(schemas.values, _with_appends(planned, schemas.values)):
        validator = schemas.validators.get(path)
        for refusal in validator.refusals(values) if validator else ():
            yield _refused(refusal, path, schemas.names[path], values, written, planned)


def _with_appends(planned: Planned, chart: ChartValues) -> Values:
    """The service's values with each `key+` behind the chart's own list."""
    service = planned.resolved.service
    values: Values = plain(service.values)
    for append in service.appends:
        base = _default_at(chart, append.path)
        inner = values
        for key in append.path[:-1]:
            inner = inner.setdefault(key, {})
        inner[append.path[-1]] = [*(base if isinstance(base, list) else []), *plain(append.items)]
    return values


def _default_at(chart: ChartValues, path: Path) -> object:
    default: object = at_path(chart.defaults, path)
    if default is None:
        for subchart, inner in chart.inner:
            if subchart.key == path[0]:
                return _default_at(inner, path[1:])
    return default


def _refused(refusal: Refusal, path: Path, name: str, values: Values, written: Node, planned: Planned) -> CmpError:
    whole = Refusal((*path, *refusal.path), "").where
    hint = ""
    if refusal.unknown:
        above: object = values
        for step in refusal.path[:-1]:
            if isinstance(above, dict):
                above = above.get(step)
            elif isinstance(above, list) and isinstance(step, int):
                above = above[step]
        hint = did_you_mean(str(refusal.path[-1]), above) if isinstance(above, dict) else ""
    message = f"{SCHEMA}{name} refuses {whole or 'the values'}: {refusal.message}"
    chart = planned.resolved.service.chart
    assert chart is not None
    at = written_at(written, (*path, *refusal.path)) or chart.at
    return InputError(f"{planned.resolved.service.label}: {message}", at, hint)
