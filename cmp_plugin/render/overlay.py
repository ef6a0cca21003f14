"""A service as files that plain Kustomize and Helm build: the way out.

In: a resolved service, its chart and values, what its patches match. Out: the content of a directory in
which `kustomize build --enable-helm` gives the objects that a render gives, up to scalars that
Kustomize reads differently from Argo CD. Writes nothing.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import InputError, Location
from ..fleet.service import Chart
from ..goyaml.load import dump_json, dump_yaml
from .context import RenderContext
from .kustomize.kustomization import Naming, adds_to_objects, fragment_namespace, kustomization, patch_body
from .kustomize.patches import Entry
from .kustomize.references import References
from .kustomize.targets import Targets
from .manifest import described, is_nameless

# Limits against a kustomization that leads to everything: Helm reads no chart larger than the first.
MAX_BYTES = 100 * 1024 * 1024
MAX_FILES = 20_000
# What the files of an overlay are called: copies of the fleet's; the chart's objects; those that Kustomize refuses.
_FILES = "files"
_RENDERED = "rendered.json"
_NAMELESS = "without-name.json"
_HELM_MADE = "internal.config.kubernetes.io/helm-generated"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def expanded(
    context: RenderContext,
    targets: Targets,
    references: References,
    chart_path: str,
    values: dict[str, Any],
    rendered: bool,
) -> dict[str, bytes]:
    """Relative path -> content. `chart_path`: the chart on this machine; `values`: with every `key+` done;
    `rendered`: the chart's output as JSON instead of the chart.

    Raises InputError for objects whose name the API server makes up, which Kustomize refuses; with
    `rendered` they stand in a file of their own, which the kustomization does not name.
    """
    service = context.service
    output = _Output(context)
    objects: list[str] = []
    inflated: dict[str, Any] = {}
    if rendered:
        objects = output.rendered(targets)
    elif service.chart is not None:
        for manifest in targets.printed:
            if is_nameless(manifest.value):
                message = f"{service.label}: Kustomize refuses {described(manifest.value)}, which the chart prints"
                raise InputError(message, service.at, "--rendered leaves such objects to you")
        inflated = output.chart(service.chart, chart_path, values)
        if adds_to_objects(service):
            # Kustomize runs a generator that adds to an object before it inflates charts.
            output.yaml("chart/kustomization.yaml", inflated)
            output.move("chart/", ("charts/", "values.yaml"))
            objects, inflated = ["chart"], {}
    value = kustomization(
        service,
        Naming(output.file, output.directory, context.tree.is_dir),
        objects=objects,
        metadata=True,
        images=targets.images,
    )
    value["patches"] = [*value.get("patches", []), *output.patches(targets.entries)]
    if service.chart is not None and not rendered and fragment_namespace(service):
        # Kustomize keeps a `namespace` field away from what Helm made; without this note it does not.
        body = {"kind": "Any", "metadata": {"name": "any", "annotations": {_HELM_MADE: "false"}}}
        value["patches"].append({"target": {"annotationSelector": f"{_HELM_MADE}=true"}, "patch": dump_yaml(body)})
    output.reached(references.directories)
    output.yaml("kustomization.yaml", {**{k: v for k, v in value.items() if v}, **inflated})
    return output.files


class _Output:
    """The files so far."""

    def __init__(self, context: RenderContext) -> None:
        self._service = context.service
        self._tree = context.tree
        self._bytes = 0
        self.files: dict[str, bytes] = {}

    def yaml(self, name: str, value: Any) -> None:
        """Add a file for people and Kustomize to read."""
        self.files[name] = dump_yaml(value).encode()

    def rendered(self, targets: Targets) -> list[str]:
        """The chart's output, as resources."""
        named = [manifest.value for manifest in targets.printed if not is_nameless(manifest.value)]
        nameless = [manifest.value for manifest in targets.printed if is_nameless(manifest.value)]
        for name, values in ((_RENDERED, named), (_NAMELESS, nameless)):
            if values:
                items = {"apiVersion": "v1", "kind": "List", "items": values}
                self.files[name] = f"{dump_json(items)}\n".encode()
        return [_RENDERED] if named else []

    def chart(self, chart: Chart, path: str, values: dict[str, Any]) -> dict[str, Any]:
        """The `helmCharts` entry, the values, and a chart of this repository as files."""
        service = self._service
        entry: dict[str, Any] = {
            "releaseName": service.release,
            "namespace": service.namespace,
            "valuesFile": "values.yaml",
            "includeCRDs": service.include_crds,
            "skipTests": service.skip_tests,
            "kubeVersion": service.kube_version,
            "apiVersions": list(service.api_versions),
        }
        if chart.path:
            entry["name"] = _slug(posixpath.basename(chart.path))
            self._copy(path, f"charts/{entry['name']}")
        else:
            repository, _, name = chart.oci.rpartition("/")
            entry |= {"repo": chart.repo or repository, "name": chart.name or name, "version": chart.version}
        self.yaml("values.yaml", values)
        return {"helmCharts": [{key: value for key, value in entry.items() if value}]}

    def patches(self, entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
        """Each entry as a file, named after the patch."""
        for entry in entries:
            name = f"patches/{_slug(entry.patch.name)}.yaml"
            for number in range(2, len(self.files) + 3):
                if name not in self.files:
                    break
                name = f"patches/{_slug(entry.patch.name)}-{number}.yaml"
            self.yaml(name, patch_body(entry))
            yield {"path": name, **entry.kustomize_target}

    def file(self, path: str, at: Location) -> str:
        """A file of the fleet, under its whole path."""
        name = f"{_FILES}{path}"
        self._add(name, self._tree.read(path, at))
        return name

    def directory(self, path: str, at: Location) -> str:
        """A kustomization; its files are added by `reached`."""
        return f"{_FILES}{path}"

    def reached(self, directories: Iterable[str]) -> None:
        """Every directory that a kustomization leads to, where its paths find it."""
        for path in directories:
            self._copy(self._tree.locate(path, self._service.at), f"{_FILES}{path}")

    def move(self, into: str, beginnings: tuple[str, ...]) -> None:
        """Put the files whose path begins so into a directory."""
        for name in [name for name in self.files if name.startswith(beginnings)]:
            self.files[into + name] = self.files.pop(name)

    def _copy(self, source: str, into: str) -> None:
        for directory, names, files in os.walk(source, followlinks=True):
            names.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    inner = os.path.relpath(path, source).replace(os.sep, "/")
                    self._add(f"{into}/{inner}", file.read(MAX_BYTES))

    def _add(self, name: str, content: bytes) -> None:
        if name not in self.files:
            self._bytes += len(content)
        self.files[name] = content
        if self._bytes > MAX_BYTES or len(self.files) > MAX_FILES:
            message = f"{self._service.label}: chart and kustomizations are too large"
            hint = f"{MAX_BYTES >> 20} MiB and {MAX_FILES} files are the limit"
            raise InputError(message, self._service.at, hint)


def _slug(text: str) -> str:
    return _NOT_IN_A_NAME.sub("-", text).strip(".-") or "unnamed"
