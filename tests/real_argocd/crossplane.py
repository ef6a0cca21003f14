"""What Crossplane does with services/gke-platform, as far as it can be done without Crossplane.

`custom_resource_definition` makes of an XRD what Crossplane makes of it, for the API server. `Function`
speaks to the real function-pythonic over gRPC, as Crossplane does for a step of a Composition.
"""

from __future__ import annotations

import importlib.util
from base64 import b64decode
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import yaml
from checkout import CHECKOUT
from function_pythonic import directory, messages_file
from google.protobuf.json_format import MessageToDict, ParseDict
from processes import HOST, PATIENCE, Program, free_ports, listens, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

Object = dict[str, Any]
PLATFORM = Path(CHECKOUT, "services", "gke-platform")
ENDPOINT = "gke-0123456789ab.europe-west1.gke.goog"
AUTHORITY = "Y2VydGlmaWNhdGU="
RUN = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction"
# What Crossplane adds to the spec and the status of every composite; left open here.
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CROSSPLANES_OWN = {"crossplane": OPEN}
STATUS = CROSSPLANES_OWN | {"conditions": {"type": "array", "items": OPEN}}


def in_git(name: str) -> list[Object]:
    """The objects in a file of services/gke-platform."""
    return list(yaml.safe_load_all((PLATFORM / name).read_text()))


def custom_resource_definition(definition: Object) -> Object:
    """The CRD that Crossplane serves for an XRD: of the schema it takes spec, status and the rules."""
    spec = deepcopy(definition["spec"])
    versions = [_version(version) for version in spec["versions"]]
    spec["names"].setdefault("categories", []).append("composite")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": definition["metadata"]["name"]},
        "spec": {"group": spec["group"], "names": spec["names"], "scope": spec["scope"], "versions": versions},
    }


def _version(version: Object) -> Object:
    written = version["schema"]["openAPIV3Schema"]
    spec, status = written["properties"]["spec"], written["properties"]["status"]
    schema = {key: written[key] for key in ("description", "x-kubernetes-validations") if key in written}
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}},
        "spec": {**spec, "properties": spec["properties"] | CROSSPLANES_OWN},
        "status": {**status, "properties": status["properties"] | STATUS},
    }
    return {
        "name": version["name"],
        "served": version["served"],
        "storage": version["referenceable"],
        "additionalPrinterColumns": version.get("additionalPrinterColumns", []),
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], **schema, "properties": properties}},
    }


class Composed(NamedTuple):
    """What a function answers: the objects by their key in the Composition, and what it says of them."""

    objects: Mapping[str, Object]
    ready: frozenset[str]
    status: Object
    results: tuple[str, ...]


class Function:
    """A client of one running function."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.messages = _messages()
        self.channel = grpc.insecure_channel(f"{HOST}:{port}")

    def compose(self, composition: Object, composite: Object, observed: Mapping[str, Object]) -> Composed:
        """The desired objects of a Composition with one step. AssertionError when that step fails."""
        (step,) = composition["spec"]["pipeline"]
        request = {
            "meta": {"tag": "test"},
            "input": step["input"],
            "observed": {
                "composite": {"resource": composite},
                "resources": {key: {"resource": each} for key, each in observed.items()},
            },
        }
        call = self.channel.unary_unary(
            RUN,
            request_serializer=self.messages.RunFunctionRequest.SerializeToString,
            response_deserializer=self.messages.RunFunctionResponse.FromString,
        )
        answer = MessageToDict(call(ParseDict(request, self.messages.RunFunctionRequest()), timeout=PATIENCE))
        results = answer.get("results", [])
        failed = [each["message"] for each in results if each["severity"] == "SEVERITY_FATAL"]
        assert not failed, f"{failed}:\n{self.program.log[-3000:]}"
        resources = answer["desired"]["resources"]
        return Composed(
            {key: each["resource"] for key, each in resources.items()},
            frozenset(key for key, each in resources.items() if each.get("ready") == "READY_TRUE"),
            answer["desired"].get("composite", {}).get("resource", {}).get("status", {}),
            tuple(each["message"] for each in results),
        )


def _messages() -> ModuleType:
    """The protobuf classes that the function itself comes with, of Crossplane's protocol."""
    spec = importlib.util.spec_from_file_location("run_function_pb2", messages_file())
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def function(home: Path) -> Iterator[Function]:
    """The function as it runs in its container, but without TLS."""
    (port,) = free_ports(1)
    argv: list[str | Path] = [directory() / "bin" / "python", "-m", "crossplane.pythonic.main", "grpc"]
    argv += ["--insecure", "--address", f"{HOST}:{port}"]
    with running("function-pythonic", argv, home) as program:
        program.wait_until(lambda: listens(port))
        yield Function(program, port)


def observe(objects: Composed) -> dict[str, Object]:
    """Every object as Google's provider reports it when all is made."""
    observed = deepcopy(dict(objects.objects))
    for each in observed.values():
        status: Object = {"conditions": [{"type": "Ready", "status": "True"}]}
        if each["kind"] == "ServiceAccount":
            account = each["metadata"]["annotations"]["crossplane.io/external-name"]
            status["atProvider"] = {"member": f"serviceAccount:{account}@example.iam.gserviceaccount.com"}
        if each["kind"] == "Cluster":
            status["atProvider"] = {
                "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": ENDPOINT}},
                "privateClusterConfig": {"privateEndpoint": "10.17.0.2"},
                "masterAuth": {"clusterCaCertificate": AUTHORITY},
            }
        each["status"] = status
    return observed


def made(compose: Callable[..., Composed], composite: Object) -> Composed:
    """What the function wants in the end: what it makes of one pass, the next one needs."""
    answer = compose(composite)
    for _ in range(3):
        answer = compose(composite, observe(answer))
    return answer


def secret_of(answer: Composed) -> tuple[Object, dict[str, str]]:
    """The Secret for Argo CD, and its data as text."""
    secret = answer.objects["secret"]
    return secret, {key: b64decode(value).decode() for key, value in secret["data"].items()}
