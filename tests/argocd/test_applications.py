"""Applications of a cluster and of the fleet: form, defaults, fallback, names."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from cmp_plugin.argocd.applications import (
    application_name,
    check_names,
    cluster_applications,
    fleet_application,
    origin_of,
    projects,
)
from cmp_plugin.argocd.inputs import MAX_BYTES
from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import Fleet, open_fleet
from cmp_plugin.fleet.plan import plan, plan_fleet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = "apiVersion: cmp-plugin/v1alpha1\nkind: "


class Files:
    """A fleet being written: `fleet(path, text)` adds a file with its head."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self("fleet.yaml", "repoURL: https://git.example.com/fleet.git\ntargetRevision: main\n")
        self("services/web/service.yaml", "namespace: web\nresources: [objects.yaml]\n")
        self.plain("services/web/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")

    def __call__(self, path: str, text: str) -> None:
        kind = {"profiles": "Profile", "services": "Service", "clusters": "Cluster"}.get(
            path.split("/", maxsplit=1)[0], "Fleet"
        )
        self.plain(path, f"{HEAD}{kind}\n{dedent(text)}")

    def plain(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def open(self) -> Fleet:
        return open_fleet(str(self.root.resolve()))

    def applications(self, cluster: str = "one") -> list[dict[str, Any]]:
        fleet = self.open()
        opened = open_cluster(fleet, cluster)
        return cluster_applications(opened, plan(opened), origin_of(fleet.spec, COMMIT))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made("clusters/one/cluster.yaml", "destination: {name: one}\nservices: {web: }\n")
    return made


def parameters(application: dict[str, Any]) -> dict[str, str]:
    listed = application["spec"]["source"]["plugin"]["parameters"]
    return {entry["name"]: entry["string"] for entry in listed}


def test_the_form_and_its_defaults(files: Files) -> None:
    (application,) = files.applications()
    inputs = parameters(application).pop("inputs")
    assert json.loads(inputs)["service"] == "web"
    application["spec"]["source"]["plugin"]["parameters"].pop()
    assert application == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "one-web",
            "namespace": "argocd",
            "annotations": {
                "argocd.argoproj.io/manifest-generate-paths": ".",
                "argocd.argoproj.io/sync-wave": "0",
            },
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "destination": {"name": "one", "namespace": "web"},
            "revisionHistoryLimit": 3,
            "source": {
                "repoURL": "https://git.example.com/fleet.git",
                "targetRevision": COMMIT,
                "path": "services/web",
                "plugin": {
                    "name": "cmp-plugin",
                    "parameters": [{"name": "cluster", "string": "one"}, {"name": "service", "string": "web"}],
                },
            },
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
    }


def test_what_application_says_is_written(files: Files) -> None:
    files(
        "clusters/one/cluster.yaml",
        """
        destination: {server: "https://one.example.com"}
        services:
          web:
            application:
              name: other
              namespace: apps
              project: shop
              labels: {team: shop}
              annotations: {a: b}
              finalizers: []
              syncOptions: {CreateNamespace: false, Replace: true}
              automated: {selfHeal: false}
              retry: {limit: 5}
              revisionHistoryLimit: 0
              ignoreDifferences: {replicas: {group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}}
              info: [{name: url, value: "https://example.com"}]
              wave: 7
        """,
    )
    (application,) = files.applications()
    assert application["metadata"]["name"] == "other"
    assert application["metadata"]["namespace"] == "apps"
    assert application["metadata"]["labels"] == {"team": "shop"}
    assert application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "7"
    assert "finalizers" not in application["metadata"]
    spec = application["spec"]
    assert spec["destination"] == {"server": "https://one.example.com", "namespace": "web"}
    assert spec["syncPolicy"] == {
        "automated": {"prune": True, "selfHeal": False},
        "syncOptions": ["CreateNamespace=false", "Replace=true", "ServerSideApply=true"],
        "retry": {"limit": 5},
    }
    assert spec["revisionHistoryLimit"] == 0
    assert spec["ignoreDifferences"] == [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]
    assert spec["info"] == [{"name": "url", "value": "https://example.com"}]


def test_automated_false_leaves_the_sync_to_people(files: Files) -> None:
    files("clusters/one/cluster.yaml", "destination: {name: one}\nservices: {web: {application: {automated: false}}}\n")
    (application,) = files.applications()
    assert "automated" not in application["spec"]["syncPolicy"]


@pytest.mark.parametrize(
    ("block", "revision"),
    [("{}", COMMIT), ("{application: {track: branch}}", "main"), ("{revision: v1}", "v1")],
)
def test_the_revision_follows_commit_branch_or_pin(files: Files, block: str, revision: str) -> None:
    files("clusters/one/cluster.yaml", f"destination: {{name: one}}\nlabels: {{a: b}}\nservices: {{web: {block}}}\n")
    (application,) = files.applications()
    assert application["spec"]["source"]["targetRevision"] == revision
    facts = json.loads(parameters(application)["inputs"])["cluster"]
    assert ("labels" in facts and facts["labels"] == {"a": "b"}) == (revision != COMMIT)


def test_waves_follow_dependencies(files: Files) -> None:
    for name in ("db", "cache"):
        files(f"services/{name}/service.yaml", "resources: [../web/objects.yaml]\n")
    files(
        "clusters/one/cluster.yaml",
        """
        destination: {name: one}
        services: {web: {dependsOn: [db, "mail?"]}, db: {dependsOn: [cache]}, cache: }
        """,
    )
    waves = {
        a["metadata"]["name"]: a["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
        for a in files.applications()
    }
    assert waves == {"one-cache": "0", "one-db": "1", "one-web": "2"}


FALLBACK = {"cluster": "one", "service": "web"}


@pytest.mark.parametrize(
    "block",
    [
        "{metadata: {annotations: {a: " + "x" * MAX_BYTES + "}}}",
        "{resources: [../../profiles/more]}",
        "{resources: [/services/other/objects.yaml]}",
    ],
)
def test_what_cannot_travel_names_the_clusters_directory(files: Files, block: str) -> None:
    files.plain("profiles/more/kustomization.yaml", "resources: []\n")
    files.plain("services/other/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
    where = "services/web/service.yaml" if "other" in block else "clusters/one/cluster.yaml"
    if "other" in block:
        files(where, "namespace: web\n" + block.strip("{}") + "\n")
    else:
        files(where, f"destination: {{name: one}}\nservices: {{web: {block}}}\n")
    (application,) = files.applications()
    assert application["spec"]["source"]["path"] == "clusters/one"
    assert parameters(application) == FALLBACK
    paths = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    others = "/services/other;" if "other" in block else ""
    assert paths == f"/fleet.yaml;/profiles;{others}/services/web;."


def test_where_it_follows_the_branch_it_depends_on_all_services(files: Files) -> None:
    """Paths and commit change together only where the commit is in the Application, too."""
    files.plain("profiles/more/kustomization.yaml", "resources: []\n")
    files(
        "clusters/one/cluster.yaml",
        "destination: {name: one}\nservices: {web: {resources: [/profiles/more], application: {track: branch}}}\n",
    )
    (application,) = files.applications()
    paths = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert (parameters(application), paths) == (FALLBACK, "/fleet.yaml;/profiles;/services;.")


def test_what_leads_to_another_service_by_a_link_depends_on_all(files: Files) -> None:
    files.plain("services/other/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
    (files.root / "services/web/link").symlink_to("../other")
    (application,) = files.applications()
    paths = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert (parameters(application), paths) == (FALLBACK, "/fleet.yaml;/profiles;/services;.")


def test_a_pin_that_cannot_travel_is_an_error_that_says_why(files: Files) -> None:
    files.plain("profiles/more/kustomization.yaml", "resources: []\n")
    files(
        "clusters/one/cluster.yaml",
        "destination: {name: one}\nservices: {web: {revision: v1, resources: [/profiles/more]}}\n",
    )
    with pytest.raises(CmpError) as refused:
        files.applications()
    assert str(refused.value) == (
        "clusters/one/cluster.yaml:4:28: one/web: `revision` cannot pin this service: "
        "an upper layer names the directory profiles/more"
    )


def test_inputs_carry_the_files_of_upper_layers(files: Files) -> None:
    files.plain("clusters/one/more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
    files("clusters/one/cluster.yaml", "destination: {name: one}\nservices: {web: {resources: [more.yaml]}}\n")
    (application,) = files.applications()
    carried = json.loads(parameters(application)["inputs"])["files"]
    assert list(carried) == ["/clusters/one/more.yaml"]


def test_inputs_do_not_change_when_a_line_moves_or_another_service_changes(files: Files) -> None:
    (before,) = files.applications()
    files("clusters/one/cluster.yaml", "# moved\n\ndestination: {name: one}\nvars: {unused: 1}\nservices: {web: }\n")
    (after,) = files.applications()
    assert parameters(before) == parameters(after)


def test_the_fleets_root_has_projects_and_clusters(files: Files) -> None:
    files(
        "fleet.yaml",
        """
        repoURL: https://git.example.com/fleet.git
        targetRevision: main
        directories: [base]
        application: {project: team, namespace: argo}
        projects: {team: {description: ours}, empty: }
        """,
    )
    fleet = files.open()
    origin = origin_of(fleet.spec, COMMIT)
    team, empty = projects(fleet, plan_fleet(fleet, ["one"]), origin)
    assert team["spec"] == {
        "sourceRepos": ["https://git.example.com/fleet.git"],
        "destinations": [{"name": "one", "namespace": "web"}],
        "description": "ours",
    }
    assert team["metadata"] == {"name": "team", "namespace": "argo"}
    assert empty["spec"]["destinations"] == []
    root = fleet_application(open_cluster(fleet, "one"), origin)
    assert root["metadata"] == {
        "name": "one",
        "namespace": "argo",
        "annotations": {
            "argocd.argoproj.io/manifest-generate-paths": "/base;/fleet.yaml;/profiles;/services;.",
            "argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm",
        },
    }
    assert root["spec"] == {
        "project": "default",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "argo"},
        "source": {
            "repoURL": "https://git.example.com/fleet.git",
            "targetRevision": "main",
            "path": "clusters/one",
            "plugin": {
                "name": "cmp-plugin",
                "parameters": [{"name": "paths", "string": "/base;/fleet.yaml;/profiles;/services;."}],
            },
        },
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": -1, "refresh": True}},
    }


def test_a_cluster_that_may_be_empty_is_synced_when_it_is(files: Files) -> None:
    files("clusters/two/cluster.yaml", "destination: {name: two}\nallow: [empty]\n")
    fleet = files.open()
    made = fleet_application(open_cluster(fleet, "two"), origin_of(fleet.spec, COMMIT))
    assert made["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": True}


def test_a_management_cluster_gets_what_provisions_the_others(files: Files) -> None:
    files("services/gke/service.yaml", "resources: [../web/objects.yaml]\n")
    files(
        "clusters/two/cluster.yaml",
        """
        destination: {name: two}
        allow: [empty]
        provision: {service: gke, managementCluster: one, dependsOn: [web]}
        """,
    )
    applications = {a["metadata"]["name"]: a for a in files.applications()}
    provision = applications["one-provision.two"]
    assert provision["spec"]["syncPolicy"]["syncOptions"] == [
        "CreateNamespace=true",
        "Delete=confirm",
        "Prune=confirm",
        "ServerSideApply=true",
    ]
    assert provision["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "1"
    assert provision["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=confirm,Delete=confirm"
    assert provision["spec"]["destination"]["name"] == "one"
    fleet = files.open()
    paths = fleet_application(open_cluster(fleet, "one"), origin_of(fleet.spec, COMMIT))["metadata"]["annotations"]
    assert paths["argocd.argoproj.io/manifest-generate-paths"] == "/fleet.yaml;/profiles;/services;/clusters;."


def test_other_paths_are_another_source(files: Files) -> None:
    """Argo CD's cache knows the source only; see tests/real_argocd/test_new_cluster.py for what went wrong."""

    def source_and_paths() -> tuple[Any, str]:
        fleet = files.open()
        made = fleet_application(open_cluster(fleet, "one"), origin_of(fleet.spec, COMMIT))
        return made["spec"]["source"]["plugin"], made["metadata"]["annotations"][
            "argocd.argoproj.io/manifest-generate-paths"
        ]

    usual, _ = source_and_paths()
    assert "parameters" not in usual
    files(
        "clusters/two/cluster.yaml",
        "destination: {name: two}\nservices: {web: }\nprovision: {service: web, managementCluster: one}\n",
    )
    manager, paths = source_and_paths()
    assert manager["parameters"] == [{"name": "paths", "string": paths}]


def test_names_are_unique_over_the_fleet(files: Files) -> None:
    files("clusters/one-web/cluster.yaml", "destination: {name: b}\nservices: {web: }\n")
    fleet = files.open()
    (error,) = check_names(plan_fleet(fleet, ["one", "one-web"]), ["one", "one-web"])
    assert str(error) == "clusters/one/cluster.yaml: one/web: cluster one-web has an Application called one-web too"


@pytest.mark.parametrize("name", ["Upper", "x" * 254, "a_b"])
def test_an_invalid_name_is_an_error(files: Files, name: str) -> None:
    files(
        "clusters/one/cluster.yaml",
        f"destination: {{name: one}}\nservices: {{web: {{application: {{name: {name}}}}}}}\n",
    )
    with pytest.raises(CmpError, match="is no valid name for an Application"):
        application_name(plan(open_cluster(files.open(), "one"))[0])


def test_a_cluster_without_destination_has_no_applications(files: Files) -> None:
    files("clusters/one/cluster.yaml", "services: {web: }\n")
    with pytest.raises(CmpError) as refused:
        files.applications()
    assert str(refused.value) == "clusters/one/cluster.yaml: cluster one has no `destination`"


def test_a_fleet_below_the_top_of_its_repository(files: Files) -> None:
    fleet = files.open()
    origin = origin_of(fleet.spec, COMMIT, "infra/fleet/")
    cluster = open_cluster(fleet, "one")
    (application,) = cluster_applications(cluster, plan(cluster), origin)
    assert application["spec"]["source"]["path"] == "infra/fleet/services/web"
    root = fleet_application(cluster, origin)
    assert root["spec"]["source"]["path"] == "infra/fleet/clusters/one"
    paths = root["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert paths == "/infra/fleet/fleet.yaml;/infra/fleet/profiles;/infra/fleet/services;."
