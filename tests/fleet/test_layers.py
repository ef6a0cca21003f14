"""Which layer wins, what merges and what is replaced: docs/spec.md, "Layers and precedence" and "Merge"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleets import refusal, resolved, write

from cmp_plugin.goyaml.load import plain

CLUSTER = "labels: {env: prod}\nkubernetes: {version: '1.34'}\n"
SERVICE = "chart: {path: chart}\nnamespace: low\n"


def fleet(root: Path, service: str = "", cluster: str = "services: {web: }", **more: str) -> Path:
    """A fleet of one cluster `c` with profiles `p1` and `p2`, and one service `web`."""
    files = {
        "services/web/service.yaml": SERVICE + service,
        "services/web/values.yaml": "x: file\n",
        "profiles/p1.yaml": more.pop("p1", ""),
        "profiles/p2.yaml": more.pop("p2", ""),
        "fleet.yaml": more.pop("fleet", ""),
        "clusters/c/cluster.yaml": CLUSTER + "profiles: [p1, p2]\n" + cluster,
    }
    return write(root, files | more)


LAYERS = [
    ("fleet", "defaults: {{metadata: {{labels: {{x: {0}}}}}}}"),
    ("p1", "defaults: {{metadata: {{labels: {{x: {0}}}}}}}"),
    ("p2", "defaults: {{metadata: {{labels: {{x: {0}}}}}}}"),
    ("cluster", "defaults: {{metadata: {{labels: {{x: {0}}}}}}}"),
    ("service", "metadata: {{labels: {{x: {0}}}}}"),
    ("service", "variants: {{a: {{when: {{env: prod}}, metadata: {{labels: {{x: {0}}}}}}}}}"),
    ("service", "variants: {{b: {{when: {{env: prod}}, metadata: {{labels: {{x: {0}}}}}}}}}"),
    ("p1", "services: {{web: {{metadata: {{labels: {{x: {0}}}}}}}}}"),
    ("p2", "services: {{web: {{metadata: {{labels: {{x: {0}}}}}}}}}"),
    ("cluster", "services: {{web: {{metadata: {{labels: {{x: {0}}}}}}}}}"),
]


@pytest.mark.parametrize("highest", range(len(LAYERS)))
def test_precedence_lowest_to_highest(highest: int, tmp_path: Path) -> None:
    """Every layer up to `highest` sets the same label: the last one wins."""
    files: dict[str, list[str]] = {}
    for index, (file, text) in enumerate(LAYERS[: highest + 1]):
        files.setdefault(file, []).append(text.format(f"v{index}"))
    # Two variants stand in one map, in file order.
    variants = [line for line in files.get("service", []) if line.startswith("variants")]
    if len(variants) == 2:
        first, second = (line.removeprefix("variants: {").removesuffix("}") for line in variants)
        files["service"] = [files["service"][0], f"variants: {{{first}, {second}}}"]
    if highest < 9:
        files.setdefault("cluster", []).append("services: {web: }")
    root = fleet(tmp_path, **{file: "\n".join(lines) for file, lines in files.items()})
    assert resolved(root).service.labels == (("x", f"v{highest}"),)


def test_fleet_application_lies_below_every_default(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        fleet="application: {project: a, track: branch}\ndefaults: {application: {project: b}}",
    )
    assert plain(resolved(root).application) == {"project": "b", "track": "branch"}


@pytest.mark.parametrize(
    ("profiles", "order"),
    [
        ({"a": "", "b": ""}, "base a b"),
        ({"a": "profiles: [x, z]", "x": "", "z": "", "b": ""}, "base x z a b"),
        ({"a": "profiles: [b]", "b": ""}, "base b a"),
        ({"a": "profiles: [x]", "b": "profiles: [x]", "x": "profiles: [base]"}, "base x a b"),
        ({"a": "profiles: [x]", "x": "profiles: [z]", "z": "", "b": "profiles: [a]"}, "base z x a b"),
    ],
)
def test_profile_order(profiles: dict[str, str], order: str, tmp_path: Path) -> None:
    """The fleet's, then the cluster's; included ones come before; each once, at its first position."""
    files = {f"profiles/{name}.yaml": text for name, text in profiles.items()}
    root = write(
        tmp_path,
        {
            "fleet.yaml": "profiles: [base]",
            "profiles/base.yaml": "",
            "clusters/c/cluster.yaml": "profiles: [a, b]\nservices: {web: }",
            "services/web/service.yaml": "allow: [empty]",
            **files,
        },
    )
    for name in order.split():
        place = root / "profiles" / f"{name}.yaml"
        place.write_text(place.read_text() + f"\nservices: {{web: {{dependsOn+: ['{name}?']}}}}\n")
    assert [item.value for item in resolved(root).depends_on] == [f"{name}?" for name in order.split()]


def test_labels_vars_and_kubernetes_merge_before_services(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "fleet.yaml": "labels: {a: fleet, b: fleet, gone: x}\nvars: {m: {x: 1}, l: [1]}\n"
            "kubernetes: {version: '1.30', apiVersions: [a/v1]}",
            "profiles/p.yaml": "labels: {b: profile}\nvars: {m: {z: 2}, l+: [2]}\nkubernetes: {apiVersions+: [b/v1]}",
            "clusters/c/cluster.yaml": "profiles: [p]\nlabels: {c: cluster, gone: null}\n"
            "kubernetes: {version: '1.34'}\nservices: {web: {metadata: {labels: {l: '${cluster.labels.b}'}}}}",
            "services/web/service.yaml": "chart: {path: chart}\nnamespace: x\nvalues: {m: '${vars.m}', l: '${vars.l}'}\n"
            "variants: {v: {when: {a: fleet, b: profile, c: cluster, gone: '!x'}, releaseName: all}}",
        },
    )
    service = resolved(root).service
    assert (service.release, service.kube_version, service.api_versions) == ("all", "1.34", ("a/v1", "b/v1"))
    assert plain(service.values) == {"m": {"x": 1, "z": 2}, "l": [1, 2]}
    assert service.labels == (("l", "profile"),)


@pytest.mark.parametrize(
    ("profile", "cluster", "there"),
    [
        ("", "services: {web: }", True),
        ("services: {web: }", "", True),
        ("services: {web: {enabled: false}}", "", False),
        ("services: {web: {enabled: false}}", "services: {web: }", False),
        ("services: {web: {enabled: false}}", "services: {web: {namespace: x}}", False),
        ("services: {web: {enabled: false}}", "services: {web: {enabled: true}}", True),
        ("services: {web: {enabled: false}}", "services: {web: {enabled: null}}", True),
        ("services: {web: }", "services: {web: {enabled: false}}", False),
        ("vars: {flag: false}", "services: {web: {enabled: '${vars.flag}'}}", False),
        ("", "", False),
    ],
)
def test_which_services_are_on_a_cluster(profile: str, cluster: str, there: bool, tmp_path: Path) -> None:
    from fleets import planned

    root = fleet(tmp_path, cluster=cluster + "\nallow: [empty]", p1=profile)
    assert [one.request.key for one in planned(root)] == (["web"] if there else [])


def test_a_service_that_the_catalogue_switches_off_stays_off_until_a_layer_says_so(tmp_path: Path) -> None:
    root = fleet(tmp_path, service="enabled: false", cluster="services: {web: {namespace: x}}")
    assert "cluster c has no services" in refusal(root)


FIELDS: list[tuple[str, str, str, Any]] = [
    ("namespace", "low", "high", "high"),
    ("kustomize", "{namespace: a, nameSuffix: b}", "{nameSuffix: c}", {"namespace": "a", "nameSuffix": "c"}),
    ("kustomize", "{replicas: [{name: a, count: 1}]}", "{replicas: []}", {"replicas": []}),
    ("kustomize", "{replicas: [{name: a, count: 1}]}", "{replicas+: [{name: b, count: 1}]}",
     {"replicas": [{"name": "a", "count": 1}, {"name": "b", "count": 1}]}),
    ("kustomize", "{namespace: a, nameSuffix: b}", "{namespace: null}", {"nameSuffix": "b"}),
    ("kustomize", "{namespace: a}", "null", {"namespace": "a"}),
    ("application", "{automated: {prune: false}}", "{automated: {selfHeal: false}}",
     {"automated": {"prune": False, "selfHeal": False}}),
    ("application", "{automated: {prune: false}}", "{automated: false}", {"automated": False}),
    ("application", "{automated: false}", "{automated: {prune: false}}", {"automated": {"prune": False}}),
    ("application", "{syncOptions: {a: true}}", "{syncOptions: {b: false}}", {"syncOptions": {"a": True, "b": False}}),
    ("application", "{finalizers: [a]}", "{finalizers+: [b]}", {"finalizers": ["a", "b"]}),
    ("application", "{finalizers: [a]}", "{finalizers: null}", {}),
    ("images", "{a: {newTag: '1', newName: x}}", "{a: {newTag: '2'}}", {"a": {"newTag": "2", "newName": "x"}}),
    ("images", "{a: {newTag: '1'}, b: {newTag: '1'}}", "{a: null}", {"b": {"newTag": "1"}}),
    ("metadata", "{labels: {a: x, b: w}}", "{labels: {a: null}}", {"labels": {"b": "w"}}),
    ("vars", "{a: {x: 1}}", "{a: {z: 2}, b: 3}", {"a": {"x": 1, "z": 2}, "b": 3}),
    ("vars", "{a: 1}", "null", {"a": 1}),
    ("dependsOn", "['a?']", "['b?']", ["b?"]),
    ("dependsOn+", "['a?']", "['b?']", ["a?", "b?"]),
    ("allow", "[empty]", "null", None),
    ("chart", "{repo: 'https://x', name: z}", "{path: chart}", {"path": "/services/web/chart"}),
    ("revision", "v1", "null", None),
]  # fmt: skip


@pytest.mark.parametrize(("field", "low", "high", "expected"), FIELDS)
def test_how_a_field_merges(field: str, low: str, high: str, expected: Any, tmp_path: Path) -> None:
    """A variant sets the field first, the cluster then."""
    cluster = f"services: {{web: {{{field}: {high}}}}}".replace("path: chart", "path: /services/web/chart")
    root = fleet(tmp_path, service=f"variants: {{v: {{when: {{env: prod}}, {field}: {low}}}}}", cluster=cluster)
    found = resolved(root).merged.fields.entries().get(field.removesuffix("+"))
    assert (None if found is None else plain(found)) == expected


@pytest.mark.parametrize(
    "field", ["values", "valuesFiles", "vars", "variants", "patches", "images", "kustomize", "application", "metadata", "namespace", "resources", "dependsOn", "includeCRDs", "version", "allow"]
)  # fmt: skip
def test_a_top_level_key_without_a_value_is_left_out(field: str, tmp_path: Path) -> None:
    defaults = (
        "defaults: {namespace: d, includeCRDs: false, dependsOn: ['a?'], allow: [random], resources: [services/r]}"
    )
    service = "chart: {path: chart}\n" + ("" if field == "namespace" else "namespace: own\n")
    root = write(
        tmp_path,
        {
            "fleet.yaml": defaults,
            "services/web/service.yaml": service + f"{field}:\n",
            "clusters/c/cluster.yaml": CLUSTER + "services: {web: }\n",
        },
    )
    found = resolved(root)
    assert found.service.namespace == ("d" if field == "namespace" else "own")
    assert not found.service.include_crds
    assert [item.value for item in found.depends_on] == ["a?"]
    assert found.service.allow == {"random"}
    assert [each.path for each in found.service.resources] == ["/services/r"]


def test_null_in_a_layer_above_deletes_what_lower_layers_set(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="includeCRDs: false\nresources: [a]\nreleaseName: x",
        cluster="services: {web: {includeCRDs: null, resources: null, releaseName: null, values: null}}",
    )
    service = resolved(root).service
    assert (service.include_crds, service.resources, service.release) == (True, (), "web")


def test_resources_of_all_layers_concatenate_and_count_once(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        fleet="defaults: {resources: [services/all]}",
        service="resources: [a, b]\nkustomize: {resources: [a, z]}",
        p1="services: {web: {resources: [/services/web/a, /services/web/c]}}",
        cluster="services: {web: {resources+: [/services/web/d]}}",
    )
    paths = [each.path for each in resolved(root).service.resources]
    assert paths == ["/services/all", *(f"/services/web/{name}" for name in "abcdz")]


def test_null_empties_the_resources_of_lower_layers_only(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="resources: [a]",
        p1="services: {web: {resources: null}}",
        cluster="services: {web: {resources: [b]}}",
    )
    assert [each.path for each in resolved(root).service.resources] == ["/clusters/c/b"]


@pytest.mark.parametrize(
    ("service", "elsewhere", "paths"),
    [
        ("", "", ["/services/web"]),
        ("", "resources: [/services/x]", ["/services/web", "/services/x"]),
        ("resources: [a]", "", ["/services/web/a"]),
        ("resources: []", "", []),
        ("resources:", "", ["/services/web"]),
    ],
)
def test_a_kustomization_is_its_services_first_resource(
    service: str, elsewhere: str, paths: list[str], tmp_path: Path
) -> None:
    root = write(
        tmp_path,
        {
            "services/web/service.yaml": service,
            "services/web/kustomization.yaml": "",
            "clusters/c/cluster.yaml": f"services: {{web: {{{elsewhere}}}}}",
        },
    )
    assert [each.path for each in resolved(root).service.resources] == paths


def test_a_kustomization_comes_before_the_resources_of_defaults(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "fleet.yaml": "defaults: {resources: [services/all]}",
            "services/web/service.yaml": "variants: {v: {when: {env: '!x'}, resources: [b]}}",
            "services/web/kustomization.yaml": "",
            "clusters/c/cluster.yaml": "services: {web: }",
        },
    )
    paths = [each.path for each in resolved(root).service.resources]
    assert paths == ["/services/web", "/services/all", "/services/web/b"]


def test_a_layers_files_merge_before_its_values_and_before_the_next_layer(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="valuesFiles: [one.yaml, two.yaml, 'none.yaml?']\nvalues: {c: own}",
        cluster="services: {web: {valuesFiles: [high.yaml], values: {e: high}}}",
        **{
            "services/web/one.yaml": "{a: 1, b: 1, c: 1, d: 1, e: 1}",
            "services/web/two.yaml": "{b: 2, c: 2, d: 2, e: 2}",
            "clusters/c/high.yaml": "{d: high.yaml, e: high.yaml}",
        },
    )
    assert plain(resolved(root).service.values) == {"a": 1, "b": 2, "c": "own", "d": "high.yaml", "e": "high"}


def test_nothing_in_a_values_file_means_anything_to_us(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="valuesFiles: [plain.yaml]\nvalues: {v: '${cluster.name}'}",
        **{"services/web/plain.yaml": "{a: '${vars.x} $${vars.y}', l: ['${cluster.name}'], 'b+': [1], 'b': [0]}"},
    )
    found = resolved(root).service
    text = "${vars.x} $${vars.y}"
    assert plain(found.values) == {"a": text, "l": ["${cluster.name}"], "b+": [1], "b": [0], "v": "c"}
    assert found.appends == ()


def test_values_keep_nulls_and_open_appends_for_the_chart(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="values: {gone: null, map: {list+: [a]}}",
        cluster="services: {web: {values: {map: {list+: [b], other+: [c]}, back: {x: 1}}}}",
        p1="services: {web: {values: {back: null}}}",
    )
    service = resolved(root).service
    assert plain(service.values) == {"gone": None, "map": {}, "back": {"x": 1}}
    assert [(append.path, plain(append.items)) for append in service.appends] == [
        (("map", "list"), ["a", "b"]),
        (("map", "other"), ["c"]),
    ]


PATCHES: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("{a: {patch: {x: 1}}}", "{a: {patch: {z: 2}}}", [("a", {"patch": {"z": 2}})]),
    ("{a: {target: {kind: A, name: m1}, patch: {x: 1}}}", "{a: {target: {name: m}}}",
     [("a", {"target": {"kind": "A", "name": "m"}, "patch": {"x": 1}})]),
    ("{a: {patch: {x: 1}}}", "{a: {optional: true}}", [("a", {"patch": {"x": 1}, "optional": True})]),
    ("{a: {patch: {x: 1}}}", "{a: {path: /services/web/p}}", [("a", {"path": "/services/web/p"})]),
    ("{a: {path: p}}", "{a: {patch: [{op: remove}]}}", [("a", {"patch": [{"op": "remove"}]})]),
    ("{a: {patch: {x: null, l: [null]}}}", "{}", [("a", {"patch": {"x": None, "l": [None]}})]),
    ("{a: {patch: {'k+': [1]}}}", "{}", [("a", {"patch": {"k+": [1]}})]),
    ("{a: {patch: {}}, b: {patch: {}}}", "{c: {patch: {}}, a: {optional: true}}",
     [("a", {"patch": {}, "optional": True}), ("b", {"patch": {}}), ("c", {"patch": {}})]),
    ("{a: {patch: {}}, b: {patch: {}}}", "{a: null}", [("b", {"patch": {}})]),
]  # fmt: skip


@pytest.mark.parametrize(("low", "high", "expected"), PATCHES)
def test_how_patches_merge(low: str, high: str, expected: Any, tmp_path: Path) -> None:
    service = f"variants: {{v: {{when: {{env: prod}}, patches: {low}}}}}"
    root = fleet(
        tmp_path, service=service, cluster=f"services: {{web: {{patches: {high}}}}}", **{"services/web/p": "x: 1"}
    )
    assert [(name, plain(patch.fields)) for name, patch in resolved(root).merged.patches.items()] == expected


def test_a_patch_removed_and_added_again_goes_last(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        service="patches: {a: {patch: {x: 1}}, b: {patch: {}}}",
        p1="services: {web: {patches: {a: null}}}",
        cluster="services: {web: {patches: {a: {patch: {z: 2}}}}}",
    )
    patches = resolved(root).service.patches
    assert [(patch.name, plain(patch.bodies[0])) for patch in patches] == [("b", {}), ("a", {"z": 2})]


@pytest.mark.parametrize(
    ("block", "optional"),
    [
        ("patches: {p: {patch: {}}}, images: {i: {newTag: a}}", False),
        ("patches: {p: {optional: true}}", True),
        ("", True),
    ],
)
def test_what_only_defaults_name_may_hit_nothing(block: str, optional: bool, tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        fleet="defaults: {patches: {p: {patch: {x: 1}}}, images: {i: {newTag: b}}}",
        cluster=f"services: {{web: {{{block}}}}}",
    )
    service = resolved(root).service
    assert service.patches[0].optional is optional
    assert service.images[0].optional is (not block or "images" not in block)


def test_every_leaf_remembers_where_it_came_from_and_what_it_overrode(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        fleet="defaults: {values: {x: 1}}",
        service="values: {x: 2}",
        cluster="services: {web: {values: {x: 3}}}",
    )
    x = resolved(root).values.entries()["x"]
    places = [str(node.at) for node in (x, *x.over)]
    assert places == ["clusters/c/cluster.yaml:6:30", "services/web/service.yaml:5:13", "fleet.yaml:3:24"]
