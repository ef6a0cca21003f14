"""What is wrong with a patch, an image or a fragment is said where it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_transform import CHART, EXTRA, JOB, WEB

from services import Transform, image, patch, service

SERVICE = "services/web/service.yaml:7:3: one/web: "
PATCH = "services/web/patch.yaml:1:2: one/web: "


@pytest.fixture
def transform(kustomize: str, tmp_path: Path) -> Transform:
    return Transform(kustomize, tmp_path)


OPERATIONS = {
    "{op: replace, path: /spec/replica, value: 1}": (
        'patch "p": replace /spec/replica fails on Deployment/web: there is no /spec/replica (did you mean "replicas"?)'
    ),
    "{op: add, path: /spec/strategi/type, value: x}": (
        'patch "p": add /spec/strategi/type fails on Deployment/web: there is no /spec/strategi'
    ),
    "{op: remove, path: /spec/template/spec/containers/2}": (
        'patch "p": remove /spec/template/spec/containers/2 fails on Deployment/web:'
        " there is no /spec/template/spec/containers/2 (the list has 2 items)"
    ),
    "{op: add, path: /spec/template/spec/containers/-1, value: {}}": (
        'patch "p": add /spec/template/spec/containers/-1 fails on Deployment/web:'
        " the pointer leads to nothing that it could change"
    ),
    "{op: test, path: /spec/replicas, value: 7}": (
        'patch "p": test /spec/replicas fails on Deployment/web: the value there is another one'
    ),
    "{op: move, from: /spec/x, path: /spec/y}": 'patch "p": move /spec/y fails on Deployment/web: there is no /spec/x',
    '{op: replace, path: "", value: [1]}': (
        'patch "p": replace "" fails on Deployment/web: nothing of the object would be left'
    ),
    "{op: replace, path: /metadata/labels/a~1b, value: x}": (
        'patch "p": replace /metadata/labels/a~1b fails on Deployment/web: there is no /metadata/labels/a~1b'
    ),
}


@pytest.mark.parametrize(("operation", "error"), OPERATIONS.items(), ids=OPERATIONS)
def test_operations_that_fail(transform: Transform, operation: str, error: str) -> None:
    made = service(patches=(patch(f"[{operation}]", kind="Deployment"),))
    assert transform.error(made, CHART) == PATCH + error


MALFORMED = {
    "{op: Add, path: /x, value: 1}": ("1:7", '"Add" is no JSON6902 operation (did you mean "add"?)'),
    "{path: /x, value: 1}": ("1:2", '"" is no JSON6902 operation (one of add, copy, move, remove, replace, test)'),
    "{op: add, path: /x}": ("1:2", "add needs `value`"),
    "{op: move, path: /x}": ("1:2", "move needs `from`"),
    "{op: remove, path: spec/x}": (
        "1:21",
        'path "spec/x" is no JSON pointer (it begins with `/`; in a key `/` is written `~1` and `~` is written `~0`)',
    ),
    "{op: remove, path: /a~b}": (
        "1:21",
        'path "/a~b" is no JSON pointer (it begins with `/`; in a key `/` is written `~1` and `~` is written `~0`)',
    ),
    "text": ("1:2", "an operation is a mapping"),
}


@pytest.mark.parametrize(("operation", "error"), MALFORMED.items(), ids=MALFORMED)
def test_what_is_no_operation(transform: Transform, operation: str, error: tuple[str, str]) -> None:
    made = service(patches=(patch(f"[{operation}]", kind="Nothing"),))
    assert transform.error(made, CHART) == f'services/web/patch.yaml:{error[0]}: one/web: patch "p": {error[1]}'


PATCHES: dict[str, tuple[Any, str]] = {
    "no object": (
        patch("spec: {replicas: 2}", kind="Deployment", name="wep"),
        SERVICE + 'patch "p" matches no object (did you mean "Deployment/web"?)',
    ),
    "another namespace": (
        patch("spec: {replicas: 2}", kind="Deployment", name="web", namespace="web"),
        SERVICE + 'patch "p" matches no object (an object without metadata.namespace is in `default` here)',
    ),
    "no object of its own name": (
        patch("{apiVersion: apps/v1, kind: Deployment, metadata: {name: wep}, spec: {replicas: 2}}"),
        SERVICE + 'patch "p" matches no object (did you mean "Deployment/web"?)',
    ),
    "another version": (
        patch("{apiVersion: apps/v2, kind: Deployment, metadata: {name: web}, spec: {replicas: 2}}"),
        SERVICE + 'patch "p" matches no object',
    ),
    "neither target nor name": (
        patch("{kind: Deployment, metadata: {name: web}}"),
        SERVICE + 'patch "p" does not say what it changes'
        " (give it a `target`, or apiVersion, kind and metadata.name of its own)",
    ),
    "operations without target": (
        patch("[{op: remove, path: /spec}]"),
        SERVICE + 'patch "p": a list of JSON6902 operations needs a `target`',
    ),
    "a bad expression": (
        patch("spec: {}", kind="Deployment("),
        'services/web/service.yaml:7:3: one/web: "Deployment(" is no regular expression',
    ),
    "a bad selector": (
        patch("spec: {}", labelSelector="app web"),
        'services/web/service.yaml:7:3: one/web: the selector cannot be read: "web" is no operator',
    ),
    "a null that Kustomize writes as text": (
        patch("metadata: {labels: {app: null}}", kind="Deployment"),
        (
            'services/web/patch.yaml:1:26: one/web: patch "p": with a target, Kustomize does not delete labels.app, it writes'
            ' the text "null" (use a JSON6902 patch with `op: remove`, or name the object in the patch itself)'
        ),
    ),
    "a merge that cannot be": (
        patch("spec: {template: [1]}", kind="Deployment"),
        SERVICE + 'patch "p" cannot be applied: wrong node kind: expected MappingNode but got SequenceNode',
    ),
    "metadata that is a list": (
        patch("metadata: [x]", kind="Deployment"),
        'services/web/patch.yaml:1:11: one/web: patch "p": metadata must be a mapping',
    ),
    "a text": (
        patch("hello", kind="Deployment"),
        'services/web/patch.yaml:1:1: one/web: patch "p" is neither a mapping nor a list of operations',
    ),
}


@pytest.mark.parametrize(("wrong", "error"), PATCHES.values(), ids=PATCHES)
def test_patches(transform: Transform, wrong: Any, error: str) -> None:
    assert transform.error(service(patches=(wrong,)), CHART) == error


def test_the_failing_one_of_several_patches_is_named(transform: Transform) -> None:
    good = [patch(f"metadata: {{labels: {{l{n}: x}}}}", called=f"good{n}", kind="Deployment") for n in range(5)]
    bad = patch("spec: {template: [1]}", called="bad", kind="Deployment")
    error = transform.error(service(patches=(*good[:3], bad, *good[3:])), CHART)
    assert error.startswith(SERVICE + 'patch "bad" cannot be applied: wrong node kind')


def test_operations_on_what_another_patch_made(transform: Transform) -> None:
    """Only Kustomize knows what a strategic merge leaves; after it failed, the object is asked of it."""
    first = patch("spec: {strategy: {type: Recreate}}", kind="Deployment")
    good = patch("[{op: replace, path: /spec/strategy/type, value: X}]", kind="Deployment")
    bad = patch("[{op: remove, path: /spec/strategy/typ}]", called="bad", kind="Deployment")
    outcome = transform.same(service(patches=(first, good)), CHART)
    assert outcome["Deployment/web"]["spec"]["strategy"] == {"type": "X"}
    assert transform.error(service(patches=(first, good, bad)), CHART) == (
        PATCH + 'patch "bad": remove /spec/strategy/typ fails on Deployment/web: there is no /spec/strategy/typ'
        ' (did you mean "type"?)'
    )


def test_several_errors_come_together(transform: Transform) -> None:
    patches = [patch("spec: {}", called=f"p{n}", kind=f"Nothing{n}") for n in range(2)]
    error = transform.error(service(patches=patches, images=(image("webb"),)), CHART)
    assert error.splitlines() == [
        SERVICE + 'image "webb" matches no container',
        SERVICE + 'patch "p0" matches no object',
        SERVICE + 'patch "p1" matches no object',
    ]


def test_what_may_hit_nothing(transform: Transform) -> None:
    made = service(
        patches=(
            patch("spec: {}", optional=True, kind="Nothing"),
            patch("[{op: remove, path: /spec}]", optional=True, kind="Nothing"),
            patch("{apiVersion: v1, kind: Nothing, metadata: {name: x}}", optional=True),
        ),
        images=(image("nothing", new_tag="1", optional=True),),
    )
    outcome = transform.same(made, CHART)
    assert outcome.builds == 0
    beside = made._replace(resources=service(resources=("/services/web/extra.yaml",)).resources)
    outcome = transform.same(beside, CHART, {"web/extra.yaml": EXTRA})
    assert "ConfigMap/extra" in outcome.names
    assert outcome.builds == 3, "the last patch has no target: Kustomize is asked whether it meets something"
    beside = beside._replace(patches=made.patches[:2])
    assert transform.same(beside, CHART, {"web/extra.yaml": EXTRA}).builds == 1


def test_what_refers_to_nothing_changed_starts_nothing(transform: Transform) -> None:
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: web}\n"
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
        "subjects: [{kind: ServiceAccount, name: web, namespace: web}]\n"
    )
    operations = "[{op: add, path: /automountServiceAccountToken, value: false}]"
    nothing = service(patches=(patch(operations, optional=True, kind="ServiceAccount", name="other"),))
    assert transform.same(nothing, f"{account}---\n{binding}").builds == 0
    something = service(patches=(patch(operations, kind="ServiceAccount", name="web"),))
    outcome = transform.same(something, f"{account}---\n{binding}")
    assert outcome.builds == 1
    assert outcome["ServiceAccount/web"]["automountServiceAccountToken"] is False


def test_patches_and_images_meet_resources(transform: Transform) -> None:
    files = {"web/more/kustomization.yaml": "namePrefix: my-\nresources: [web.yaml]\n", "web/more/web.yaml": WEB}
    made = service(
        resources=("/services/web/more",),
        patches=(
            patch("spec: {replicas: 2}", kind="Deployment", name="my-web"),
            patch("metadata: {labels: {previous: name}}", kind="Deployment", name="web"),
            patch("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: true}}"),
        ),
        images=(image("registry.example/web", new_tag="2"),),
    )
    web = transform.same(made, "", files)["Deployment/my-web"]
    assert web["spec"]["replicas"] == 2 and web["spec"]["paused"] is True
    assert web["metadata"]["labels"]["previous"] == "name"
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/web:2"
    wrong = made._replace(patches=(patch("spec: {}", name="wep"),), images=(image("wep"),))
    assert transform.error(wrong, "", files).splitlines() == [
        SERVICE + 'image "wep" matches no container',
        SERVICE + 'patch "p" matches no object',
    ]


def test_operations_on_resources(transform: Transform) -> None:
    files = {"web/extra.yaml": EXTRA}
    made = service(resources=("/services/web/extra.yaml",))
    bad = made._replace(patches=(patch("[{op: remove, path: /data/onn}]", kind="ConfigMap"),))
    assert transform.error(bad, "", files) == (
        PATCH + 'patch "p": remove /data/onn fails on ConfigMap/extra: there is no /data/onn (did you mean "on"?)'
    )


def test_what_kustomize_refuses_must_not_be_met(transform: Transform) -> None:
    job = JOB + "spec: {template: {spec: {containers: [{name: a, image: migrate}]}}}\n"
    error = transform.error(service(patches=(patch("spec: {x: 1}", kind="Job"),)), WEB + job)
    assert error == (
        SERVICE + 'patch "p" selects Job with generateName migrate-;'
        " Kustomize cannot change an object without a name (narrow the target)"
    )
    error = transform.error(service(images=(image("migrate", new_tag="1"),)), WEB + job)
    assert error == (
        SERVICE + 'Job with generateName migrate- uses image "migrate";'
        " Kustomize cannot change an object without a name"
    )


def test_copies_are_bounded(transform: Transform) -> None:
    """Each one here doubles the object; Kustomize has no limit."""
    copies = "".join(f"- {{op: copy, from: /spec, path: /spec/c{n}}}\n" for n in range(40))
    error = transform.error(service(patches=(patch(copies, kind="Deployment"),)), CHART)
    assert error.endswith("fails on Deployment/web: copies make the object too large")


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"


def test_kustomizes_errors_do_not_quote_objects(transform: Transform) -> None:
    """It prints the whole object when it cannot write a character, meets an id twice and so on."""
    control = SECRET.replace("hunter2", '"hunter2\\x7f"')
    error = transform.error(service(kustomize={"namespace": "x"}), control)
    assert "hunter2" not in error and "control characters" in error
    twice = {"web/a.yaml": SECRET + "---\n" + SECRET.replace("s}", "s, namespace: b}")}
    error = transform.error(service(kustomize={"namespace": "x"}, resources=("/services/web/a.yaml",)), "", twice)
    assert "hunter2" not in error
    merging = {"secretGenerator": [{"name": "x", "behavior": "merge", "literals": ["a=hunter2"]}]}
    assert transform.error(service(kustomize=merging)) == (
        "services/web/service.yaml: one/web: kustomize: a generator's Secret/x does not exist; cannot merge or replace"
    )
    literal = {"secretGenerator": [{"name": "x", "literals": ["hunter2"]}]}
    assert "hunter2" not in transform.error(service(kustomize=literal))
    merge = patch("stringData: {password: {a: hunter2}}", kind="Secret")
    assert "hunter2" not in transform.error(service(patches=(merge,)), SECRET)
    test = patch("[{op: test, path: /stringData/password, value: hunter3}]", kind="Secret")
    error = transform.error(service(patches=(test,)), SECRET)
    assert "hunter" not in error
