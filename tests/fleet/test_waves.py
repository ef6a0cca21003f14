"""`dependsOn` and waves: which order comes out, and which wishes contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleets import planned, refusal, write
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.errors import Location
from cmp_plugin.fleet.layers import Merged
from cmp_plugin.fleet.resolve import Resolved
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.fleet.waves import waves
from cmp_plugin.goyaml.load import Node, node

AT = Location("clusters/c/cluster.yaml", 4, 3)


def fleet(root: Path, services: dict[str, str], cluster: str = "") -> Path:
    """A cluster `c` with these services; one named in `cluster` is not put on it by itself."""
    files = {f"services/{name}/service.yaml": text for name, text in services.items()}
    listed = "".join(f"  {name}:\n" for name in services if name not in cluster)
    return write(root, {"clusters/c/cluster.yaml": f"services:\n{listed}{cluster}", **files})


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ({"b": "", "a": ""}, "a0 b0"),
        ({"a": "dependsOn: [b]", "b": ""}, "b0 a1"),
        ({"a": "dependsOn: [b, c]", "b": "dependsOn: [c]", "c": ""}, "c0 b1 a2"),
        ({"a": "dependsOn: ['b?', 'gone?']", "b": ""}, "b0 a1"),
        ({"a": "application: {wave: 7}", "b": "dependsOn: [a]"}, "a7 b8"),
        ({"a": "application: {wave: -5}", "b": "dependsOn: [a]"}, "a-5 b-4"),
        ({"a": "", "b": "dependsOn: [a]\napplication: {wave: 9}", "c": ""}, "a0 c0 b9"),
        ({"a": "application: {wave: '${vars.w}'}\nvars: {w: 3}"}, "a3"),
    ],
)
def test_waves(services: dict[str, str], expected: str, tmp_path: Path) -> None:
    plan = planned(fleet(tmp_path, services))
    assert " ".join(f"{one.request.key}{one.wave}" for one in plan) == expected


def test_an_instance_is_a_dependency_by_its_key(tmp_path: Path) -> None:
    root = fleet(
        tmp_path,
        {"gateway": "", "web": "dependsOn: [gateway-a]"},
        "  gateway: {enabled: false}\n  gateway-a: {service: gateway}\n",
    )
    assert [(one.request.key, one.wave) for one in planned(root)] == [("gateway-a", 0), ("web", 1)]


def test_a_dependency_of_all_services_is_none_of_its_own(tmp_path: Path) -> None:
    root = fleet(tmp_path, {"base": "", "web": ""})
    (root / "fleet.yaml").write_text("apiVersion: cmp-plugin/v1alpha1\nkind: Fleet\ndefaults: {dependsOn: [base]}\n")
    assert [(one.request.key, one.wave) for one in planned(root)] == [("base", 0), ("web", 1)]


@pytest.mark.parametrize(
    ("services", "message"),
    [
        (
            {"a": "dependsOn: [b]", "b": "dependsOn: [c]", "c": "dependsOn: [a]"},
            "services/c/service.yaml:3:13: c/c: dependsOn goes in a circle: a -> b -> c -> a",
        ),
        ({"a": "dependsOn: [a]"}, "services/a/service.yaml:3:13: c/a: dependsOn goes in a circle: a -> a"),
        (
            {"web": "dependsOn: [bsae]", "base": ""},
            'services/web/service.yaml:3:13: c/web: depends on "bsae", which is not on this cluster (did you mean "base"?)',
        ),
        (
            {"web": "dependsOn: [queue]"},
            (
                'services/web/service.yaml:3:13: c/web: depends on "queue", which is not on this cluster'
                ' (write "queue?" if it may be absent)'
            ),
        ),
        (
            {"a": "", "b": "dependsOn: [a]\napplication: {wave: 0}"},
            (
                "services/b/service.yaml:4:21: c/b: wave 0 is not above its dependencies' wave 0"
                " (write 1 or more, or leave it out)"
            ),
        ),
        (
            {"a": "application: {wave: '${cluster.name}'}"},
            "services/a/service.yaml:3:21: c/a: wave must be a whole number",
        ),
    ],
)
def test_refused(services: dict[str, str], message: str, tmp_path: Path) -> None:
    assert refusal(fleet(tmp_path, services)) == message


def test_every_wrong_wish_is_reported_once(tmp_path: Path) -> None:
    services = {
        "a": "dependsOn: [b]",
        "b": "dependsOn: [a]",
        "d": "dependsOn: [a, x]",
        "e": "dependsOn: [d]\napplication: {wave: -1}",
    }
    assert len(refusal(fleet(tmp_path, services)).splitlines()) == 3


def test_a_service_that_is_off_is_not_there_to_depend_on(tmp_path: Path) -> None:
    root = fleet(tmp_path, {"a": "dependsOn: [b]", "b": "enabled: false"})
    assert 'depends on "b", which is not on this cluster' in refusal(root)


def resolved(name: str, depends_on: list[str]) -> Resolved:
    service = ResolvedService(
        "c", name, name, AT, "", name, None, True, True, Node({}, AT), (), (), None, (), (), (), (),
        frozenset(), "", (), "", "", False,
    )  # fmt: skip
    empty = Node({}, AT)
    merged = Merged(empty, empty, (), {}, {}, frozenset())
    return Resolved(service, tuple(node(depends_on, AT).elements()), empty, "", merged, empty)


@given(st.lists(st.sets(st.integers(0, 19)), max_size=20))
def test_whatever_comes_before_has_a_lower_wave(wishes: list[set[int]]) -> None:
    """Without cycles, since a service here depends on earlier ones only."""
    services = {
        f"s{index}": resolved(f"s{index}", [f"s{each}" for each in wish if each < index])
        for index, wish in enumerate(wishes)
    }
    found = waves(services)
    for key, each in services.items():
        lower = [found[str(item.value)] for item in each.depends_on]
        assert found[key] == max(lower, default=-1) + 1


def test_a_chain_has_a_bound(tmp_path: Path) -> None:
    services = {f"s{number:03}": f"dependsOn: [s{number + 1:03}]" for number in range(600)}
    root = fleet(tmp_path, {**services, "s600": ""})
    assert "dependsOn goes more than 500 services deep" in refusal(root)


def test_a_chain_of_profiles_has_a_bound(tmp_path: Path) -> None:
    profiles = {f"profiles/p{number:03}.yaml": f"profiles: [p{number + 1:03}]" for number in range(200)}
    cluster = {"clusters/c/cluster.yaml": "profiles: [p000]\nallow: [empty]\n"}
    root = write(tmp_path, {**profiles, "profiles/p200.yaml": "", **cluster})
    assert refusal(root).endswith(": profiles include each other more than 100 deep")
