"""The files of a first fleet, as `init` writes them: it renders and validates without a download.

In: the repository's address, if it is known. Out: path -> text. Pure. What stands here is the first
thing that a person reads of a fleet, so each file says in a comment what it is for.
"""

from __future__ import annotations

import json

from ...specs.defaults import KUBERNETES
from ...specs.editor import modeline, schema_files

_FLEET = """\
# The root of the fleet: what holds for every cluster.
apiVersion: cmp-plugin/v1alpha1
kind: Fleet

# Where Argo CD finds this repository. Argo CD needs it, `cmp-plugin preview` does not.
{repo}

# Every cluster starts with these profiles.
profiles: [platform]

# What charts are told about the cluster. A live cluster is never asked.
kubernetes:
  version: "{kubernetes}"
"""

_PROFILE = """\
# Settings that clusters share. Naming a service here puts it on each of them.
apiVersion: cmp-plugin/v1alpha1
kind: Profile
services:
  hello:
"""

_SERVICE = """\
# One service: its chart, its values, and where clusters get other ones.
apiVersion: cmp-plugin/v1alpha1
kind: Service
namespace: hello
chart: {path: chart}
values:
  message: "Hello from ${cluster.name}"
  replicas: 2
variants:
  # What clusters with this label get instead.
  dev:
    when: {env: dev}
    values:
      replicas: 1
"""

_CLUSTER = """\
# One cluster: what it is, and in what it differs from the others.
apiVersion: cmp-plugin/v1alpha1
kind: Cluster
labels:
  env: dev
# The cluster's name in Argo CD; `in-cluster` is the one that Argo CD itself runs on.
destination: {name: in-cluster}
"""

_CHART = {
    "Chart.yaml": """\
apiVersion: v2
name: hello
description: A web server that says hello.
version: 0.1.0
""",
    "values.yaml": """\
message: Hello
replicas: 1
image: ghcr.io/stefanprodan/podinfo:6.15.0
""",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      app.kubernetes.io/name: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ .Release.Name }}
    spec:
      containers:
        - name: hello
          image: {{ .Values.image }}
          env:
            - name: PODINFO_UI_MESSAGE
              value: {{ .Values.message | quote }}
          ports:
            - name: http
              containerPort: 9898
""",
    "templates/service.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    app.kubernetes.io/name: {{ .Release.Name }}
  ports:
    - name: http
      port: 80
      targetPort: http
""",
}


def files(repo_url: str) -> dict[str, str]:
    """Every file of the first fleet; `repo_url` may be empty."""
    repo = f"repoURL: {json.dumps(repo_url)}" if repo_url else "# repoURL: https://github.com/you/fleet.git"
    specs = {
        "fleet.yaml": _FLEET.format(repo=repo, kubernetes=KUBERNETES),
        "profiles/platform.yaml": _PROFILE,
        "clusters/dev/cluster.yaml": _CLUSTER,
        "services/hello/service.yaml": _SERVICE,
    }
    kinds = dict(zip(specs, ("fleet", "profile", "cluster", "service"), strict=True))
    written = {path: modeline(path, kinds[path]) + text for path, text in specs.items()}
    written |= {f"services/hello/chart/{name}": text for name, text in _CHART.items()}
    return written | schema_files()
