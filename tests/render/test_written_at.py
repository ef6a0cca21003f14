"""Where a value that a chart's schema refuses was written, for helm's sentence and for `validate`'s own."""

from __future__ import annotations

import pytest

from cmp_plugin.goyaml.load import load
from cmp_plugin.render.chart_errors import written_at
from cmp_plugin.specs.merge import prepared

VALUES = prepared(
    load(
        b"""\
image:
  tag: 1.2.3
ports:
- name: web
- name: admin
  number: 80
args+:
- a
"0": zero
""",
        "values.yaml",
    )
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("image", "tag"), 2),
        (("ports", 1, "number"), 6),
        # In a JSON pointer every step is text.
        (("ports", "1", "number"), 6),
        (("0",), 9),
        # What no layer has is the chart's own: the nearest above is what a layer has of it.
        (("image", "pullPolicy"), 1),
        (("ports", 2), 3),
        (("ports", "name"), 3),
        # Behind the chart's own list positions are others.
        (("args", 0), 7),
        (("replicas",), None),
        ((), None),
    ],
)
def test_the_value_or_the_nearest_above(path: tuple[str | int, ...], line: int | None) -> None:
    found = written_at(VALUES, path)
    assert (found.line if found else None) == line
