"""Fleets for the version board, as large as one wants: charts from elsewhere, pins, instances, switches."""

from __future__ import annotations

from pathlib import Path

from fleets import write

SERVICES = (
    "argo-rollouts cert-manager cluster-autoscaler crossplane external-dns external-secrets fluent-bit gateway"
    " ingress-nginx istio-base istio-cni istiod keda kube-prometheus-stack kyverno loki metrics-server tempo"
    " trivy-operator velero"
).split()
REGIONS = ("europe-west1", "us-central1", "asia-east1", "southamerica-east1")


def fleet(root: Path, clusters: int, pins: int = 0) -> Path:
    """`clusters` clusters with 20 services each; `pins` of them pin one service on their own."""
    files = {
        "fleet.yaml": 'profiles: [base]\nkubernetes: {version: "1.34"}\n',
        "profiles/base.yaml": "services:\n" + "".join(f"  {name}:\n" for name in SERVICES),
        "profiles/prod.yaml": "labels: {env: prod}\nservices:\n"
        "  kube-prometheus-stack: {version: 3.9.2}\n  istiod:\n    version: 11.0.9\n",
        "profiles/staging.yaml": "labels: {env: staging}\n",
        "profiles/dev.yaml": "labels: {env: dev}\nservices:\n  velero: {enabled: false}\n  keda:\n    version: 13.1.0-rc.1\n",
    }
    for number, name in enumerate(SERVICES):
        files[f"services/{name}/service.yaml"] = (
            f"namespace: {name}\nchart: {{repo: 'https://charts.example.com/{name}', name: {name}}}\nversion: {number}.4.{number}\n"
        )
    for number in range(clusters):
        files[f"clusters/{cluster(number)}/cluster.yaml"] = (
            f"labels: {{region: {REGIONS[number % 4]}, tier: t{number % 3}}}\ndestination: {{name: {cluster(number)}}}\n"
            f"profiles: [{environment(number)}]\n"
            + ("services: {gateway-internal: {service: gateway}}\n" if number % 10 == 0 else "")
            + (f"services: {{loki: {{version: 14.0.{number}}}}}\n" if number % 10 and number <= pins else "")
        )
    return write(root, files)


def environment(number: int) -> str:
    """A fifth dev, a fifth staging, the others prod."""
    return ("dev", "staging", "prod", "prod", "prod")[number % 5]


def cluster(number: int) -> str:
    """The name of a cluster."""
    return f"{environment(number)}-{REGIONS[number % 4]}-{number:04}"
