"""What people write: the four kinds of file, as pydantic models, and the JSON Schema made from them.

In: plain values of one file. Out: nothing but a verdict; the program goes on with the loader's nodes,
which know their places. Importing this module costs more than rendering a small service, so the hot
path asks `accepted` (generated from the same models) first and comes here only to explain a refusal.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .defaults import HELM, KUBERNETES

API_VERSION = "cmp-plugin/v1alpha1"
REFERENCE = r"^\$\{(cluster|vars|service)\.[^}]*\}$"

# What `validate` warns about (validation/), and an `allow` can lift.
Warnings = Literal["redundant", "repeated", "unknown-label", "unknown-project", "unknown-value", "unused"]
Guard = Literal["empty", "random", Warnings]
Reference = Annotated[str, Field(pattern=REFERENCE, description="One `${...}` reference.")]
Bool = bool | Reference
Labels = dict[str, str | None]
Text = Annotated[str, Field(min_length=1)]


def field(description: str, **more: Any) -> Any:
    """An optional field with its description, the form nearly every field here has."""
    return Field(default=None, description=description, **more)


class Spec(BaseModel):
    """What people write: no unknown field, no type but the one that is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Chart(Spec):
    """Where a chart comes from: `path`, or `repo` and `name`, or `oci`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["path"], "maxProperties": 1},
                {"required": ["repo", "name"], "maxProperties": 2},
                {"required": ["oci"], "maxProperties": 1},
            ]
        }
    )

    path: Text = field("Directory or archive of a chart in this repository.")
    repo: Text = field("Address of an HTTP chart repository; goes with `name`.")
    name: Text = field("Name of the chart in `repo`.")
    oci: Text = field("Address of a chart in an OCI registry: `oci://host/path/chart`.")

    @model_validator(mode="after")
    def one_source(self) -> Self:
        """Exactly one of the three forms."""
        given = self.model_fields_set
        if [given == {"path"}, given == {"repo", "name"}, given == {"oci"}].count(True) != 1:
            raise ValueError("must be {path: ...}, {repo: ..., name: ...} or {oci: ...}")
        return self


class Target(Spec):
    """Kustomize's patch target: which objects a patch changes. Regular expressions, anchored."""

    group: str | None = field("API group.")
    version: str | None = field("API version without the group.")
    kind: str | None = field("Kind.")
    name: str | None = field("Name.")
    namespace: str | None = field("Namespace.")
    labelSelector: str | None = field("Kubernetes label selector.")
    annotationSelector: str | None = field("Selector over annotations.")


class Patch(Spec):
    """One named patch: a mapping or YAML text (strategic merge), or a list (JSON6902)."""

    target: Target | None = field("Which objects; without it the patch names its object itself.")
    patch: dict[str, Any] | list[dict[str, Any]] | str | None = field(
        "The patch: a mapping or YAML text (strategic merge) or a list of operations (JSON6902)."
    )
    path: Text | None = field("A file with the patch, instead of `patch`.")
    optional: Bool | None = field("True: hitting no object is no error.")


class Image(Spec):
    """What replaces an image's name, tag or digest."""

    newName: Text | None = field("New name, with registry.")
    newTag: Text | None = field("New tag.")
    digest: Text | None = field("New digest, `sha256:...`; wins over a tag.")


class Metadata(Spec):
    """Added to every object's metadata, not to selectors or templates."""

    labels: Labels | None = field("Labels.")
    annotations: Labels | None = field("Annotations.")


class Automated(Spec):
    """Argo CD's automated sync policy."""

    prune: Bool | None = field("Delete what git no longer has; default true.")
    selfHeal: Bool | None = field("Undo changes made in the cluster; default true.")
    allowEmpty: Bool | None = field("Let an Application become empty.")
    enabled: Bool | None = field("Argo CD's own switch.")


class Application(Spec):
    """What is written into the generated Argo CD Application."""

    name: Text | None = field("The Application's name; default `<cluster>-<service>`.")
    namespace: Text | None = field("The Application's own namespace; default `argocd`.")
    project: Text | None = field("AppProject; default `default`.")
    labels: Labels | None = field("The Application's labels.")
    annotations: Labels | None = field("The Application's annotations.")
    syncOptions: dict[str, bool | str | None] | None = field("Sync options by name.")
    automated: bool | Automated | None = field("`false`, or `{prune, selfHeal, allowEmpty}`.")
    retry: dict[str, Any] | None = field("Argo CD's retry settings.")
    ignoreDifferences: dict[str, dict[str, Any] | None] | None = field(
        "Differences Argo CD ignores, by a name of yours."
    )
    finalizers: list[str] | None = field("Finalizers of the Application.")
    finalizers_append: list[str] | None = field("Appended to `finalizers`.", alias="finalizers+")
    wave: int | Reference | None = field("Sync wave; default: one more than its dependencies'.")
    track: Literal["commit", "branch"] | None = field("What targetRevision follows.")
    revisionHistoryLimit: int | None = field("Deployments kept in the history; default 3.", ge=0)
    info: list[dict[str, str]] | None = field("Argo CD's info list: `{name, value}`.")
    info_append: list[dict[str, str]] | None = field("Appended to `info`.", alias="info+")


class Defaults(Spec):
    """A service block for every service: what may stand in `defaults`."""

    namespace: Text | None = field("Destination and release namespace; required with a chart.")
    includeCRDs: Bool | None = field("Render the chart's `crds/` directory; default true.")
    skipTests: Bool | None = field("Leave out the chart's test hooks; default true.")
    valuesFiles: list[Text] | None = field("Plain Helm values files; a trailing `?`: optional.")
    values: dict[str, Any] | None = field("Values handed to the chart; `key+` appends to a list.")
    resources: list[Text] | None = field("Kustomize directories and YAML files to add.")
    resources_append: list[Text] | None = field("The same as `resources`.", alias="resources+")
    kustomize: dict[str, Any] | None = field("A kustomization fragment: Kustomize's own fields.")
    patches: dict[str, Patch | None] | None = field("Patches by name.")
    images: dict[str, Image | None] | None = field("Images by name: newName, newTag, digest.")
    metadata: Metadata | None = field("Labels and annotations for every object.")
    dependsOn: list[Text] | None = field("Services that come before; `name?`: only if present.")
    dependsOn_append: list[Text] | None = field("Appended to `dependsOn`.", alias="dependsOn+")
    application: Application | None = field("Settings of the generated Application.")
    allow: list[Guard] | None = field("Guards and warnings lifted on purpose.")
    allow_append: list[Guard] | None = field("Appended to `allow`.", alias="allow+")


class Block(Defaults):
    """A service block: the same fields in service.yaml, a variant, a profile and a cluster."""

    enabled: Bool | None = field("`false` takes an inherited service off the cluster.")
    chart: Chart | None = field("The chart; replaced whole by a higher layer.")
    version: Text | None = field("The chart's version, exact.")
    releaseName: Text | None = field("Helm's release name; default: the service's key.")
    vars: dict[str, Any] | None = field("Values for `${vars.x}`, this service only.")
    revision: Text | None = field("Git revision of the service's directory on this cluster.")


class Variant(Block):
    """A service block that applies where its `when` holds."""

    when: dict[str, str | Annotated[list[str], Field(min_length=1)]] = Field(
        description='Label -> value, or list of values (any of); `"!x"` means not x.', min_length=1
    )


class Instance(Block):
    """A service block under `services:`; `service` names the catalogue entry."""

    service: Text | None = field("The catalogue entry this key is an instance of; default: the key.")


class Provision(Instance):
    """What provisions this cluster: a service block on its management cluster."""

    managementCluster: Text | None = field("The cluster that provisions this one.")


class Kubernetes(Spec):
    """What charts are told about the cluster."""

    version: Text | None = field(f'Kubernetes version, as a string: "{KUBERNETES}".')
    apiVersions: list[str] | None = field("Extra API versions, as `helm template --api-versions`.")
    apiVersions_append: list[str] | None = field("Appended to `apiVersions`.", alias="apiVersions+")


class Destination(Spec):
    """Argo CD's destination: `name` or `server`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["name"], "maxProperties": 1},
                {"required": ["server"], "maxProperties": 1},
            ]
        }
    )

    name: Text = field("The cluster's name in Argo CD.")
    server: Text = field("The API server's address.")

    @model_validator(mode="after")
    def one_place(self) -> Self:
        """Exactly one of both."""
        if len(self.model_fields_set) != 1:
            raise ValueError("must be {name: ...} or {server: ...}")
        return self


class Tools(Spec):
    """Version ranges of the tools that render this fleet."""

    plugin: Text | None = field("Range of cmp-plugin.")
    helm: Text | None = field(f"Range of helm, one major only; default `{HELM}`.")
    kustomize: Text | None = field("Range of kustomize.")
    strict: bool | None = field("True: a miss is an error, not a warning.")


class File(Spec):
    """What every file has."""

    apiVersion: Literal["cmp-plugin/v1alpha1"] = Field(description="Always this.")


class Fleet(File):
    """fleet.yaml: the root marker and fleet-wide settings."""

    kind: Literal["Fleet"] = Field(description="Always Fleet.")
    repoURL: Text | None = field("Address of this repository, as Argo CD reads it.")
    targetRevision: Text | None = field("Branch or revision Argo CD follows; default HEAD.")
    tools: Tools | None = field("Versions of the tools.")
    mirrors: dict[str, str | None] | None = field("Chart repository or OCI prefix -> used instead.")
    lock: Literal["required", "optional"] | None = field("Whether chart versions must be locked.")
    directories: list[Text] | None = field("Other directories specs may refer to; `.`: all.")
    profiles: list[Text] | None = field("Profiles every cluster starts with.")
    labels: Labels | None = field("Labels of every cluster.")
    vars: dict[str, Any] | None = field("Values for `${vars.x}`.")
    kubernetes: Kubernetes | None = field("What charts are told about the cluster.")
    defaults: Defaults | None = field("A service block below every service.")
    application: Application | None = field("Defaults of every generated Application.")
    projects: dict[str, dict[str, Any] | None] | None = field("AppProject specs by name.")
    allow: list[Warnings] | None = field("Warnings of `validate` that are lifted everywhere.")


class Profile(File):
    """profiles/<name>.yaml: settings a cluster inherits."""

    kind: Literal["Profile"] = Field(description="Always Profile.")
    profiles: list[Text] | None = field("Profiles this one includes; they come before it.")
    labels: Labels | None = field("Labels.")
    vars: dict[str, Any] | None = field("Values for `${vars.x}`.")
    kubernetes: Kubernetes | None = field("What charts are told about the cluster.")
    defaults: Defaults | None = field("A service block below every service.")
    services: dict[str, Instance | None] | None = field("Services by key; naming one deploys it.")


class Service(Block, File):
    """services/<name>/service.yaml: what can be deployed."""

    kind: Literal["Service"] = Field(description="Always Service.")
    variants: dict[str, Variant | None] | None = field("Blocks for clusters with certain labels.")


class Cluster(File):
    """clusters/<name>/cluster.yaml: one cluster."""

    kind: Literal["Cluster"] = Field(description="Always Cluster.")
    labels: Labels | None = field("Labels.")
    vars: dict[str, Any] | None = field("Values for `${vars.x}`.")
    profiles: list[Text] | None = field("Profiles, lowest first.")
    destination: Destination | None = field("Where Argo CD deploys to.")
    kubernetes: Kubernetes | None = field("What charts are told about the cluster.")
    defaults: Defaults | None = field("A service block below every service.")
    services: dict[str, Instance | None] | None = field("Services by key; naming one deploys it.")
    provision: Provision | None = field("What provisions this cluster.")
    allow: list[Literal["empty"]] | None = field("`[empty]`: a cluster without services.")


KINDS: dict[str, type[File]] = {
    "Fleet": Fleet,
    "Profile": Profile,
    "Service": Service,
    "Cluster": Cluster,
}


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one kind of file, for editors and for `accepted`."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles(schema),
    }


def _without_titles(value: Any) -> Any:
    """Pydantic adds a title to every field; an editor would show it above our description."""
    if isinstance(value, dict):
        named = value.get("properties")
        kept = {k: _without_titles(v) for k, v in value.items() if k != "title" and v is not named}
        if isinstance(named, dict):
            kept["properties"] = {k: _without_titles(v) for k, v in named.items()}
        if "default" in kept and kept["default"] is None:
            del kept["default"]
        return kept
    if isinstance(value, list):
        return [_without_titles(v) for v in value]
    return value
