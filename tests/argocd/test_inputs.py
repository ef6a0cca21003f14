"""Argo CD's parameter `inputs`: what a leaf renders from its directory alone is what the fleet renders."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fleets import chart, planned, request, resolved, write
from hypothesis import given, settings
from hypothesis import strategies as st
from program import run

from cmp_plugin.argocd.inputs import MAX_BYTES, CannotTravel, decode, encode
from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.resolve import resolve
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.goyaml.load import Node, plain

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web}
spec:
  template: {spec: {containers: [{name: web, image: "nginx:1.27"}]}}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
CLUSTER = """\
labels: {env: prod, unused: secret-label}
destination: {name: c}
vars: {domain: "${vars.zone}.example.com", zone: eu, count: 3, unused: secret-var, dir: conf}
profiles: [p]
"""
WEB = "services: {web: }\n"
CHART_SERVICE = "namespace: web\nchart: {path: chart}\n"

# name -> files besides fleet.yaml, the profile, the chart and the cluster
SERVICES: dict[str, dict[str, str]] = {
    "chart": {"services/web/service.yaml": CHART_SERVICE + "values: {host: 'www.${vars.domain}', count: '${vars.count}'}"},
    "files of upper layers": {
        "services/web/service.yaml": CHART_SERVICE + "valuesFiles: [values.yaml, 'none.yaml?']\nvalues: {list+: [a]}",
        "services/web/values.yaml": "text: '${vars.literal}'\n",
        "profiles/web.yaml.d/values.yaml": "emoji: '\U0001f600'\nlist: [profile]\n",
        "profiles/p.yaml": "services: {web: {valuesFiles: [web.yaml.d/values.yaml], values: {list+: [b], gone: null}}}",
        "clusters/c/cluster.yaml": CLUSTER
        + "services: {web: {valuesFiles: ['${vars.dir}/v.yaml'], resources: [map.yaml], values: {map: {a: null}},\n"
        + "  patches: {p: {path: patch.yaml, target: {kind: ConfigMap, name: one}}}}}",
        "clusters/c/conf/v.yaml": "cluster: true\n",
        "clusters/c/map.yaml": MAP.replace("NAME", "one"),
        "clusters/c/patch.yaml": "data: {patched: 'true'}\n",
    },
    "kustomization": {
        "services/web/service.yaml": "",
        "services/web/kustomization.yaml": "resources: [d.yaml, base]\nnamePrefix: x-\n",
        "services/web/d.yaml": DEPLOYMENT,
        "services/web/base/kustomization.yaml": "resources: [m.yaml]\n",
        "services/web/base/m.yaml": MAP.replace("NAME", "m"),
    },
    "patches in order": {
        "services/web/service.yaml": "resources: [d.yaml]\npatches:\n"
        "  z: {target: {kind: Deployment}, patch: [{op: add, path: /spec/replicas, value: 1}]}\n"
        "  a: {target: {kind: Deployment}, patch: [{op: test, path: /spec/replicas, value: 1}]}\n",
        "services/web/d.yaml": DEPLOYMENT,
        "clusters/c/cluster.yaml": CLUSTER
        + "services: {web: {patches: {\n"
        + "  m: {target: {kind: Deployment}, patch: [{op: replace, path: /spec/replicas, value: '${vars.count}'}]},\n"
        + "  b: {target: {kind: Deployment}, patch: [{op: test, path: /spec/replicas, value: 3}]}}}}",
    },
    "defaults, images and metadata": {
        "fleet.yaml": "defaults: {metadata: {labels: {cluster: '${cluster.name}'}}, images: {nginx: {newTag: '1.28'}},\n"
        "  patches: {none: {target: {kind: Job}, patch: {spec: {suspend: true}}}}}",
        "services/web/service.yaml": "resources: [d.yaml]\nimages: {redis: {newTag: '7'}}\nallow: [random]",
        "services/web/d.yaml": DEPLOYMENT.replace("nginx:1.27", "nginx:1.27\"}, {name: r, image: \"redis:6"),
    },
    "variants": {
        "services/web/service.yaml": CHART_SERVICE
        + "variants:\n  prod: {when: {env: prod}, values: {size: large}}\n"
        + "  other: {when: {region: '!eu'}, values: {region: none}}\n"
        + "  dev: {when: {env: '!prod'}, values: {label: '${cluster.labels.env}'}}\n",
    },
    "instance": {
        "services/web/service.yaml": CHART_SERVICE + "values: {name: '${service.name} ${service.namespace}'}",
        "clusters/c/cluster.yaml": CLUSTER + "services: {web: {service: web, releaseName: one, namespace: other}}",
    },
    "fragment": {
        "services/web/service.yaml": "resources: [d.yaml]\nkustomize: {nameSuffix: -x, components: [part]}",
        "services/web/d.yaml": DEPLOYMENT,
        "services/web/part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "labels: [{pairs: {part: yes-it-is}}]\n",
        "clusters/c/cluster.yaml": CLUSTER
        + "services: {web: {kustomize: {configMapGenerator: [{name: g, files: [key=conf/file.txt]}]}}}",
        "clusters/c/conf/file.txt": "from the cluster\n",
    },
}  # fmt: skip


def fleet(root: Path, files: dict[str, str]) -> Path:
    shared = {
        "fleet.yaml": "kubernetes: {version: '1.34'}\nmirrors: {'https://a': 'https://b'}\nlock: optional\n",
        "profiles/p.yaml": "kubernetes: {apiVersions: [example.com/v1]}",
        "clusters/c/cluster.yaml": CLUSTER + WEB,
        **chart("services/web/chart"),
    }
    root.mkdir(exist_ok=True)
    merged = {**shared, **files}
    if "fleet.yaml" in files:
        merged["fleet.yaml"] = shared["fleet.yaml"] + files["fleet.yaml"]
    return write(root, merged)


def encoded(root: Path, whole: bool = False) -> str | CannotTravel:
    return encode(request(root), resolved(root).service, whole)


def text(root: Path) -> str:
    found = encoded(root)
    assert isinstance(found, str), found
    return found


def alone(root: Path, tmp_path: Path) -> Path:
    """The service's directory as the sidecar has it: nothing else of the fleet is there."""
    place = tmp_path / "_cmp_server" / "0d6f1a5c-6c5e-4f4b-a8a7-0c5a6b1a2f00"
    shutil.copytree(root / "services" / "web", place, symlinks=True)
    return place


def without_places(value: Any) -> Any:
    """Positions aside, and paths are the same on both sides."""
    if isinstance(value, Node):
        return plain(value)
    if isinstance(value, tuple):
        fields = value._asdict() if hasattr(value, "_asdict") else None
        if fields is None:
            return [without_places(each) for each in value]
        return {key: without_places(each) for key, each in fields.items() if key != "at"}
    return value


def comparable(service: ResolvedService) -> Any:
    return without_places(service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_leaf_resolves_to_the_same_service(name: str, tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES[name])
    place = alone(root, tmp_path)
    found = resolve(decode(text(root), os.path.realpath(place)))
    assert found is not None
    assert comparable(found.service) == comparable(resolved(root).service)


@pytest.mark.parametrize("name", SERVICES)
def test_both_forms_of_generate_give_the_same_bytes(name: str, tmp_path: Path, clean_env: dict[str, str]) -> None:
    root = fleet(tmp_path / "fleet", SERVICES[name])
    place = alone(root, tmp_path)
    inputs = parameters(cluster="c", service="web", inputs=text(root))
    shutil.move(root, tmp_path / "elsewhere")
    leaf = run(["generate"], str(place), clean_env | inputs)
    in_fleet = run(["generate"], str(tmp_path / "elsewhere/clusters/c"), clean_env | parameters(service="web"))
    assert (leaf.code, leaf.stderr) == (0, b""), leaf.stderr
    assert (in_fleet.code, in_fleet.stderr) == (0, b""), in_fleet.stderr
    assert leaf.stdout == in_fleet.stdout
    assert leaf.stdout.count(b"\n") >= 1


def parameters(**values: str) -> dict[str, str]:
    listed = [{"name": name, "string": value} for name, value in values.items()]
    return {"ARGOCD_APP_PARAMETERS": json.dumps(listed)}


@pytest.mark.parametrize("name", SERVICES)
def test_moving_lines_changes_nothing(name: str, tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES[name])
    before = text(root)
    for pattern in ("fleet.yaml", "profiles/*.yaml", "services/web/service.yaml", "clusters/c/cluster.yaml"):
        for file in root.glob(pattern):
            head, kind, *rest = file.read_text().split("\n")
            file.write_text("\n".join(["# moved", kind, "", head, "# more", *rest]))
    assert text(root) == before


def test_what_shapes_only_the_application_changes_nothing(tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES["chart"])
    before = text(root)
    cluster = root / "clusters" / "c" / "cluster.yaml"
    cluster.write_text(cluster.read_text().replace(WEB, "services: {web: {application: {wave: 7}, dependsOn: ['x?']}}"))
    assert text(root) == before


def test_it_carries_what_the_render_can_see_and_no_more(tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES["chart"])
    message = json.loads(text(root))
    assert message["cluster"]["vars"] == {"domain": "${vars.zone}.example.com", "zone": "eu", "count": 3}
    assert message["cluster"].get("labels") is None
    assert message["settings"]["mirrors"] == [["https://a", "https://b"]]
    assert "secret" not in text(root)
    whole = encoded(root, whole=True)
    assert isinstance(whole, str) and "secret-var" in whole and "secret-label" in whole


def test_it_carries_the_labels_of_every_when(tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES["variants"])
    assert json.loads(text(root))["cluster"]["labels"] == {"env": "prod"}


def test_it_is_canonical(tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", SERVICES["files of upper layers"])
    found = text(root)
    assert found == json.dumps(json.loads(found), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert "\U0001f600" in found


SPEC = {"apiVersion": "cmp-plugin/v1alpha1", "kind": "Service", "namespace": "web", "chart": {"path": "chart"}}
TEXT = st.sampled_from(
    ["x", "${cluster.name}", "${vars.domain}", "${vars.count}", "$${vars.x}", "${HOME}", "\U0001f600"]
)
NAMES = st.sampled_from(["a", "b", "c", "list+", "other"])
TREES = st.recursive(
    st.one_of(
        TEXT,
        st.none(),
        st.booleans(),
        st.integers(-9, 10**12),
        st.floats(-1e9, 1e9).filter(lambda number: not number.is_integer()),
        st.lists(TEXT, max_size=2),
    ),
    lambda inner: st.dictionaries(NAMES.filter(lambda name: "+" not in name), inner, max_size=3),
    max_leaves=6,
)
PATCH = st.fixed_dictionaries(
    {"patch": st.dictionaries(NAMES, TREES, max_size=2)}, optional={"optional": st.booleans()}
)
STRING = TEXT.filter(lambda text: text != "${vars.count}")
IMAGE = st.dictionaries(st.sampled_from(["newName", "newTag", "digest"]), STRING, max_size=2)
BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "values": st.dictionaries(st.sampled_from("abc"), TREES, max_size=3),
        "patches": st.dictionaries(st.sampled_from("zma"), PATCH | st.none(), max_size=3),
        "images": st.dictionaries(st.sampled_from("zma"), IMAGE | st.none(), max_size=3),
        "metadata": st.fixed_dictionaries({"labels": st.dictionaries(st.sampled_from("ba"), STRING | st.none())}),
        "valuesFiles": st.just(["/profiles/web.d/values.yaml"]),
        "includeCRDs": st.booleans() | st.none(),
    },
)


@given(st.tuples(BLOCKS, BLOCKS, BLOCKS, BLOCKS))
@settings(max_examples=150)
def test_any_layers_survive_the_way_to_a_leaf(blocks: tuple[Any, ...]) -> None:
    """Merging is not associative, so this holds only while layers travel apart and in order."""
    default, profile, cluster = (json.dumps(block, ensure_ascii=False)[1:-1] for block in blocks[:3])
    with tempfile.TemporaryDirectory() as root:
        fleet(
            Path(root),
            {
                "fleet.yaml": f"defaults: {{{default}}}\n",
                "profiles/p.yaml": f"services: {{web: {{{profile}}}}}\n",
                "profiles/web.d/values.yaml": "{a: 1, b: [file], c: {a: '${vars.count}'}}\n",
                "clusters/c/cluster.yaml": CLUSTER + f"services: {{web: {{{cluster}}}}}\n",
            },
        )
        file = Path(root, "services/web/service.yaml")
        own = {name: value for name, value in blocks[3].items() if name != "valuesFiles"}
        file.write_text(json.dumps({**SPEC, **own}, ensure_ascii=False))
        try:
            wanted = resolved(Path(root)).service
        except CmpError:
            return
        message = encode(request(Path(root)), wanted)
        assert isinstance(message, str)
        found = resolve(decode(message, os.path.realpath(file.parent)))
        assert found is not None and comparable(found.service) == comparable(wanted)


UNFIT: dict[str, tuple[dict[str, str], str]] = {
    "too large": (
        {"clusters/c/cluster.yaml": CLUSTER + f"services: {{web: {{values: {{a: {'x' * MAX_BYTES}}}}}}}"},
        "inputs would be ",
    ),
    "directory of an upper layer": (
        {
            "clusters/c/cluster.yaml": CLUSTER + "services: {web: {resources: [more]}}",
            "clusters/c/more/kustomization.yaml": "",
        },
        "an upper layer names the directory clusters/c/more",
    ),
    "file outside": (
        {
            "services/web/service.yaml": CHART_SERVICE + "valuesFiles: [../other/v.yaml]",
            "services/other/v.yaml": "a: 1",
        },
        "service.yaml names services/other/v.yaml, outside its directory",
    ),
    "file outside in a variant": (
        {
            "services/web/service.yaml": CHART_SERVICE
            + "variants: {v: {when: {env: prod}, valuesFiles: [../other/v.yaml]}}",
            "services/other/v.yaml": "a: 1",
        },
        "service.yaml names services/other/v.yaml, outside its directory",
    ),
    "no text": (
        {"clusters/c/cluster.yaml": CLUSTER + "services: {web: {valuesFiles: [binary]}}"},
        "clusters/c/binary is not UTF-8 text",
    ),
    "kustomization that reaches out": (
        {
            "services/web/service.yaml": "",
            "services/web/kustomization.yaml": "resources: [../other]\n",
            "services/other/kustomization.yaml": "resources: [m.yaml]\n",
            "services/other/m.yaml": MAP.replace("NAME", "m"),
        },
        "its directory is not enough: services/web/kustomization.yaml:1:13: ",
    ),
    "base of a base that reaches out": (
        {
            "services/web/service.yaml": "resources: [base]",
            "services/web/base/kustomization.yaml": "components: [../../other]\n",
            "services/other/kustomization.yaml": "kind: Component\n",
        },
        "its directory is not enough: services/web/base/kustomization.yaml:1:14: ",
    ),
    "chart that needs one elsewhere": (
        {
            "services/web/chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"
            "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../../lib'}]\n",
            "services/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\n",
        },
        'its directory is not enough: services/web/chart/Chart.yaml:4:23: "../../lib" lies outside ',
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_travel(name: str, tmp_path: Path) -> None:
    files, reason = UNFIT[name]
    root = fleet(tmp_path / "fleet", {"services/web/service.yaml": CHART_SERVICE, **files})
    (root / "clusters/c/binary").write_bytes(b"a: \xff")
    if name == "no text":
        service = resolved(fleet(tmp_path / "other", {"services/web/service.yaml": CHART_SERVICE})).service
        found = encode(request(root), service)
    else:
        found = encoded(root)
    assert isinstance(found, CannotTravel)
    assert found.reason.startswith(reason)
    assert str(tmp_path) not in found.reason


def test_a_link_out_of_the_directory_cannot_travel(tmp_path: Path) -> None:
    files = {"services/web/service.yaml": CHART_SERVICE, **chart("services/other/chart")}
    root = fleet(tmp_path / "fleet", files)
    assert isinstance(encoded(root), str)
    os.makedirs(root / "services/web/chart/charts")
    os.symlink("../../../other/chart", root / "services/web/chart/charts/other")
    found = encoded(root)
    assert isinstance(found, CannotTravel) and "services/web/chart/charts/other is a link" in found.reason


def test_just_below_the_limit_it_travels(tmp_path: Path) -> None:
    root = fleet(tmp_path / "fleet", {"services/web/service.yaml": CHART_SERVICE})
    room = MAX_BYTES - len(text(root).encode())
    cluster = root / "clusters/c/cluster.yaml"
    before = cluster.read_text()
    lengths = []
    for size in range(room - 200, room, 10):
        cluster.write_text(before.replace(WEB, f"services: {{web: {{values: {{a: {'ü' * (size // 2)}}}}}}}"))
        found = encoded(root)
        lengths.append(len(found.encode()) if isinstance(found, str) else None)
    assert lengths[0] is not None and lengths[-1] is None
    assert max(length for length in lengths if length) > MAX_BYTES - 100


def test_every_service_of_a_cluster_that_can_travels_in_its_application(
    tmp_path: Path, clean_env: dict[str, str]
) -> None:
    """What `generate` writes into the Application is what a leaf reads."""
    root = fleet(tmp_path / "fleet", SERVICES["chart"])
    head = (root / "fleet.yaml").read_text()
    (root / "fleet.yaml").write_text(head + "repoURL: https://example.com/fleet.git\n")
    out = run(["generate"], str(root / "clusters/c"), clean_env)
    assert (out.code, out.stderr) == (0, b"")
    source = json.loads(out.stdout)["spec"]["source"]
    given = {each["name"]: each["string"] for each in source["plugin"]["parameters"]}
    assert source["path"] == "services/web"
    assert given == {"cluster": "c", "service": "web", "inputs": text(root)}
    assert [one.request.key for one in planned(root)] == ["web"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", "the parameter `inputs` is not what cmp-plugin writes"),
        ("[]", "the parameter `inputs` is not what cmp-plugin writes"),
        ("{}", "the parameter `inputs` is not what cmp-plugin writes"),
        ("[" * 20000, "the parameter `inputs` is not what cmp-plugin writes"),
        ('{"format": 99}', "the parameter `inputs` has format 99, this plugin reads 1"),
        ('{"format": 1}', "the parameter `inputs` lacks or misplaces 'entry'"),
        ('{"format": 1, "entry": "web", "cluster": []}', "the parameter `inputs` lacks or misplaces "),
    ],
)
def test_what_is_no_parameter_of_ours(inputs: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CmpError) as refused:
        decode(inputs, str(tmp_path))
    assert str(refused.value).startswith(message)


def test_an_error_whose_cause_is_in_inputs_says_where_to_look(tmp_path: Path, clean_env: dict[str, str]) -> None:
    root = fleet(tmp_path / "fleet", SERVICES["chart"])
    message = json.loads(text(root))
    message["above"] = [{"name": "cluster c", "block": {"values": {"host": "${vars.nowhere}"}}}]
    out = run(["generate"], str(alone(root, tmp_path)), clean_env | parameters(inputs=json.dumps(message)))
    assert (out.code, out.stdout) == (1, b"")
    assert out.stderr.decode() == (
        "inputs (cluster c, values.host): c/web: ${vars.nowhere} is not known here "
        '(did you mean "vars.zone"?; cmp-plugin preview c web names the line)\n'
    )
