"""What `validate --render` says of objects that two services of one cluster bring."""

from __future__ import annotations

from pathlib import Path

from fleets import write
from program import run

ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: shared%s}\n"
OBJECTS = {
    "definitions": """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: zones.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Zone, plural: zones}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
""",
    "one": ROLE % ""
    + """---
apiVersion: example.com/v1
kind: Zone
metadata: {name: north, namespace: anywhere}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: plain, namespace: default}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed, namespace: shop}}
""",
    "two": ROLE % ", namespace: odd"
    + """---
apiVersion: example.com/v1
kind: Zone
metadata: {name: north}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: listed, namespace: shop}
""",
}


def test_objects_of_two_services(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """A cluster is one API server: a ClusterRole has no namespace, whatever the services' are."""
    files = {"fleet.yaml": "repoURL: https://git.example.com/a.git\n"}
    for name, text in OBJECTS.items():
        files[f"services/{name}/service.yaml"] = f"namespace: {name}\nresources: [objects.yaml]\n"
        files[f"services/{name}/objects.yaml"] = text
    # On another cluster the same service is nobody's rival.
    for cluster, services in {"both": "definitions: , one: , two: ", "alone": "two: "}.items():
        files[f"clusters/{cluster}/cluster.yaml"] = f"destination: {{name: {cluster}}}\nservices: {{{services}}}\n"
    write(tmp_path, files)
    seen = run(["validate", "--render"], str(tmp_path), clean_env)
    assert (seen.code, seen.stdout.decode().splitlines()) == (
        1,
        [
            "services/two/service.yaml: both/two: ClusterRole/shared is also an object of both/one",
            "services/two/service.yaml: both/two: ConfigMap/listed is also an object of both/one",
            "services/two/service.yaml: both/two: Zone/north is also an object of both/one",
        ],
    )
