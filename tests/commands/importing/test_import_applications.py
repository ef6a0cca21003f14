"""`import applications`: an app of apps becomes a fleet that gives the same objects, or nothing is written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from fleets import chart as chart_files
from packing import index, package
from program import run
from serving import Repository
from trees import copied, is_as_expected, lay_out, previewed, said, same, texts, tool

PUBLIC = "https://charts.example.com"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, helm4: str) -> Iterator[Repository]:
    """The chart `small`, which prints its values, in 1.0.0 and 1.2.0, by HTTP."""
    root = tmp_path_factory.mktemp("charts")
    packed = root / "packed"
    packed.mkdir()
    for version in ("1.0.0", "1.2.0"):
        files = {**chart_files(f"{version}/small"), f"{version}/small/prod.yaml": "map: {size: large}\n"}
        files[f"{version}/small/Chart.yaml"] = f"apiVersion: v2\nname: small\nversion: {version}\n"
        lay_out(root, files)
        package(helm4, root / version / "small", packed)
    index(helm4, packed)
    with Repository(str(packed)) as repository:
        yield repository


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str], served: Repository) -> Path:
    """The repository `platform` in git, its charts served here; beside it the fleet made of it."""
    root = tmp_path_factory.mktemp("import")
    for path in copied("platform", root).rglob("*.yaml"):
        path.write_text(path.read_text().replace(PUBLIC, served.url))
    for words in (["init", "-q"], ["remote", "add", "origin", "git@git.example.com:platform.git"]):
        subprocess.run(["git", *words], cwd=root / "platform", check=True)
    done = run(["import", "applications", "platform/apps", "fleet"], str(root), clean_env)
    assert said(done) == (
        0,
        (
            "cache: equal on dev (1), prod (1)\n"
            "policies: equal on dev (1), prod (1)\n"
            "sessions: equal on prod (1)\n"
            "web: equal on dev (2), prod (2)\n"
        ),
        ["7 renders, 9 objects: every one is equal", "next: cd fleet && cmp-plugin preview dev"],
    )
    return root


def test_the_fleet_is_readable(
    platform: Path, served: Repository, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for path, text in texts(platform / "fleet").items():
        lay_out(tmp_path, {path: text.replace(served.url, PUBLIC)})
    is_as_expected(tmp_path, "platform", request.config.getoption("--regenerate"))
    locked = (platform / "fleet/services/cache/service.lock").read_text()
    assert "1.0.0" in locked and "1.2.0" in locked


def helm_template(helm: str, chart: str, release: str, namespace: str, *words: str) -> list[dict[str, Any]]:
    """What helm gives, asked as Argo CD asks it."""
    where = [chart, "--name-template", release, "--namespace", namespace, "--kube-version", "1.34", "--include-crds"]
    return [value for value in yaml.safe_load_all(tool(helm, "template", *where, *words)) if value]


@pytest.mark.parametrize(("cluster", "version"), [("dev", "1.2.0"), ("prod", "1.0.0")])
def test_a_chart_from_a_repository(
    platform: Path,
    served: Repository,
    clean_env: dict[str, str],
    helm4: str,
    tmp_path: Path,
    cluster: str,
    version: str,
) -> None:
    """ImportRequest without our proof: helm on what the Application says, preview on the fleet."""
    application = yaml.safe_load((platform / f"platform/apps/{cluster}/cache.yaml").read_text())
    (tmp_path / "values.yaml").write_text(application["spec"]["source"]["helm"]["values"])
    sets = ["--set=map.replicas=3", "--set-string=map.version=1.10", r"--set=map.annotations.example\.com/team=a\,b"]
    archive = f"{served.directory}/small-{version}.tgz"
    wanted = helm_template(helm4, archive, f"cache-{cluster}", "cache", f"--values={tmp_path}/values.yaml", *sets)
    assert json.loads(wanted[0]["data"]["values"])["map"]["replicas"] == 3
    assert same(wanted, previewed(platform / "fleet", cluster, "cache", clean_env))


@pytest.mark.parametrize("cluster", ["dev", "prod"])
def test_a_chart_of_the_repository_with_values_files(
    platform: Path, clean_env: dict[str, str], helm4: str, tmp_path: Path, cluster: str
) -> None:
    repository = platform / "platform"
    (tmp_path / "values.yaml").write_text("replicas: 2\n")
    files = [
        repository / "charts/web/values-common.yaml",
        repository / "values/web/base.yaml",
        repository / f"values/web/{cluster}.yaml",
    ]
    words = [f"--values={file}" for file in (*files, tmp_path / "values.yaml")]
    wanted = helm_template(helm4, str(repository / "charts/web"), "web", "web", *words)
    wanted.append(yaml.safe_load((repository / "extra/web/dashboard.yaml").read_text()))
    assert same(wanted, previewed(platform / "fleet", cluster, "web", clean_env))


def test_applications_stay_what_they_are(platform: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    """Names, destinations, projects and policies are those of before."""
    for path, text in texts(platform / "fleet").items():
        lay_out(tmp_path, {path: text})
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(fleet.read_text() + "repoURL: https://git.example.com/fleet.git\n")
    for cluster in ("dev", "prod"):
        shown = run(["preview", cluster, "--applications"], str(tmp_path), clean_env).stdout
        ours = {one["metadata"]["name"]: one for one in yaml.safe_load_all(shown)}
        files = (platform / f"platform/apps/{cluster}").glob("*.yaml")
        theirs = {one["metadata"]["name"]: one for one in (yaml.safe_load(file.read_text()) for file in files)}
        assert set(ours) == set(theirs)
        for name, one in theirs.items():
            assert facts(ours[name]) == facts(one), name


def facts(application: dict[str, Any]) -> list[Any]:
    """What an Application does besides rendering, Argo CD's defaults filled in."""
    metadata, spec = application["metadata"], application["spec"]
    policy = spec.get("syncPolicy") or {}
    destination = spec["destination"]
    return [
        metadata.get("finalizers") or [],
        int(metadata.get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0)),
        spec["project"],
        destination.get("namespace"),
        destination.get("server", "https://kubernetes.default.svc"),
        policy.get("automated"),
        sorted(option for option in policy.get("syncOptions") or [] if not option.endswith("=false")),
        spec.get("ignoreDifferences") or [],
    ]


def test_it_validates(platform: Path, clean_env: dict[str, str]) -> None:
    assert run(["validate", "--render"], str(platform / "fleet"), clean_env).code == 0
    assert run(["lock", "--check"], str(platform / "fleet"), clean_env).code == 0


def test_a_fleet_that_was_changed(platform: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    words = ["import", "applications", str(platform / "platform/apps"), str(tmp_path), "--check"]
    for path, text in texts(platform / "fleet").items():
        lay_out(tmp_path, {path: text})
    assert run(words, str(tmp_path), clean_env).code == 0
    service = tmp_path / "services/policies/base/deny.yaml"
    service.write_text(service.read_text().replace("[Ingress]", "[Egress]"))
    assert said(run(words, str(tmp_path), clean_env))[2][1:] == [
        f"apps/{cluster}/policies.yaml: {cluster}/policies: NetworkPolicy policies-{cluster}/default-deny: spec.policyTypes[0]"
        ' is "Ingress" in the source, "Egress" in the fleet'
        for cluster in ("dev", "prod")
    ]


# --- what Applications say in other ways ---


def application(name: str, source: str, more: str = "") -> str:
    """An Application on the cluster `one`; `source` is YAML, a map or a list."""
    kind = "sources" if source.startswith("-") else "source"
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
        f"metadata: {{name: {name}, namespace: argocd}}\n"
        f"spec:\n  project: default\n  destination: {{name: one, namespace: {name}}}\n  {kind}:\n{indent(source, '    ')}\n{more}"
    )


def imported(root: Path, files: dict[str, str], env: dict[str, str]) -> tuple[int, str, list[str]]:
    lay_out(root / "tree", files)
    return said(run(["import", "applications", "tree", "fleet"], str(root), env))


ADDRESS = "repoURL: https://git.example.com/platform.git\n"
SOURCES = {
    "a version as a range": ("targetRevision: 1.0.*", "version: '1.0.0'"),
    "parameters with an index": (
        (
            "targetRevision: 1.2.0\nhelm:\n  valuesObject: {list: [a, b], map: {x: 1}}\n"
            "  parameters: [{name: 'list[1]', value: c}, {name: map.x, value: 'null'}]"
        ),
        "  list:\n  - a\n  - c\n",
    ),
    "a list as a parameter": (
        "targetRevision: 1.2.0\nhelm:\n  parameters: [{name: list, value: '{a,b}'}, {name: map.a, value: 'null'}]",
        "  map:\n    a: null\n",
    ),
    "nulls": ("targetRevision: 1.2.0\nhelm: {values: 'map: {a: null}'}", "map:\n    a: null\n"),
    "a values file of the chart": ("targetRevision: 1.2.0\nhelm: {valueFiles: [prod.yaml]}", "- values/prod.yaml\n"),
    "valuesObject over values": (
        "targetRevision: 1.2.0\nhelm: {values: 'a: 1', valuesObject: {b: 2}}",
        "values:\n  b: 2\n",
    ),
    "an API version": (
        "targetRevision: 1.2.0\nhelm: {apiVersions: [a.example/v1], skipCrds: true}",
        "includeCRDs: false\n",
    ),
}


@pytest.mark.parametrize("case", SOURCES)
def test_sources(tmp_path: Path, clean_env: dict[str, str], served: Repository, case: str) -> None:
    source, wanted = SOURCES[case]
    one = application("web", f"chart: small\nrepoURL: {served.url}\n{source}")
    code, stdout, lines = imported(tmp_path, {"web.yaml": one}, clean_env)
    assert (code, stdout) == (0, "web: equal on one (1)\n"), lines
    assert wanted in (tmp_path / "fleet/services/web/service.yaml").read_text()


def test_a_chart_of_applications(tmp_path: Path, clean_env: dict[str, str], served: Repository) -> None:
    """An app of apps that is a chart is rendered as its owner does."""
    one = application("{{ . }}", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.2.0")
    files = {
        "Chart.yaml": "apiVersion: v2\nname: apps\nversion: 1.0.0\n",
        "values.yaml": "names: [a, b]\n",
        "templates/apps.yaml": "{{ range .Values.names }}\n" + one + "---\n{{ end }}\n",
    }
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (0, "a: equal on one (1)\nb: equal on one (1)\n"), lines


def test_a_kustomization_of_applications(tmp_path: Path, clean_env: dict[str, str], served: Repository) -> None:
    one = application("web", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.2.0")
    files = {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": one}
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (0, "web: equal on one (1)\n"), lines


def test_applications_that_make_others(tmp_path: Path, clean_env: dict[str, str], served: Repository) -> None:
    """They are gone; what they make besides is a service."""
    small = f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.2.0"
    files = {
        "root.yaml": application("root", ADDRESS + "path: teams"),
        "teams/vault.yaml": application("vault-extras", ADDRESS + "path: teams/vault\ndirectory: {recurse: true}"),
        "teams/vault/application.yaml": application("vault", small),
        "teams/vault/more/map.yaml": CONFIG_MAP,
        "teams/vault/service.yaml": CONFIG_MAP.replace("one", "two"),
        "teams/built.yaml": application("built", ADDRESS + "path: built"),
        "built/kustomization.yaml": "resources: [cache.yaml]\n",
        "built/cache.yaml": application("cache", small),
        "teams/vault/rollout.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: one}\n",
    }
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (
        0,
        "cache: equal on one (1)\nvault: equal on one (1)\nvault-extras: equal on one (3)\n",
    ), lines


def test_a_kustomization_that_makes_both(tmp_path: Path, clean_env: dict[str, str], served: Repository) -> None:
    files = {
        "built.yaml": application("built", ADDRESS + "path: built"),
        "built/kustomization.yaml": "resources: [cache.yaml, map.yaml]\n",
        "built/cache.yaml": application("cache", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.2.0"),
        "built/map.yaml": CONFIG_MAP,
    }
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (1, "")
    assert lines[1:] == [
        "built.yaml: Application built: built makes Applications and other objects (keep Applications in a kustomization of their own)",
        "built/map.yaml: ConfigMap one is no Application (put it into a service of its own)",
    ]


def test_destinations(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """Clusters behind one address are several; two destinations that would get one name are never one cluster."""
    servers = {"a": "https://rancher.example.com/k8s/clusters/c-1", "b": "https://rancher.example.com/k8s/clusters/c-2"}
    servers |= {"c": "https://x.example.com:6443", "d": "https://x.example.com:7443"}
    files = {
        f"{name}.yaml": application(name, ADDRESS + "path: plain").replace(
            "name: one, namespace", f'server: "{server}", namespace'
        )
        for name, server in servers.items()
    }
    code, stdout, lines = imported(tmp_path, files | {"plain/one.yaml": CONFIG_MAP}, clean_env)
    assert (code, stdout) == (1, "")
    assert lines[1:] == ["d.yaml: Application d: c calls another destination x.example.com, too"]
    assert run(["import", "applications", "tree", "fleet", "--keep-going"], str(tmp_path), clean_env).code == 1
    clusters = sorted(path.name for path in (tmp_path / "fleet/clusters").iterdir())
    assert clusters == ["rancher.example.com-c-1", "rancher.example.com-c-2", "x.example.com"]


def test_a_chart_that_cannot_be_had(tmp_path: Path, clean_env: dict[str, str], served: Repository) -> None:
    """It is listed; with --keep-going the others are there, proven and locked."""
    files = {
        "good.yaml": application("good", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.2.0"),
        "gone.yaml": application("gone", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 9.9.9"),
        "twice.yaml": application("good", f"chart: small\nrepoURL: {served.url}\ntargetRevision: 1.0.0"),
    }
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout, (tmp_path / "fleet").exists()) == (1, "", False)
    assert lines[0].startswith("1 of 2 renders are equal, 2 findings: nothing is written")
    assert lines[1].startswith("services/gone/service.yaml:6:3: chart small 9.9.9 cannot be fetched")
    assert lines[2] == "twice.yaml: Application good: another one is called good, too"
    assert run(["import", "applications", "tree", "fleet", "--keep-going"], str(tmp_path), clean_env).code == 1
    assert previewed(tmp_path / "fleet", "one", "good", clean_env)
    assert (tmp_path / "fleet/services/good/service.lock").exists()


def test_check_renders_for_the_fleet_s_kubernetes(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """The version that the import was told is in the fleet, and `--check` takes it from there."""
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v}\ndata: {v: {{ .Capabilities.KubeVersion.Version }}}\n"
    )
    files = chart_files("chart", **{"templates/values.yaml": template}) | {
        "web.yaml": application("web", ADDRESS + "path: chart")
    }
    lay_out(tmp_path / "tree", files)
    words = ["import", "applications", "tree", "fleet"]
    assert run([*words, "--kubernetes", "1.31"], str(tmp_path), clean_env).code == 0
    (shown,) = previewed(tmp_path / "fleet", "one", "web", clean_env)
    assert shown["data"]["v"].startswith("v1.31")
    assert run([*words, "--check"], str(tmp_path), clean_env).code == 0
    assert run([*words, "--check", "--kubernetes", "1.30"], str(tmp_path), clean_env).code == 1


def test_what_changes_from_render_to_render(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """A password that the chart makes up is no difference; empty annotations are none either."""
    template = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {}}\n"
        "stringData: {fixed: {{ .Values.list | toJson | quote }}, made-up: {{ randAlphaNum 9 }}}\n"
    )
    files = chart_files("chart", **{"templates/values.yaml": template}) | {
        "web.yaml": application("web", ADDRESS + "path: chart")
    }
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (0, "web: equal on one (1)\n"), lines
    said_so = "warning: one/web: Secret web/s stringData.made-up is another one at each render of the source, too: not compared"
    assert lines[0] == said_so
    chart = tmp_path / "fleet/services/web/chart/templates/values.yaml"
    chart.write_text(chart.read_text().replace("fixed:", "broken:"))
    checked = said(run(["import", "applications", "tree", "fleet", "--check"], str(tmp_path), clean_env))
    assert checked[2] == [
        said_so,
        "0 of 1 renders are equal, 2 findings: the others differ",
        "web.yaml: one/web: Secret web/s: stringData.broken differs (hidden)",
        "web.yaml: one/web: Secret web/s: stringData.fixed differs (hidden)",
    ]


# --- what cannot be expressed ---

AWKWARD = {
    "empty": application("empty", ADDRESS + "path: empty"),
    "plugin": application("plugin", ADDRESS + "path: plain\nplugin: {name: mine}"),
    "jsonnet": application("jsonnet", ADDRESS + "path: plain\ndirectory: {jsonnet: {libs: [x]}}"),
    "environment": application("environment", ADDRESS + "path: chart\nhelm: {values: 'a: $ARGOCD_APP_NAME'}"),
    "kustomize": application("kustomize", ADDRESS + "path: built\nkustomize: {namePrefix: x-}"),
    "revision": application("revision", ADDRESS + "path: plain\ntargetRevision: v1.2.3"),
    "nowhere": application("nowhere", ADDRESS + "path: nowhere"),
    "charts": application(
        "charts", f"- {{{ADDRESS.strip().replace(': ', ': ', 1)}, path: chart}}\n- {{{ADDRESS.strip()}, path: chart}}"
    ),
    "no-ref": application("no-ref", ADDRESS + "path: chart\nhelm: {valueFiles: [$other/x.yaml]}"),
    "outside": application("outside", ADDRESS + "path: chart\nhelm: {valueFiles: [../../../etc/passwd]}"),
    "link": application("link", ADDRESS + "path: chart\nhelm: {valueFiles: [../link.yaml]}"),
    "broken-values": application("broken-values", ADDRESS + "path: chart\nhelm: {valueFiles: [/broken.yaml]}"),
    "no-values": application("no-values", ADDRESS + "path: chart\nhelm: {valueFiles: [nothing.yaml]}"),
    "linked": application("linked", ADDRESS + "path: linked"),
    "plus": application("plus", ADDRESS + "path: chart\nhelm: {valuesObject: {list+: [a]}}"),
    "homeless": application("homeless", ADDRESS + "path: plain").replace("destination: {name: one, ", "destination: {"),
    "broken": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: [\n",
    "set": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set}\nspec: {generators: [{scmProvider: {}}]}\n",
    "stray": "apiVersion: v1\nkind: Secret\nmetadata: {name: stray}\nstringData: {password: s3cret}\n",
    "good": application("good", ADDRESS + "path: plain"),
}


def test_what_cannot_be_expressed_is_listed(tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "secret").write_text("password: s3cret\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link.yaml").symlink_to(tmp_path / "secret")
    (tmp_path / "tree/linked").mkdir()
    (tmp_path / "tree/linked/link.yaml").symlink_to(tmp_path / "secret")
    files = {f"apps/{name}.yaml": text for name, text in AWKWARD.items()}
    files |= {
        "plain/one.yaml": CONFIG_MAP,
        "built/kustomization.yaml": "resources: [one.yaml]\n",
        "built/one.yaml": CONFIG_MAP,
    }
    files |= chart_files("chart") | {"empty/main.jsonnet": "{}", "broken.yaml": "a: [\n"}
    files |= chart_files("linked")
    code, stdout, lines = imported(tmp_path, files, clean_env)
    assert (code, stdout) == (1, "")
    assert not (tmp_path / "fleet").exists()
    assert "s3cret" not in "".join(lines)
    assert lines == [
        "1 of 1 renders are equal, 20 findings: nothing is written (--keep-going writes the fleet all the same)",
        "apps/broken.yaml: it cannot be read: a value is missing here",
        "apps/charts.yaml: Application charts: it has two charts (a service has one: make two Applications of it first)",
        "apps/empty.yaml: Application empty: it has no source that gives objects",
        "apps/environment.yaml: Application environment: it uses Argo CD's build environment (write the values out)",
        "apps/homeless.yaml: Application homeless: it has no destination",
        "apps/jsonnet.yaml: Application jsonnet: directory.jsonnet is not imported",
        "apps/kustomize.yaml: Application kustomize: kustomize.namePrefix is not imported (write it into the kustomization)",
        "apps/link.yaml: Application link: link.yaml is a link that leads out of the allowed directories",
        "apps/linked.yaml: Application linked: linked/link.yaml is a link that leads out of the allowed directories",
        "apps/no-ref.yaml: Application no-ref: the values file $other/x.yaml names a source that is not there",
        "apps/no-values.yaml: Application no-values: the values file nothing.yaml does not exist",
        (
            "apps/nowhere.yaml: Application nowhere: nowhere is not in this repository"
            " (the source is in no git repository: name the directory that paths begin at)"
        ),
        'apps/outside.yaml: Application outside: "../../../etc/passwd" leaves the fleet',
        "apps/plugin.yaml: Application plugin: source.plugin is not imported",
        "apps/plus.yaml: Application plus: it has a value whose key ends in + (put it into a values file)",
        (
            "apps/revision.yaml: Application revision: its source follows v1.2.3, most others follow HEAD"
            " (check that revision out and import it by itself)"
        ),
        "apps/set.yaml: ApplicationSet set: the generator scmProvider is not imported (`argocd appset generate` prints the Applications)",
        "apps/stray.yaml: Secret stray is no Application (put it into a service of its own)",
        "broken.yaml:2:1: Application broken-values: a value is missing here",
        "link.yaml: link.yaml is a link that leads out of the allowed directories",
    ]
