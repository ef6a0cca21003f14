"""The fleets that are measured, written into a directory: charts of known weight, one cluster.

In: a directory. Out: files. Everything is made here except the 5 MB output, which is a real chart's
where the sibling directory with real output exists, and otherwise a made one of the same shape.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil

KUBE_VERSION = "1.34.0"
CLUSTER = "bench"
REAL = os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    "..",
    "..",
    "shared",
    "real",
    "kube-prometheus-stack-88.5.3",
    "manifests.yaml.gz",
)
PATCHED = {"spec": {"template": {"spec": {"priorityClassName": "system-cluster-critical"}}}}
OPERATOR = {"kind": "Deployment", "name": ".*-operator"}

SMALL = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
        - name: main
          image: {{ .Values.image }}
          ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080}]
"""
# Sixty objects; each evaluates a template text 40 times, as charts with many `tpl` calls do.
HEAVY = """
{{- range $i := until 60 }}
{{- $text := "" }}
{{- range until 40 }}{{ $text = tpl (toYaml $.Values.pod) $ }}{{ end }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ $.Release.Name }}-{{ $i }}}
spec:
  selector: {matchLabels: {app: "{{ $i }}"}}
  template:
    metadata: {labels: {app: "{{ $i }}"}}
    spec: {{ $text | nindent 6 }}
{{- end }}
"""
POD = {
    "containers": [
        {
            "name": "main",
            "image": "registry.example.com/{{ .Release.Name }}:1.2.3",
            "env": [{"name": f"SETTING_{n}", "value": f"{{{{ .Release.Name }}}}-{n}"} for n in range(8)],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
        }
    ]
}


def write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def write_spec(root: str, path: str, kind: str, **fields: object) -> None:
    """JSON is YAML: a spec file as one line."""
    spec = {"apiVersion": "cmp-plugin/v1alpha1", "kind": kind, **fields}
    write(os.path.join(root, path), json.dumps(spec) + "\n")


def write_chart(root: str, template: str, values: object) -> None:
    write(os.path.join(root, "Chart.yaml"), "apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    write(os.path.join(root, "values.yaml"), json.dumps(values))
    write(os.path.join(root, "templates", "all.yaml"), template)


def write_fleet(root: str, services: list[str]) -> None:
    """fleet.yaml and one cluster that has these services; their directories are the caller's."""
    write_spec(root, "fleet.yaml", "Fleet", repoURL="https://git.example.com/fleet.git")
    write_spec(
        root,
        f"clusters/{CLUSTER}/cluster.yaml",
        "Cluster",
        destination={"name": CLUSTER},
        kubernetes={"version": KUBE_VERSION},
        services={name: {} for name in services},
    )


def write_service(root: str, name: str, **fields: object) -> str:
    """A service with a chart of its own beside it; returns the chart's directory."""
    chart = {"path": "chart"}
    path = f"services/{name}/service.yaml"
    write_spec(root, path, "Service", namespace="bench", chart=chart, **fields)
    return os.path.join(root, "services", name, "chart")


def small(root: str) -> None:
    write_fleet(root, ["web"])
    write_chart(write_service(root, "web", values={"replicas": 2}), SMALL, {"replicas": 1, "image": "web:1"})


def heavy(root: str) -> None:
    write_fleet(root, ["web"])
    write_chart(write_service(root, "web"), HEAVY, {"pod": POD})


def many(root: str, count: int) -> list[str]:
    """`count` services, each with its own small chart."""
    names = [f"web-{number:03}" for number in range(count)]
    write_fleet(root, names)
    for number, name in enumerate(names):
        chart = write_service(root, name, values={"replicas": number % 3 + 1})
        write_chart(chart, SMALL, {"replicas": 1, "image": f"web:{number}"})
    return names


def large(root: str) -> None:
    """A chart that prints 5 MB, with one strategic merge patch."""
    write_fleet(root, ["prometheus"])
    patch = {"target": OPERATOR, "patch": PATCHED}
    chart = write_service(root, "prometheus", patches={"priority": patch})
    write_chart(chart, '{{ .Files.Get "manifests.yaml" }}', {})
    write(os.path.join(chart, "manifests.yaml"), large_output())


def large_kustomization(root: str, fleet: str) -> None:
    """The same chart and patch as a kustomization for `kustomize build --enable-helm`."""
    chart = os.path.join(fleet, "services", "prometheus", "chart")
    shutil.copytree(chart, os.path.join(root, "charts", "chart"))
    charts = [
        {
            "name": "chart",
            "releaseName": "prometheus",
            "namespace": "bench",
            "includeCRDs": True,
            "kubeVersion": KUBE_VERSION,
        }
    ]
    patches = [
        {
            "target": OPERATOR,
            "patch": json.dumps(
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "metadata": {"name": "any"},
                    **PATCHED,
                }
            ),
        }
    ]
    kustomization = {
        "helmGlobals": {"chartHome": "charts"},
        "helmCharts": charts,
        "patches": patches,
    }
    write(os.path.join(root, "kustomization.yaml"), json.dumps(kustomization))


def has_real_output() -> bool:
    return os.path.exists(REAL)


def large_output() -> str:
    if has_real_output():
        with gzip.open(REAL, "rt") as file:
            return file.read()
    return made_output()


def made_output() -> str:
    """Ten CustomResourceDefinitions of half a megabyte and 120 small objects."""
    properties = {
        f"field{n}": {
            "type": "object",
            "description": "What this field is for. " * 8,
            "properties": {"name": {"type": "string", "description": "A name of something. " * 4}},
        }
        for n in range(980)
    }
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": properties}},
    }
    objects: list[object] = [crd(n, schema) for n in range(10)]
    objects += [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"dashboard-{n}", "namespace": "bench"},
            "data": {"a": "b" * 500},
        }
        for n in range(119)
    ]
    labels = {"app": "operator"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "operator:1"}]},
    }
    objects.append(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "made-operator", "namespace": "bench"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }
    )
    return "".join("---\n" + json.dumps(each, indent=1) + "\n" for each in objects)


def crd(number: int, schema: object) -> object:
    kind = f"Made{number}"
    names = {
        "kind": kind,
        "plural": f"{kind.lower()}s",
        "singular": kind.lower(),
        "listKind": f"{kind}List",
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {
        "group": "made.example.com",
        "names": names,
        "scope": "Namespaced",
        "versions": [version],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.made.example.com"},
        "spec": spec,
    }
