"""The files of a new cluster or service, and a service's name in a file that is there.

In: names, a chart, a spec's text. Out: texts. Pure. A changed text is read again before it is
believed: where that does not give exactly what was meant, the file is left to its owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import CmpError, InputError, Location
from ...fleet.service import Chart
from ...goyaml.load import Node, dump_yaml, load, plain

_HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: {kind}\n"
_MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/stefanprodan/podinfo:6.15.0
          ports:
            - name: http
              containerPort: 9898
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
"""
_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {name}
resources:
  - manifests.yaml
"""


def cluster_text(name: str, profiles: Sequence[str], labels: Mapping[str, str], kubernetes: str, empty: bool) -> str:
    """cluster.yaml. `labels`: another cluster's, as an example; `kubernetes`: "" where it is inherited."""
    example = "".join(f"#   {line}\n" for line in dump_yaml(dict(labels) or {"env": "prod"}).splitlines())
    parts = [
        "# One cluster: what it is, and in what it differs from the others.\n",
        _HEAD.format(kind="Cluster"),
        f"# What tells it apart. Variants of services choose by these.\n# labels:\n{example}",
        f"# The cluster's name in Argo CD.\ndestination:\n  name: {_word(name)}\n",
    ]
    if profiles:
        parts.append("profiles:\n" + "".join(f"  - {_word(profile)}\n" for profile in profiles))
    if kubernetes:
        parts.append(f'kubernetes:\n  version: "{kubernetes}"\n')
    if empty:
        parts.append("# No profile brings a service. Name some under `services:` and take this away.\nallow: [empty]\n")
    return "".join(parts)


def chart_service(namespace: str, chart: Chart) -> str:
    """service.yaml of a chart."""
    fields = {"path": chart.path, "repo": chart.repo, "name": chart.name, "oci": chart.oci}
    written: dict[str, Any] = {"chart": {key: text for key, text in fields.items() if text}}
    if chart.version:
        written["version"] = chart.version
    return (
        _HEAD.format(kind="Service")
        + f"namespace: {_word(namespace)}\n"
        + dump_yaml(written)
        + "# What stands here wins over the chart's values.yaml; what a cluster says wins over this.\nvalues: {}\n"
    )


def resources_service(namespace: str, path: str) -> str:
    """service.yaml of a kustomization or a YAML file elsewhere in the repository."""
    return _HEAD.format(kind="Service") + f"namespace: {_word(namespace)}\n" + dump_yaml({"resources": [path]})


def plain_service(name: str) -> dict[str, str]:
    """The files of a service made of plain manifests, by name in the service's directory."""
    head = "# Plain manifests: kustomization.yaml beside this file names them.\n"
    word = _word(name)
    return {
        "service.yaml": head + _HEAD.format(kind="Service") + f"namespace: {word}\n",
        "kustomization.yaml": _KUSTOMIZATION.format(name=word),
        "manifests.yaml": _MANIFESTS.format(name=word),
    }


def _word(name: str) -> str:
    """The name as YAML has it: some look like a number or a boolean, such as `1.2` and `on`."""
    return dump_yaml(name).rstrip()


def with_service(text: str, name: str, path: str) -> str:
    """A cluster's or profile's text with `name:` as the first of its `services`.

    InputError: it is there already, or `services` is not written in lines of its own.
    """
    before = load(text.encode(), path)
    services = before.entries().get("services")
    named = plain(services) if services is not None else None
    if name in (named or {}):
        raise InputError(f"{name} is named already", Location(path))
    changed = _inserted(text, services, name)
    wanted = {**plain(before), "services": {**(named or {}), name: None}}
    if plain(_loaded(changed, path)) != wanted:
        raise InputError(
            "the file is written in a manner of its own",
            Location(path),
            f"add `{_word(name)}:` to its services yourself",
        )
    return changed


def _inserted(text: str, services: Node | None, name: str) -> str:
    word = _word(name)
    if services is None:
        return f"{text.rstrip()}\nservices:\n  {word}:\n"
    assert services.key is not None
    children = list(services.children())
    first = children[0].key if children else None
    indent = first.column - 1 if first else services.key.column + 1
    lines = text.splitlines(keepends=True)
    lines[services.key.line - 1] = lines[services.key.line - 1].rstrip("\n") + "\n"
    lines.insert(services.key.line, f"{' ' * indent}{word}:\n")
    return "".join(lines)


def with_destination(text: str, old: str, new: str, path: str) -> str:
    """A cluster's text whose `destination.name` names `new` where it named `old`; else the same text."""
    node = load(text.encode(), path).get("destination", "name")
    if node is None or old not in str(node.value):
        return text
    lines = text.splitlines(keepends=True)
    line = lines[node.at.line - 1]
    lines[node.at.line - 1] = line[: node.at.column - 1] + line[node.at.column - 1 :].replace(old, new, 1)
    changed = "".join(lines)
    renamed = _loaded(changed, path).get("destination", "name")
    return changed if renamed is not None and renamed.value == str(node.value).replace(old, new, 1) else text


def _loaded(text: str, path: str) -> Node:
    """The changed text's value; what cannot be read any more has none."""
    try:
        return load(text.encode(), path)
    except CmpError:
        return Node({}, Location(path))
