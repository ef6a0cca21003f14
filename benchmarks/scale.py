"""Fleets of 10, 100 and 1,000 clusters with 20 services each: how the expansion grows.

In: a directory for the fleets. Out: files and the sizes to measure. The commands are `generate` on a
cluster's directory and on the root, as Argo CD calls it for the Applications.
"""

from __future__ import annotations

import json
import os

SIZES = (10, 100, 1000)
SERVICES = 20
SETTINGS = 100  # further values of each chart with a schema
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {values: {{ .Values | toJson | quote }}}\n"
HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: "


def fleet(root: str, clusters: int) -> str:
    """Writes a fleet of `clusters` clusters below `root`; gives the directory of one of them."""
    _write(
        root,
        "fleet.yaml",
        f"{HEAD}Fleet\nrepoURL: https://git.example.com/fleet.git\nprofiles: [base]\nprojects: {{default: }}\n",
    )
    named = "".join(f"  s{number:02}:\n" for number in range(SERVICES))
    tuned = "".join(f"  s{number:02}: {{values: {{replicas: {number}}}}}\n" for number in range(0, SERVICES, 2))
    _write(root, "profiles/base.yaml", f'{HEAD}Profile\nkubernetes: {{version: "1.34"}}\nservices:\n{named}')
    _write(root, "profiles/prod.yaml", f"{HEAD}Profile\nlabels: {{env: prod}}\nservices:\n{tuned}")
    for number in range(SERVICES):
        _service(root, number)
    for number in range(clusters):
        _write(root, f"clusters/c{number:04}/cluster.yaml", _cluster(number))
    return os.path.join(root, "clusters", "c0003")


def _service(root: str, number: int) -> None:
    after = f"dependsOn: [s{number - 1:02}]\n" if number else ""
    text = (
        f"{HEAD}Service\nnamespace: s{number:02}\nchart: {{path: chart}}\n{after}"
        'values: {domain: "${vars.domain}"}\nvariants: {prod: {when: {env: prod}, values: {size: 3}}}\n'
    )
    _write(root, f"services/s{number:02}/service.yaml", text)
    _write(root, f"services/s{number:02}/chart/Chart.yaml", "apiVersion: v2\nname: small\nversion: 1.0.0\n")
    _write(root, f"services/s{number:02}/chart/templates/values.yaml", TEMPLATE)


def describe_values(root: str) -> None:
    """Gives every chart of a fleet a values.yaml, a schema and a template, and every service a patch: what
    `validate` has to look at.
    """
    named = {
        "domain": "",
        "replicas": 1,
        "size": 1,
        **{f"setting{number:03}": {"on": True, "level": number} for number in range(SETTINGS)},
    }
    properties = {key: _schema(value) for key, value in named.items()}
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": False}
    used = "".join(f"{key}: {{{{ .Values.{key} | toJson | quote }}}}\n" for key in named)
    for number in range(SERVICES):
        service = f"services/s{number:02}"
        _write(root, f"{service}/chart/values.yaml", json.dumps(named, indent=2))
        _write(
            root,
            f"{service}/chart/values.schema.json",
            json.dumps({**schema, "properties": {**properties, "global": {}}}),
        )
        _write(root, f"{service}/chart/templates/all.yaml", used)
        with open(os.path.join(root, service, "service.yaml"), "a") as file:
            file.write(
                "patches: {a: {target: {kind: Deployment}, patch: [{op: add, path: /spec/replicas, value: 2}]}}\n"
            )


def _schema(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {key: _schema(each) for key, each in value.items()},
        }
    return {"type": {str: "string", bool: "boolean", int: "integer"}[type(value)]}


def _cluster(number: int) -> str:
    return (
        f"{HEAD}Cluster\nlabels: {{region: r{number % 5}}}\ndestination: {{name: c{number:04}}}\nprofiles: [prod]\n"
        f"vars: {{domain: c{number}.example.com}}\nservices: {{s03: {{values: {{size: {number}}}}}}}\n"
    )


def _write(root: str, path: str, text: str) -> None:
    place = os.path.join(root, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w") as file:
        file.write(text)
