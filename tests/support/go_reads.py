"""What Go makes of YAML: asked of the real helm, which reads values and text with sigs.k8s.io/yaml."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from cmp_plugin.system.process import Deadline, clean_environment, run

CHART = "apiVersion: v2\nname: c\nversion: 1.0.0\n"
VALUES = "values: {{ toJson .Values | b64enc }}\n"
# Each file of the chart, read as a map; Helm puts an error under the key Error.
TEXTS = """\
texts:
{{- range $path, $data := .Files.Glob "texts/*" }}
  {{ base $path }}: {{ fromYaml (toString $data) | toJson | b64enc }}
{{- end }}
"""


class Read(NamedTuple):
    """`ok`, then the value; else helm's words."""

    ok: bool
    value: Any


def values(helm: str, root: Path, data: bytes) -> Read:
    """What a chart without values of its own sees of a values file."""
    _chart(root, VALUES)
    (root / "values.yaml").write_bytes(data)
    return _template(helm, root, ["-f", str(root / "values.yaml")], "values: ")


def values_of_each(helm: str, root: Path, texts: Sequence[bytes]) -> list[Read]:
    """The same of many files, one process each, two at a time."""
    roots = [root / f"{number}" for number in range(len(texts))]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(values, [helm] * len(texts), roots, texts))


def maps(helm: str, root: Path, texts: Iterable[bytes]) -> list[Any]:
    """Each text read as a map by one process; what is no map has the key Error."""
    _chart(root, TEXTS)
    (root / "c" / "texts").mkdir()
    for number, text in enumerate(texts):
        (root / "c" / "texts" / f"t{number:06}").write_bytes(text)
    done = _template(helm, root, [], "")
    assert done.ok, done.value
    lines = [line.partition(": ") for line in done.value.splitlines() if line.startswith("  t")]
    found = {name.strip(): _value(data) for name, _, data in lines}
    return [found[name] for name in sorted(found)]


def _number(digits: str) -> int | float:
    """Go writes the float -0 without a point."""
    return -0.0 if digits == "-0" else int(digits)


def _value(encoded: str) -> Any:
    return json.loads(base64.b64decode(encoded), parse_int=_number)


def _chart(root: Path, template: str) -> None:
    (root / "c" / "templates").mkdir(parents=True)
    (root / "c" / "Chart.yaml").write_text(CHART)
    (root / "c" / "templates" / "t.yaml").write_text(template)


def _template(helm: str, root: Path, args: list[str], mark: str) -> Read:
    argv = [helm, "template", "x", str(root / "c"), *args]
    done = run(argv, cwd=str(root), env=clean_environment(str(root)), deadline=Deadline(120))
    text = done.stdout.decode()
    if done.code:
        return Read(False, done.stderr.decode())
    return Read(True, _value(text.partition(mark)[2]) if mark else text)
