"""`diff` against the plain way: render both sides whole and compare every line.

A fleet in which a render reads all that it can read, and random edits of it. A change that `diff` does
not tell, because it thought that a service cannot differ, is the worst mistake it could make.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fleets import chart, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from program import run

PART = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {0}}}\ndata: {{a: {1}}}\n"
SMALL = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-small, namespace: {{ .Release.Namespace }}}\n"
    "data: {values: {{ .Values | toJson | quote }}}\n"
)
FILES = {
    "fleet.yaml": """
        directories: [shared]
        kubernetes: {version: "1.34"}
        profiles: [base]
        vars: {domain: example.com}
        labels: {env: dev}
        """,
    "profiles/base.yaml": """
        services:
          web: {valuesFiles: [base-values.yaml]}
          notes:
          linked:
        """,
    "profiles/base-values.yaml": "fromProfile: 1\n",
    "profiles/prod.yaml": "labels: {env: prod}\nservices: {web: {values: {prod: true}}}\n",
    "services/web/service.yaml": """
        namespace: web
        chart: {path: chart}
        values: {domain: "${vars.domain}", own: 1}
        valuesFiles: [values.yaml, extra.yaml?]
        patches:
          label: {target: {kind: ConfigMap, name: file}, path: patch.yaml, optional: true}
        variants:
          prod: {when: {env: prod}, values: {own: 2}}
        """,
    "services/web/values.yaml": "file: 1\n",
    "services/web/patch.yaml": "metadata: {labels: {patched: one}}\n",
    **chart(
        "services/web/chart",
        **{
            "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"
            "dependencies: [{name: small, version: 1.0.0, repository: 'file://../../../shared/small'}]\n",
            "files/a.txt": "a\n",
            "templates/file.yaml": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: file, namespace: {{ .Release.Namespace }}}\ndata: {a: {{ .Files.Get "files/a.txt" | quote }}}\n',
        },
    ),
    **chart("shared/small", **{"templates/values.yaml": SMALL}),
    "shared/base/kustomization.yaml": "resources: [part.yaml, ../deeper]\n",
    "shared/deeper/kustomization.yaml": "resources: [deep.yaml]\n",
    "shared/deeper/deep.yaml": PART.format("deep", "one"),
    "shared/base/part.yaml": PART.format("part", "one"),
    "shared/component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {by: component}\n",
    "shared/config.txt": "config\n",
    "services/notes/service.yaml": """
        namespace: notes
        resources: [own.yaml, ../../shared/base]
        kustomize:
          components: [../../shared/component]
          configMapGenerator: [{name: generated, files: [../../shared/config.txt]}]
        """,
    "services/notes/own.yaml": PART.format("own", "one"),
    "services/linked/service.yaml": "namespace: linked\nresources: [below]\n",
    "services/linked/below/kustomization.yaml": "resources: [real.yaml, more]\n",
    "services/linked/below/real.yaml": PART.format("real", "one"),
    "shared/more/kustomization.yaml": "resources: [more.yaml]\n",
    "shared/more/more.yaml": PART.format("more", "one"),
    "shared/other/kustomization.yaml": "resources: [more.yaml]\n",
    "shared/other/more.yaml": PART.format("more", "two"),
    "services/box/service.yaml": """
        namespace: boxes
        resources: [box.yaml]
        metadata: {labels: {env: "${cluster.labels.env}", name: "${cluster.name}"}}
        kustomize: {nameSuffix: "-${cluster.name}"}
        """,
    "services/box/box.yaml": PART.format("box", "one"),
    "clusters/a/cluster.yaml": "services: {web: }\n",
    "clusters/b/cluster.yaml": """
        profiles: [prod]
        provision: {service: box, managementCluster: a, vars: {x: "1"}}
        services:
          web: {valuesFiles: [mine.yaml]}
          notes: {resources: [mine-too.yaml]}
        """,
    "clusters/b/mine.yaml": "mine: 1\n",
    "clusters/b/mine-too.yaml": PART.format("mine", "one"),
    # What it would have of the profile renders on `a` from the same files already.
    "clusters/c/cluster.yaml": "services: {web-2: {service: web, namespace: web-2}, web: {enabled: false},"
    " notes: {enabled: false}, linked: {enabled: false}}\n",
}

# What can be done to the fleet: a name, and (file, new text) or (file, None) for its end.
EDITS: dict[str, list[tuple[str, str | None]]] = {
    "nothing": [],
    "a comment in a spec": [("clusters/a/cluster.yaml", "+# a comment\n")],
    "a var": [("fleet.yaml", "=example.com>example.org")],
    "a label that a variant reads": [("fleet.yaml", "=env: dev>env: prod")],
    "a label that nothing reads": [("fleet.yaml", "=env: dev>env: dev, other: x")],
    "the version of Kubernetes": [("fleet.yaml", "=1.34>1.35")],
    "values of the service": [("services/web/service.yaml", "=own: 1>own: 3")],
    "values of a variant": [("services/web/service.yaml", "=own: 2>own: 4")],
    "values that a variant overrides": [("services/web/service.yaml", "=own: 1}>own: 2}")],
    "a values file": [("services/web/values.yaml", "file: 2\n")],
    "an optional values file": [("services/web/extra.yaml", "extra: 1\n")],
    "a values file of a profile": [("profiles/base-values.yaml", "fromProfile: 2\n")],
    "a values file of a cluster": [("clusters/b/mine.yaml", "mine: 2\n")],
    "a profile's values": [("profiles/prod.yaml", "=true>false")],
    "a patch's file": [("services/web/patch.yaml", "=one>two")],
    "a patch's target": [("services/web/service.yaml", "=kind: ConfigMap, name: file>kind: ConfigMap")],
    "a template": [("services/web/chart/templates/file.yaml", "=name: file>name: other")],
    "a template that is new": [("services/web/chart/templates/new.yaml", PART.format("new", "one"))],
    "a template that goes": [("services/web/chart/templates/file.yaml", None)],
    "a chart's own values": [("services/web/chart/values.yaml", "=chart>other")],
    "a file that a template reads": [("services/web/chart/files/a.txt", "b\n")],
    "a file that no template reads": [("services/web/chart/README.md", "b\n")],
    "a chart that a chart depends on": [("shared/small/values.yaml", "=a: chart>a: other")],
    "a dependency's template": [("shared/small/templates/values.yaml", "=kind: ConfigMap>kind: Secret")],
    "a resource": [("services/notes/own.yaml", "=a: one>a: two")],
    "a resource of a cluster": [("clusters/b/mine-too.yaml", "=a: one>a: two")],
    "a base's resource": [("shared/base/part.yaml", "=a: one>a: two")],
    "a resource of a base's base": [("shared/deeper/deep.yaml", "=a: one>a: two")],
    "a base's kustomization": [("shared/base/kustomization.yaml", "+namePrefix: x-\n")],
    "a component": [("shared/component/kustomization.yaml", "=by: component>by: another")],
    "a generator's file": [("shared/config.txt", "other\n")],
    "a file behind a link": [("shared/more/more.yaml", "=a: one>a: two")],
    "a link": [("services/linked/below/more", "@../../../shared/other")],
    "a link to the same": [("services/linked/below/more", "@../../../shared/../shared/more")],
    "a file in place of a link": [
        ("services/linked/below/alias.yaml", PART.format("real", "two")),
        ("services/linked/below/kustomization.yaml", "=real.yaml>alias.yaml"),
    ],
    "a service taken off": [("clusters/a/cluster.yaml", "=web: >web: {enabled: false}")],
    "a service put on": [("clusters/a/cluster.yaml", "=web: >web-3: {service: web, namespace: web-3}, web: ")],
    "another namespace": [("clusters/c/cluster.yaml", "=namespace: web-2>namespace: other")],
    "another release name": [
        ("clusters/c/cluster.yaml", "=namespace: web-2>namespace: web-2, releaseName: x, patches: null")
    ],
    "a cluster that goes": [("clusters/c/cluster.yaml", None)],
    "a cluster that comes": [("clusters/d/cluster.yaml", "apiVersion: cmp-plugin/v1alpha1\nkind: Cluster\n")],
    "a label of a provisioned cluster": [("clusters/b/cluster.yaml", "+labels: {env: test}\n")],
    "a cluster to be provisioned": [("clusters/c/cluster.yaml", "+provision: {service: box, managementCluster: a}\n")],
    "a cluster no more provisioned": [("clusters/b/cluster.yaml", "=provision>#")],
    "what a provisioned cluster is made of": [("services/box/box.yaml", "=a: one>a: two")],
    "another project": [("services/web/service.yaml", "+application: {project: x}\n")],
    "a directory more": [("fleet.yaml", "=[shared]>[shared, other]")],
    "what nothing refers to": [("shared/unused.txt", "x\n")],
}


def edit(root: Path, name: str) -> None:
    """Does an edit; one whose place an earlier one has taken away does nothing."""
    for file, text in EDITS[name]:
        place = root / file
        if text is None:
            place.unlink(missing_ok=True)
        elif text[:1] == "@":
            place.unlink(missing_ok=True)
            place.symlink_to(text[1:])
        elif text[:1] in "=+" and place.exists():
            before, _, after = text[1:].partition(">")
            old = place.read_text()
            place.write_text(old + text[1:] if text[0] == "+" else old.replace(before, after))
        elif text[:1] not in "=+":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)


def commit(root: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *identity, *words], cwd=root, check=True)


Objects = dict[tuple[str, ...], Any]


def whole(root: Path, env: dict[str, str], out: Path) -> Objects | str:
    """Every object of every cluster by (cluster, service, kind, name, namespace); or the error."""
    done = run(["preview", "--out", str(out), "-o", "json"], str(root), env)
    if done.code:
        return done.stderr.decode()
    found: Objects = {}
    for file in out.rglob("*.json"):
        for line in file.read_text().splitlines():
            value = json.loads(line)
            metadata = value["metadata"]
            namespace = metadata.get("namespace", "")
            found[file.parent.name, file.stem, value["kind"], metadata["name"], namespace] = line
    return found


def expected(before: Objects, after: Objects, gone: set[str]) -> set[tuple[str, ...]]:
    """(cluster, service, kind, name, what) of every difference; of clusters that are gone nothing is told."""
    return {
        (*key[:4], "added" if key not in before else "removed" if key not in after else "changed")
        for key in {*before, *after}
        if before.get(key) != after.get(key) and key[0] not in gone
    }


def told(report: Any) -> set[tuple[str, ...]]:
    return {
        (cluster, group["service"], one["kind"], one["name"], one["change"])
        for group in report["changes"]
        for cluster in group["clusters"]
        for one in group["objects"]
        if one["kind"] != "Application"
    }


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str]) -> tuple[Path, Objects]:
    """The fleet in git, and everything that it renders to."""
    root = write(tmp_path_factory.mktemp("origin") / "repository", FILES)
    (root / "services/linked/below/more").symlink_to("../../../shared/more")
    commit(root)
    found = whole(root, clean_env, root.parent / "out")
    assert isinstance(found, dict), found
    return root, found


def check(edits: list[str], origin: tuple[Path, Objects], env: dict[str, str], place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    root = place / "repository"
    shutil.copytree(origin[0], root, symlinks=True)
    for name in edits:
        edit(root, name)
    after = whole(root, env, place / "out")
    done = run(["diff", "-o", "json"], str(root), env)
    if isinstance(after, str):
        assert done.code == 1 and not done.stdout, (after, done)
        return
    assert done.code == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert told(report) == expected(origin[1], after, set(report["clusters"]["removed"]))


@pytest.mark.parametrize("name", EDITS)
def test_each_edit(name: str, origin: tuple[Path, Objects], clean_env: dict[str, str], tmp_path: Path) -> None:
    check([name], origin, clean_env, tmp_path)


@settings(max_examples=int(os.environ.get("DIFF_EXAMPLES", "6")), suppress_health_check=list(HealthCheck))
@given(edits=st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=5, unique=True))
@example(edits=["a link", "a file behind a link", "a template", "another namespace"])
def test_some_edits(edits: list[str], origin: tuple[Path, Objects], clean_env: dict[str, str], tmp_path: Path) -> None:
    check(edits, origin, clean_env, tmp_path)


def test_edits_do_something(origin: tuple[Path, Objects]) -> None:
    """An edit whose text is not there would test nothing."""
    for edits in EDITS.values():
        for file, text in edits:
            place = origin[0] / file
            if text is None or text[0] == "+":
                assert place.is_file(), file
            elif text[0] == "=":
                assert text[1:].partition(">")[0] in place.read_text(), (file, text)
