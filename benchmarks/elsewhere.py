"""Fleets whose charts lie elsewhere, for the benchmarks: one chart in three ways, and a large fleet.

In: a directory, a helm. Out: files, a directory that serves as a mirror.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import workload

REPOSITORY = "https://charts.example.com"
HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: "
WAYS = ("directory", "stored", "vendored")


def write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def one_chart(fleet: str, mirror: str, helm: str) -> None:
    """The chart of `workload.small` as a directory, and twice as a chart of a repository."""
    workload.small(fleet)
    chart = os.path.join(fleet, "services", "web", "chart")
    os.makedirs(mirror)
    for words in ((helm, "package", "-d", mirror, chart), (helm, "repo", "index", mirror)):
        subprocess.run(words, check=True, capture_output=True, env={"HOME": mirror, "PATH": ""})
    name, version = archive(mirror)
    shutil.copytree(chart, os.path.join(fleet, "services", "directory", "chart"))
    for way in WAYS:
        source = (
            "{path: chart}" if way == "directory" else f'{{repo: "{REPOSITORY}", name: {name}}}\nversion: {version}'
        )
        text = f"{HEAD}Service\nnamespace: bench\nchart: {source}\n"
        write(os.path.join(fleet, "services", way, "service.yaml"), text)
    cluster = os.path.join(fleet, "clusters", workload.CLUSTER, "cluster.yaml")
    ways = ", ".join(f"{way}: " for way in WAYS)
    kubernetes = f"kubernetes: {{version: '{workload.KUBE_VERSION}'}}"
    write(cluster, f"{HEAD}Cluster\ndestination: {{name: bench}}\n{kubernetes}\nservices: {{{ways}}}\n")


def archive(mirror: str) -> tuple[str, str]:
    """Name and version of the one archive."""
    (file,) = [name for name in os.listdir(mirror) if name.endswith(".tgz")]
    name, _, version = file.removesuffix(".tgz").rpartition("-")
    return name, version


def thousand(fleet: str, clusters: int = 1000, services: int = 20) -> None:
    """Clusters of 20 services with charts of four repositories, in two environments with other versions."""
    names = [f"service-{number}" for number in range(services)]
    write(os.path.join(fleet, "fleet.yaml"), f'{HEAD}Fleet\nkubernetes: {{version: "1.34"}}\nprofiles: [base]\n')
    settings = "".join(f"  {name}: {{values: {{level: base}}}}\n" for name in names)
    write(os.path.join(fleet, "profiles", "base.yaml"), f"{HEAD}Profile\nservices:\n{settings}")
    for env, version in (("dev", "2.0.0"), ("prod", "1.0.0")):
        newer = "".join(f"  {name}: {{version: {version}}}\n" for name in names[:5])
        text = f"{HEAD}Profile\nlabels: {{env: {env}}}\nservices:\n{newer}"
        write(os.path.join(fleet, "profiles", f"{env}.yaml"), text)
    for number, name in enumerate(names):
        text = (
            f"{HEAD}Service\nnamespace: {name}\nchart: {{repo: '{REPOSITORY}/{number % 4}', name: {name}}}\n"
            f"version: 1.5.{number}\nvalues: {{replicas: 1, host: '${{cluster.name}}.example.com'}}\n"
            "variants: {prod: {when: {env: prod}, values: {replicas: 2}}}\n"
        )
        write(os.path.join(fleet, "services", name, "service.yaml"), text)
        write(os.path.join(fleet, "services", name, "service.lock"), lock(name, number))
    for number in range(clusters):
        own = "".join(f"  {name}: {{values: {{host: own.example.com}}}}\n" for name in names[-4:])
        text = (
            f"{HEAD}Cluster\nlabels: {{region: r{number % 7}}}\ndestination: {{name: c{number}}}\n"
            f"profiles: [{'prod' if number % 3 else 'dev'}]\nvars: {{domain: c{number}.example.com}}\nservices:\n{own}"
        )
        write(os.path.join(fleet, "clusters", f"c{number}", "cluster.yaml"), text)


def lock(name: str, number: int) -> str:
    """What `lock` would write; no digest is looked at by `lock --check`."""
    versions = ("1.0.0", "2.0.0") if number < 5 else (f"1.5.{number}",)
    entry = "- {{name: {}, repository: '{}/{}', version: {}, digest: 'sha256:{}'}}\n"
    entries = "".join(entry.format(name, REPOSITORY, number % 4, version, "0" * 64) for version in versions)
    return f"{HEAD}Lock\ncharts:\n{entries}"
