"""From layers to what is rendered: facts, variants, instances, charts, guards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleets import chart, planned, refusal, request, resolved, write

from cmp_plugin.errors import CmpError, Location
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import planned_service
from cmp_plugin.fleet.service import Chart
from cmp_plugin.fleet.service_layers import holds
from cmp_plugin.goyaml.load import node, plain

AT = Location("services/web/service.yaml", 1, 1)
CLUSTER = "labels: {env: prod}\nkubernetes: {version: '1.34'}\ndestination: {name: c}\nvars: {domain: example.com}\n"
SERVICE = "namespace: web\nchart: {path: chart}\n"


def fleet(root: Path, service: str = "", web: str = "", **files: str) -> Path:
    return write(
        root,
        {
            "services/web/service.yaml": SERVICE + service,
            "clusters/c/cluster.yaml": CLUSTER + f"services: {{web: {{{web}}}}}\n",
            **chart("services/web/chart"),
            **files,
        },
    )


WHEN: list[tuple[dict[str, Any], dict[str, str], bool]] = [
    ({"a": "x"}, {"a": "x"}, True),
    ({"a": "x"}, {"a": "z"}, False),
    ({"a": "x"}, {}, False),
    ({"a": ["x", "z"]}, {"a": "z"}, True),
    ({"a": ["x", "z"]}, {"a": "w"}, False),
    ({"a": "!x"}, {"a": "x"}, False),
    ({"a": "!x"}, {"a": "z"}, True),
    ({"a": "!x"}, {}, True),
    ({"a": ["!x", "!z"]}, {"a": "z"}, False),
    ({"a": ["!x", "!z"]}, {"a": "w"}, True),
    ({"a": ["!x", "!z"]}, {}, True),
    ({"a": "x", "b": "x"}, {"a": "x", "b": "x"}, True),
    ({"a": "x", "b": "x"}, {"a": "x"}, False),
    ({"a": "x", "b": "!x"}, {"a": "x"}, True),
    ({"example.com/tier": "gold"}, {"example.com/tier": "gold"}, True),
    ({"a": ""}, {"a": ""}, True),
    ({"a": ""}, {}, False),
]


@pytest.mark.parametrize(("when", "labels", "expected"), WHEN)
def test_when(when: dict[str, Any], labels: dict[str, str], expected: bool) -> None:
    assert holds(node({"when": when}, AT), labels) is expected


def test_all_matching_variants_apply_in_file_order(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        "variants:\n"
        "  z: {when: {env: prod}, values: {a: z, z: z}}\n"
        "  x: {when: {env: dev}, values: {a: x, x: x}}\n"
        "  a: {when: {env: '!dev'}, values: {a: a}}\n",
    )
    assert plain(resolved(root).service.values) == {"a": "a", "z": "z"}


def test_what_a_service_without_settings_is(tmp_path: Path) -> None:
    service = resolved(fleet(tmp_path)).service
    assert service.chart == Chart(service.chart.at if service.chart else AT, path="/services/web/chart")
    assert (service.release, service.namespace, service.entry, service.directory) == (
        "web",
        "web",
        "web",
        "/services/web",
    )
    assert (service.include_crds, service.skip_tests, service.allow) == (True, True, frozenset())
    assert (service.helm_range, service.kustomize_range, service.tools_strict) == ("~4.3", "~5.8", False)
    assert (service.kube_version, service.api_versions, service.label) == ("1.34", (), "c/web")


def test_what_fleet_yaml_says_about_tools(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        **{
            "fleet.yaml": "tools: {helm: ~3.22, kustomize: '>=5.8', strict: true}\nmirrors: {'https://a': m}\nlock: optional"
        },
    )
    service = resolved(root).service
    assert (service.helm_range, service.kustomize_range, service.tools_strict) == ("~3.22", ">=5.8", True)
    assert (service.mirrors, service.lock_optional) == ((("https://a", "m"),), True)


REPO = "chart: {repo: 'https://charts.example.com', name: x}\nnamespace: web\n"


@pytest.mark.parametrize("version", ["1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "0.0.0"])
def test_exact_versions(version: str, tmp_path: Path) -> None:
    root = fleet(tmp_path, **{"services/web/service.yaml": REPO + f"version: '{version}'"})
    found = resolved(root).service.chart
    assert found and (found.repo, found.name, found.version) == ("https://charts.example.com", "x", version)


@pytest.mark.parametrize(
    "version", ["1.2", "1", "^1.2.3", "~1.2", ">=1.2.3", "1.2.x", "*", "latest", "1.2.3 || 1.2.4", "1.2.٣"]
)
def test_versions_that_are_not_exact(version: str, tmp_path: Path) -> None:
    root = fleet(tmp_path, **{"services/web/service.yaml": REPO + f"version: '{version}'"})
    assert f'version "{version}" is not exact' in refusal(root)


def test_a_version_may_be_a_var(tmp_path: Path) -> None:
    service = REPO + "version: '${vars.v}'\nvars: {v: 1.2.3}"
    chart = resolved(fleet(tmp_path / "a", **{"services/web/service.yaml": service})).service.chart
    assert chart is not None and chart.version == "1.2.3"
    service = REPO + "version: '${vars.v}'\nvars: {v: ^1.2}"
    assert 'c/web: version "^1.2" is not exact' in refusal(
        fleet(tmp_path / "b", **{"services/web/service.yaml": service})
    )


@pytest.mark.parametrize(
    ("patch", "json6902", "bodies"),
    [
        ("patch: {a: 1}", False, [{"a": 1}]),
        ("patch: '{a: 1}'", False, [{"a": 1}]),
        ("patch: [{op: remove, path: /a}]", True, [[{"op": "remove", "path": "/a"}]]),
        ("patch: '[{op: remove, path: /a}]'", True, [[{"op": "remove", "path": "/a"}]]),
        ("path: map.yaml", False, [{"a": 1}]),
        ("path: list.yaml", True, [[{"op": "remove", "path": "/a"}]]),
        ("path: two.yaml", False, [{"a": 1}, {"b": None}]),
    ],
)
def test_a_patch_is_a_mapping_a_list_or_a_text_with_either(
    patch: str, json6902: bool, bodies: list[Any], tmp_path: Path
) -> None:
    root = fleet(
        tmp_path,
        f"patches: {{p: {{{patch}}}}}",
        **{
            "services/web/map.yaml": "a: 1\n",
            "services/web/list.yaml": "- {op: remove, path: /a}\n",
            "services/web/two.yaml": "a: 1\n---\nb: null\n",
        },
    )
    (found,) = resolved(root).service.patches
    assert found.is_json6902 is json6902
    assert [plain(body) for body in found.bodies] == bodies


class TestInstances:
    """A key is what a service is called on a cluster; its entry is where its files are."""

    ROOT = {
        "profiles/p.yaml": "services: {gateway-a: {service: web, values: {p: 1}}, web: {values: {other: 1}}}",
        "clusters/c/cluster.yaml": CLUSTER + "profiles: [p]\n"
        "services: {gateway-a: {values: {c: 1, name: '${service.name}'}}, web: {enabled: false}}\n",
    }

    def test_key_and_entry(self, tmp_path: Path) -> None:
        service = resolved(fleet(tmp_path, "values: {own: 1}", **self.ROOT), key="gateway-a").service
        assert (service.name, service.entry, service.release, service.label) == (
            "gateway-a",
            "web",
            "gateway-a",
            "c/gateway-a",
        )
        assert service.directory == "/services/web"
        assert plain(service.values) == {"own": 1, "p": 1, "c": 1, "name": "gateway-a"}

    def test_two_instances_on_one_cluster(self, tmp_path: Path) -> None:
        files = {**self.ROOT, "clusters/c/cluster.yaml": CLUSTER + "services: {a: {service: web}, b: {service: web}}\n"}
        assert [one.request.key for one in planned(fleet(tmp_path, **files))] == ["a", "b"]

    def test_the_highest_layer_names_the_entry(self, tmp_path: Path) -> None:
        files = {
            **self.ROOT,
            "services/other/service.yaml": "allow: [empty]",
            "clusters/c/cluster.yaml": CLUSTER
            + "profiles: [p]\nservices: {gateway-a: {service: other, values: null}}\n",
            "profiles/p.yaml": "services: {gateway-a: {service: web}}",
        }
        assert request(fleet(tmp_path, **files), key="gateway-a").entry == "other"

    def test_null_makes_the_key_the_entry_again(self, tmp_path: Path) -> None:
        files = {
            **self.ROOT,
            "services/gateway-a/service.yaml": "allow: [empty]",
            "clusters/c/cluster.yaml": CLUSTER
            + "profiles: [p]\nservices: {gateway-a: {service: null, values: null}}\n",
            "profiles/p.yaml": "services: {gateway-a: {service: web}}",
        }
        assert request(fleet(tmp_path, **files), key="gateway-a").entry == "gateway-a"


class TestInterpolation:
    def test_every_fact(self, tmp_path: Path) -> None:
        text = "${cluster.name} ${cluster.labels.env} ${cluster.destination.name} ${vars.domain} ${service.name} ${service.namespace}"
        root = fleet(tmp_path, f"values: {{a: '{text}'}}\nmetadata: {{annotations: {{a: '${{cluster.name}}'}}}}")
        service = resolved(root).service
        assert plain(service.values) == {"a": "c prod c example.com web web"}
        assert service.annotations == (("a", "c"),)

    def test_it_happens_after_merging(self, tmp_path: Path) -> None:
        """A lower layer's reference sees the vars that a higher one sets; a value nobody keeps is never read."""
        root = fleet(
            tmp_path,
            "values: {a: '${vars.x}', gone: '${vars.nowhere}'}\nvars: {x: low}",
            web="vars: {x: high}, values: {gone: 1}",
        )
        assert plain(resolved(root).service.values) == {"a": "high", "gone": 1}

    def test_a_services_own_vars_win_over_the_clusters(self, tmp_path: Path) -> None:
        root = fleet(
            tmp_path, "values: {a: '${vars.domain}', b: '${vars.sub}'}\nvars: {domain: own, sub: 'x.${vars.domain}'}"
        )
        assert plain(resolved(root).service.values) == {"a": "own", "b": "x.own"}

    def test_a_cluster_var_sees_a_services_own(self, tmp_path: Path) -> None:
        root = fleet(
            tmp_path,
            "values: {a: '${vars.host}'}\nvars: {domain: own}",
            **{"fleet.yaml": "vars: {host: 'www.${vars.domain}'}"},
        )
        assert plain(resolved(root).service.values) == {"a": "www.own"}

    @pytest.mark.parametrize(
        ("block", "field", "expected"),
        [
            ("namespace: '${cluster.name}-x'", "namespace", "c-x"),
            ("releaseName: '${service.name}-${service.namespace}'", "release", "web-web"),
            ("includeCRDs: '${vars.flag}'", "include_crds", False),
            ("skipTests: '${vars.flag}'", "skip_tests", False),
        ],
    )
    def test_fields(self, block: str, field: str, expected: object, tmp_path: Path) -> None:
        root = fleet(tmp_path, "vars: {flag: false}", web=block)
        assert getattr(resolved(root).service, field) == expected

    def test_patches_and_images(self, tmp_path: Path) -> None:
        root = fleet(
            tmp_path,
            "patches:\n  p:\n    target: {name: '${service.name}'}\n    patch: |\n      a: '${vars.domain}'\n"
            "images: {nginx: {newName: '${vars.domain}/nginx'}}",
        )
        service = resolved(root).service
        target = service.patches[0].target
        assert target is not None and plain(target) == {"name": "web"}
        assert plain(service.patches[0].bodies[0]) == {"a": "example.com"}
        assert service.images[0].new_name == "example.com/nginx"

    def test_a_patch_in_a_file_is_no_spec(self, tmp_path: Path) -> None:
        root = fleet(tmp_path, "patches: {p: {path: p.yaml}}", **{"services/web/p.yaml": "a: '${vars.nowhere}'"})
        assert plain(resolved(root).service.patches[0].bodies[0]) == {"a": "${vars.nowhere}"}

    def test_keys_and_values_files_stay(self, tmp_path: Path) -> None:
        root = fleet(tmp_path, "values: {'${cluster.name}': 1}\nvaluesFiles: ['${vars.domain}.yaml']",
                     **{"services/web/example.com.yaml": "a: '${vars.domain}'"})  # fmt: skip
        assert plain(resolved(root).service.values) == {"${cluster.name}": 1, "a": "${vars.domain}"}


REFUSED = [
    ("namespace: null", "", "c/web: a service with a chart needs a `namespace`"),
    ("values: {a: 1}\nchart: null\nnamespace: x", "", "c/web: `values` has no meaning, this service has no chart"),
    ("", "metadata: {labels: {a: '${vars.n3}'}}, vars: {n3: 3}", "c/web: a must be a string, and so must the var"),
    (
        "",
        "images: {nginx: {newTag: '${vars.n3}'}}, vars: {n3: 3}",
        "c/web: newTag must be a string, and so must the var",
    ),
    ("", "namespace: '${vars.n3}', vars: {n3: 3}", "c/web: namespace must be a string, and so must the var"),
    ("", "namespace: '${service.namespace}'", "c/web: ${service.namespace} is not known here"),
    ("", "patches: {p: {optional: true}}", 'c/web: patch "p" has neither `patch` nor `path`'),
    ("", "patches: {p: {path: /services/web/none.yaml}}", "c/web: services/web/none.yaml does not exist"),
]


@pytest.mark.parametrize(("service", "web", "message"), REFUSED)
def test_refused(service: str, web: str, message: str, tmp_path: Path) -> None:
    files = {"services/web/service.yaml": service or SERVICE} if service else {}
    if service.startswith("namespace: null"):
        files = {"services/web/service.yaml": "chart: {path: chart}\nnamespace: null"}
    assert message in refusal(fleet(tmp_path, web=web, **files))


@pytest.mark.parametrize(
    "field",
    ["releaseName: x", "version: 1.2.3", "includeCRDs: true", "skipTests: true", "valuesFiles: []", "values: {}"],
)
def test_chart_fields_need_a_chart_except_in_defaults(field: str, tmp_path: Path) -> None:
    plain_service = {"services/web/service.yaml": "allow: [empty]"}
    name = field.partition(":")[0]
    assert f"c/web: `{name}` has no meaning" in refusal(fleet(tmp_path / "a", web=field, **plain_service))
    if name not in ("releaseName", "version"):
        root = fleet(tmp_path / "b", **plain_service, **{"fleet.yaml": f"defaults: {{{field}, namespace: x}}"})
        assert resolved(root).service.chart is None


@pytest.mark.parametrize("where", ["fleet.yaml", "profiles/p.yaml", "clusters/c/cluster.yaml"])
def test_the_kubernetes_version_may_be_inherited(where: str, tmp_path: Path) -> None:
    files = {
        "fleet.yaml": "",
        "profiles/p.yaml": "",
        "clusters/c/cluster.yaml": "profiles: [p]\nservices: {web: }",
    }
    assert "c/web: the Kubernetes version is needed" in refusal(fleet(tmp_path / "none", **files))
    files[where] += "\nkubernetes: {version: '1.33'}"
    assert resolved(fleet(tmp_path / "one", **files)).service.kube_version == "1.33"


def test_a_chart_from_a_higher_layer_replaces_it_whole(tmp_path: Path) -> None:
    root = fleet(tmp_path, web="chart: {oci: 'oci://x/y'}, version: 1.2.3")
    found = resolved(root).service.chart
    assert found and (found.path, found.oci, found.version) == ("", "oci://x/y", "1.2.3")


def test_the_order_of_images_and_labels_does_not_matter(tmp_path: Path) -> None:
    one = fleet(tmp_path / "a", "images: {b: {newTag: x}, a: {newTag: x}}\nmetadata: {labels: {b: x, a: x}}")
    service = resolved(one).service
    assert [image.name for image in service.images] == ["a", "b"]
    assert [name for name, _ in service.labels] == ["a", "b"]


def test_all_errors_of_a_service_come_together(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        "values: {a: '${vars.x1}'}\nreleaseName: '${vars.x2}'\n"
        "patches: {p: {patch: {a: '${vars.x3}'}}, q: {optional: true}}",
    )
    assert refusal(root).splitlines() == [
        "services/web/service.yaml:5:13: c/web: ${vars.x1} is not known here",
        "services/web/service.yaml:6:14: c/web: ${vars.x2} is not known here",
        "services/web/service.yaml:7:26: c/web: ${vars.x3} is not known here",
        'services/web/service.yaml:7:42: c/web: patch "q" has neither `patch` nor `path`',
    ]


def test_a_service_that_is_off_is_not_looked_at(tmp_path: Path) -> None:
    root = fleet(tmp_path, web="enabled: false, values: {a: '${vars.none}'}",
                 **{"services/ok/service.yaml": "allow: [empty]"})  # fmt: skip
    file = root / "clusters/c/cluster.yaml"
    file.write_text(file.read_text().replace("services: {", "services: {ok: , "))
    assert [one.request.key for one in planned(root)] == ["ok"]


def test_asking_for_what_is_not_there(tmp_path: Path) -> None:
    cluster = open_cluster(open_fleet(str(fleet(tmp_path, web="enabled: false"))), "c")
    for key, message in (("wbe", 'c has no service "wbe" (did you mean "web"?)'), ("web", "c/web is switched off")):
        with pytest.raises(CmpError) as refused:
            planned_service(cluster, key)
        assert message in str(refused.value)


class TestFleetFiles:
    """Which files make a fleet, and what they are called."""

    def test_the_root_is_the_nearest_ancestor(self, tmp_path: Path) -> None:
        from cmp_plugin.fleet.files import find_root

        outer = write(tmp_path, {"services/x/a/b.yaml": ""})
        inner = write(tmp_path / "services/x", {"a/c.yaml": ""})
        assert find_root(str(outer / "services")) == str(outer)
        assert find_root(str(inner / "a")) == str(inner)

    def test_names(self, tmp_path: Path) -> None:
        root = fleet(
            tmp_path,
            **{
                "profiles/a.b.yaml": "",
                "profiles/README.md": "",
                "clusters/notes/README.md": "",
                "services/shared/values.yaml": "",
            },
        )
        opened = open_fleet(str(root))
        assert [opened.names(kind) for kind in ("Profile", "Service", "Cluster")] == [["a.b"], ["web"], ["c"]]

    @pytest.mark.parametrize("name", ["Dev", "a_b", "-a", "a..b", "a-", "ä"])
    def test_a_name_is_a_dns_1123_subdomain(self, name: str, tmp_path: Path) -> None:
        root = fleet(tmp_path, **{f"clusters/{name}/cluster.yaml": "allow: [empty]"})
        opened = open_fleet(str(root))
        with pytest.raises(CmpError) as refused:
            open_cluster(opened, name)
        assert "is no DNS-1123 name" in str(refused.value)

    def test_rendering_one_cluster_reads_no_other(self, tmp_path: Path) -> None:
        root = fleet(tmp_path, **{"clusters/other/cluster.yaml": "[", "profiles/unused.yaml": "["})
        assert resolved(root).service.name == "web"
