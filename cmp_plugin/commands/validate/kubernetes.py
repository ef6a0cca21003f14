"""Objects against the schemas of a Kubernetes version, and of the CRDs that a cluster gets from its own services.

In: a version, objects. Out: what the API server would refuse, or that nothing is known about a kind. Nothing is
fetched: the schemas are the data of the package kubernetes-validate, the extra `kubernetes` of this one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from typing import Any, NamedTuple

import jsonschema_rs

from ...goyaml.load import dump_json
from ...render.manifest import identity, mapping, text
from ...tools.versions import minor
from .crds import Served, served, strict, without_nulls
from .json_schema import Refusal, Unusable, Validator, compiled

PACKAGE = "kubernetes_validate"
METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_DIRECTORIES = "-local-strict"
GroupVersionKind = tuple[str, str, str]


class Unknown(NamedTuple):
    """`kind` as `group/version Kind`: there is no schema of it here."""

    kind: str


def available() -> dict[str, str]:
    """Minor version -> file with its definitions; nothing when the package is not installed."""
    package = importlib.util.find_spec(PACKAGE)
    directories = package.submodule_search_locations if package else None
    top = os.path.join(directories[0], "kubernetes-json-schema") if directories else ""
    names = sorted(os.listdir(top)) if os.path.isdir(top) else []
    return {minor(name): os.path.join(top, name, "_definitions.json") for name in names if name.endswith(_DIRECTORIES)}


class Schemas:
    """The built-in kinds of one Kubernetes version; each is compiled when it is first asked for."""

    def __init__(self, version: str, file: str) -> None:
        with open(file, "rb") as opened:
            document = json.load(opened)
        self.version = version
        self._id = document["$id"]
        self._registry = jsonschema_rs.Registry([(self._id, document)], draft=jsonschema_rs.Draft202012)
        self._names: dict[GroupVersionKind, str] = {
            (each["group"], each["version"], each["kind"]): name
            for name, definition in document["$defs"].items()
            for each in definition.get("x-kubernetes-group-version-kind", ())
        }
        self._groups = {group for group, _, _ in self._names}
        self._compiled: dict[str, Validator] = {}

    def of(self, kind: GroupVersionKind) -> Validator | None:
        """The validator of a built-in kind."""
        name = self._names.get(kind)
        return self._named(name) if name else None

    def metadata(self) -> Validator:
        """The validator of any object's metadata."""
        return self._named(METADATA)

    def others(self, kind: GroupVersionKind) -> list[str] | None:
        """For a kind in a group of Kubernetes' own: the versions that have it. None: the group is another's."""
        if kind[0] not in self._groups:
            return None
        return sorted(version for group, version, name in self._names if (group, name) == (kind[0], kind[2]))

    def _named(self, name: str) -> Validator:
        if name not in self._compiled:
            schema = {"$ref": f"{self._id}#/$defs/{name}"}
            self._compiled[name] = compiled(schema, jsonschema_rs.Draft202012Validator, self._registry)
        return self._compiled[name]


class ClusterSchemas:
    """What one cluster knows: the built-in kinds, and the CRDs among its own objects."""

    def __init__(self, builtin: Schemas, compiled_before: dict[str, Validator | None]) -> None:
        self._builtin = builtin
        self._served: dict[GroupVersionKind, Served] = {}
        self._compiled = compiled_before
        self._validators: dict[GroupVersionKind, Validator | None] = {}

    def add(self, value: dict[str, Any]) -> None:
        """Take notice of an object: it may be a CRD."""
        if text(value, "kind") == "CustomResourceDefinition":
            for version in served(value):
                self._served[version.group, version.version, version.kind] = version

    def refusals(self, value: dict[str, Any]) -> list[Refusal] | Unknown:
        """What the API server would refuse of an object."""
        identified = identity(value)
        kind = (identified.group, identified.version, identified.kind)
        builtin = self._builtin.of(kind)
        if builtin is not None:
            return builtin.refusals(value)
        if kind not in self._validators:
            crd = self._served.get(kind)
            self._validators[kind] = self._of_schema(crd.schema) if crd else None
        # None: there is no such CRD, or its schema is none.
        if (custom := self._validators[kind]) is not None:
            of_metadata = self._builtin.metadata().refusals(mapping(value, "metadata"))
            nested = [refusal._replace(path=("metadata", *refusal.path)) for refusal in of_metadata]
            return [*nested, *custom.refusals(without_nulls(value))]
        others = self._builtin.others(kind) if kind not in self._served else None
        if others is None:
            return Unknown(f"{text(value, 'apiVersion')} {identified.kind}")
        there = f"; there is {', '.join(others)}" if others else ""
        message = f"Kubernetes {self._builtin.version} has no {identified.kind} of {text(value, 'apiVersion')}{there}"
        return [Refusal((), message)]

    def _of_schema(self, schema: dict[str, Any]) -> Validator | None:
        """Clusters that have the same CRD share what is made of it."""
        key = hashlib.sha256(dump_json(schema).encode()).hexdigest()
        if key not in self._compiled:
            try:
                self._compiled[key] = compiled(strict(schema), jsonschema_rs.Draft4Validator)
            except Unusable:
                self._compiled[key] = None
        return self._compiled[key]
