"""The few gRPC messages of Argo CD that the tests exchange, as protobuf classes.

Argo CD's servers do not describe their own messages by reflection (they come from gogo/protobuf), so
the names, numbers and types of the fields used are written down here. Fields left out are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

# Field: (name, number, type); a type in brackets is a list of it. A protobuf map is a list of entries.
MESSAGES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    # cmpserver/plugin
    "AppStreamRequest": (("metadata", 1, "ManifestRequestMetadata"), ("file", 2, "File")),
    "ManifestRequestMetadata": (
        ("appName", 1, "string"),
        ("appRelPath", 2, "string"),
        ("checksum", 3, "string"),
        ("size", 4, "int64"),
        ("env", 5, "[Pair]"),
    ),
    "Pair": (("name", 1, "string"), ("value", 2, "string")),
    "File": (("chunk", 1, "bytes"),),
    "PluginManifests": (("manifests", 1, "[string]"),),
    "ParametersAnnouncement": (("parameterAnnouncements", 1, "[ParameterAnnouncement]"),),
    "PluginConfiguration": (("isDiscoveryConfigured", 1, "bool"), ("provideGitCreds", 2, "bool")),
    # reposerver/repository
    "ParameterAnnouncement": (
        ("name", 1, "string"),
        ("title", 2, "string"),
        ("tooltip", 3, "string"),
        ("required", 4, "bool"),
        ("itemType", 5, "string"),
        ("collectionType", 6, "string"),
        ("string", 7, "string"),
        ("array", 8, "[string]"),
        ("map", 9, "[Pair]"),
    ),
    "ManifestRequest": (
        ("repo", 1, "Repository"),
        ("revision", 2, "string"),
        ("noCache", 3, "bool"),
        ("appLabelKey", 4, "string"),
        ("appName", 5, "string"),
        ("namespace", 8, "string"),
        ("applicationSource", 10, "ApplicationSource"),
        ("kubeVersion", 14, "string"),
        ("apiVersions", 15, "[string]"),
        ("trackingMethod", 19, "string"),
        ("projectName", 25, "string"),
        ("annotationManifestGeneratePaths", 26, "string"),
    ),
    "ManifestResponse": (
        ("manifests", 1, "[string]"),
        ("revision", 4, "string"),
        ("sourceType", 6, "string"),
        ("commands", 8, "[string]"),
    ),
    "UpdateRevisionForPathsRequest": (
        ("repo", 1, "Repository"),
        ("appLabelKey", 2, "string"),
        ("appName", 3, "string"),
        ("namespace", 4, "string"),
        ("applicationSource", 5, "ApplicationSource"),
        ("trackingMethod", 6, "string"),
        ("kubeVersion", 8, "string"),
        ("apiVersions", 9, "[string]"),
        ("syncedRevision", 11, "string"),
        ("revision", 12, "string"),
        ("paths", 13, "[string]"),
    ),
    "UpdateRevisionForPathsResponse": (("changes", 1, "bool"), ("revision", 2, "string")),
    "AppDetailsQuery": (
        ("repo", 1, "Repository"),
        ("source", 2, "ApplicationSource"),
        ("appName", 5, "string"),
        ("noCache", 6, "bool"),
        ("trackingMethod", 8, "string"),
    ),
    "AppDetails": (("type", 1, "string"), ("plugin", 6, "PluginAppSpec")),
    "PluginAppSpec": (("parametersAnnouncement", 1, "[ParameterAnnouncement]"),),
    # pkg/apis/application/v1alpha1
    "Repository": (("repo", 1, "string"), ("type", 11, "string")),
    "ApplicationSource": (
        ("repoURL", 1, "string"),
        ("path", 2, "string"),
        ("targetRevision", 4, "string"),
        ("helm", 7, "Helm"),
        ("plugin", 11, "Plugin"),
    ),
    "Helm": (("valueFiles", 1, "[string]"), ("releaseName", 3, "string")),
    "Plugin": (("name", 1, "string"), ("env", 2, "[Pair]"), ("parameters", 3, "[Parameter]")),
    "Parameter": (
        ("name", 1, "string"),
        ("map", 3, "OptionalMap"),
        ("array", 4, "OptionalArray"),
        ("string", 5, "string"),
    ),
    "OptionalArray": (("array", 1, "[string]"),),
    "OptionalMap": (("map", 1, "[Pair]"),),
    "Empty": (),
}


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="argocd.proto", package="argocd", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            single = kind.strip("[]")
            added = message.field.add(name=field, number=number)
            added.label = added.LABEL_REPEATED if kind != single else added.LABEL_OPTIONAL
            if single in MESSAGES:
                added.type, added.type_name = added.TYPE_MESSAGE, f".argocd.{single}"
            else:
                added.type = getattr(added, f"TYPE_{single.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOL = _pool()


def message_class(name: str) -> type[Message]:
    """The class of one of MESSAGES."""
    found: type[Message] = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"argocd.{name}"))
    return found


def message(name: str, **fields: Any) -> Message:
    """One of MESSAGES with these fields."""
    return message_class(name)(**fields)
