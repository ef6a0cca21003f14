"""Small fleets for tests, written from a few lines of YAML each."""

from __future__ import annotations

import os
import random
from pathlib import Path
from textwrap import dedent

from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import Planned, plan
from cmp_plugin.fleet.request import Request, request_for
from cmp_plugin.fleet.resolve import Resolved, resolve

KINDS = {"fleet.yaml": "Fleet", "service.yaml": "Service", "cluster.yaml": "Cluster"}
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
    "values.yaml": "list: [chart]\nmap: {a: chart}\n",
    "templates/values.yaml": (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
        "data: {values: {{ .Values | toJson | quote }}}\n"
    ),
}


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes `files` below `root`. Spec files get apiVersion and kind as their first two lines."""
    for name, text in {"fleet.yaml": "", **files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        is_profile = place.parent == root / "profiles" and name.endswith(".yaml")
        kind = "Profile" if is_profile else KINDS.get(place.name)
        head = f"apiVersion: cmp-plugin/v1alpha1\nkind: {kind}\n" if kind else ""
        place.write_text(head + dedent(text))
    return root


def chart(directory: str, **changed: str) -> dict[str, str]:
    """The files of a chart that prints its values as one ConfigMap."""
    return {os.path.join(directory, name): text for name, text in {**CHART, **changed}.items()}


def request(root: Path, cluster: str = "c", key: str = "web") -> Request:
    return request_for(open_cluster(open_fleet(os.path.realpath(root)), cluster), key)


def resolved(root: Path, cluster: str = "c", key: str = "web") -> Resolved:
    found = resolve(request(root, cluster, key))
    assert found is not None, f"{key} is switched off"
    return found


def planned(root: Path, cluster: str = "c") -> list[Planned]:
    return plan(open_cluster(open_fleet(os.path.realpath(root)), cluster))


def refusal(root: Path, cluster: str = "c") -> str:
    """The error text that planning the cluster ends with."""
    try:
        planned(root, cluster)
    except CmpError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def fleet_of_chance(root: Path, seed: int) -> Path:
    """Three clusters whose layers set, change, null and switch off charts at random."""
    chance = random.Random(seed)
    charts = ("{repo: https://a.example.com, name: a}", "{oci: oci://b.example.com/b}", "{path: chart}", "")
    versions = ("1.0.0", '"2.0.0"', '"${vars.version}"', "3.0.${vars.patch}", "", "", "", "")
    switches = ("true", "false", "", "", "", '"${vars.wanted}"')

    def block(indent: str, *, catalogue: bool = False) -> str:
        fields = {
            "chart": chance.choice(charts) or ("{oci: oci://c/c}" if catalogue else ""),
            "version": chance.choice(versions) or ("0.1.0" if catalogue else ""),
            "enabled": chance.choice(switches),
            "values": chance.choice(("{a: 1}", "null", "")),
        }
        lines = [f"{indent}{key}: {value}\n" for key, value in fields.items() if value]
        return "".join(lines) or f"{indent}values:\n"

    files = {
        "fleet.yaml": 'vars: {version: 9.0.0, patch: "7", wanted: true}\nprofiles: [base]\nkubernetes: {version: "1.34"}\n'
    }
    for number in range(4):
        variants = "".join(f"  v{n}:\n    when: {{env: {env}}}\n{block('    ')}" for n, env in enumerate(("a", "b")))
        files[f"services/s{number}/service.yaml"] = f"namespace: x\n{block('', catalogue=True)}variants:\n{variants}"
        files[f"services/s{number}/chart/Chart.yaml"] = ""
    for profile in ("base", "more"):
        keys = "".join(f"  s{n}:\n{block('    ')}" for n in range(4) if chance.random() < 0.7)
        files[f"profiles/{profile}.yaml"] = f"services:\n{keys}" if keys else "services: {}\n"
    for cluster in ("c", "d", "e"):
        keys = "".join(f"  s{n}:\n{block('    ')}" for n in range(4) if chance.random() < 0.5)
        other = f"  again:\n    service: s0\n{block('    ')}"
        files[f"clusters/{cluster}/cluster.yaml"] = (
            f"destination: {{name: {cluster}}}\nallow: [empty]\nlabels: {{env: {chance.choice('abc')}}}\n"
            f"profiles: [{chance.choice(('more', 'base'))}]\nservices:\n{keys}{other}"
        )
    return write(root, files)
