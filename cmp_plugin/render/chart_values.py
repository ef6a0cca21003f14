"""What Helm computes as a chart's values, for the lists that `key+` appends to.

In: a chart on disk. Out: `.Values` as its templates would see them, as plain data. Subcharts, aliases,
imported values, globals and nulls all have a say, so Helm itself is asked: with a copy of the chart in
which nothing is left but what values are made of, and one template that prints them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

from ..charts.archive import read
from ..errors import InputError, ToolError

# Files that values are made of, of a chart and of the charts in it, and the directories that lead to them. Helm
# takes no notice of what begins with a dot or an underscore in charts/.
_KEPT = re.compile(
    r"(?:charts/(?:[^/._][^/]*/)?)*(?:(?<!charts/)(?:(?:Chart|values|requirements)\.yaml|\.helmignore))?"
)
_PRINT = '{{ dict "values" .Values | toJson }}\n'


def computed_values(chart_path: str, workdir: str, template: Callable[[str], bytes]) -> Any:
    """The chart's values; `template` runs `helm template` on the directory that it is given.

    Raises what `template` raises, and ToolError for a chart that is too large or no archive.
    """
    probe = os.path.join(workdir, "probe")
    try:
        files = read(chart_path, lambda path: _KEPT.fullmatch(path) is not None)
    except InputError as error:
        raise ToolError(f"the chart {error.message}") from None
    for name, content in {**files, "templates/values.yaml": _PRINT.encode()}.items():
        # Helm takes a name in `.tgz` for an archive.
        path = os.path.join(probe, name.replace(".tgz/", ".tgz.unpacked/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    output = template(probe).decode()
    return json.loads(output[output.index("{") :])["values"]
