"""Changes of many clusters, gathered: the same change once, with the clusters that have it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.commands.diff.dangers import LOOK, LOSS, Danger
from cmp_plugin.commands.diff.grouping import Found, Group, groups, images, is_minor, warned
from cmp_plugin.render.compare import ABSENT, Field
from cmp_plugin.render.object_key import Key

WEB = Key("apps", "Deployment", "web", "web")
DATA = Key("", "PersistentVolumeClaim", "web", "data")


def field(path: str, before: object, after: object) -> Field:
    return Field(tuple(path.split(".")), "changed", before, after)


def found(
    cluster: str, *fields: Field, key: Key = WEB, service: str = "web", dangers: tuple[Danger, ...] = ()
) -> Found:
    return Found(cluster, service, key, "changed" if fields else "removed", fields, dangers)


def told(group: Group) -> list[tuple[str, str, object]]:
    return [(str(entry.key), one.field.path, one.field.after) for entry in group.entries for one in entry.fields]


def test_the_same_on_several_clusters_is_one_group() -> None:
    both, own = field("spec.replicas", 1, 2), field("spec.paused", False, True)
    made = groups([found("a", both), found("b", both, own), found("c", both)])
    assert [(group.clusters, told(group)) for group in made] == [
        (("a", "b", "c"), [("Deployment web/web", "spec.replicas", 2)]),
        (("b",), [("Deployment web/web", "spec.paused", True)]),
    ]


def test_values_of_another_type_are_another_change() -> None:
    made = groups([found("a", field("x", 1, True)), found("b", field("x", 1, 1.0)), found("c", field("x", 1, None))])
    assert [group.clusters for group in made] == [("a",), ("b",), ("c",)]


def test_added_null_is_not_absent() -> None:
    made = groups([found("a", field("x", 1, None)), found("b", field("x", 1, ABSENT))])
    assert len(made) == 2


def test_many_values_are_told_as_one_with_the_others_beside() -> None:
    made = groups([found(f"c{number}", field("host", f"c{number}.old", f"c{number}.new")) for number in range(5)])
    (group,) = made
    assert group.clusters == ("c0", "c1", "c2", "c3", "c4")
    (one,) = group.entries[0].fields
    assert one.field.after == "c0.new"
    assert [(variant.after, clusters) for variant, clusters in one.others][-1] == ("c4.new", ("c4",))
    assert len(groups([found(f"c{n}", field("host", n, -n)) for n in range(1, 4)])) == 3


def test_removed_objects_and_services() -> None:
    made = groups([found("a", key=DATA), found("b", key=DATA), found("a", key=DATA, service="other")])
    assert [(group.service, group.clusters) for group in made] == [("other", ("a",)), ("web", ("a", "b"))]
    assert [entry.change for entry in made[1].entries] == ["removed"]


def test_dangers_loudest_first() -> None:
    loss, look = Danger(LOSS, "deleted", "is deleted"), Danger(LOOK, "service-type", "becomes")
    made = warned([found("b", dangers=(look,)), found("a", dangers=(loss,), key=DATA), found("c", dangers=(look,))])
    assert [(one.danger.kind, one.clusters) for one in made] == [("deleted", ("a",)), ("service-type", ("b", "c"))]


def test_images() -> None:
    made = images(
        [
            found("a", field("spec.image", "reg:5000/app:1", "reg:5000/app:2"), field("x.image", "old", "new:2")),
            found("b", field("spec.image", "reg:5000/app:1", "reg:5000/app:2")),
            found("b", field("spec.image", "app@sha256:aa", "app:1@sha256:bb"), field("spec.image", 1, "a")),
        ]
    )
    assert [(one.what, one.before, one.after, one.clusters) for one in made] == [
        ("", "old", "new:2", ("a",)),
        ("app", "@sha256:aa", "1@sha256:bb", ("b",)),
        ("reg:5000/app", "1", "2", ("a", "b")),
    ]


@pytest.mark.parametrize(
    ("steps", "minor"),
    [
        (("metadata", "labels", "helm.sh/chart"), True),
        (("spec", "template", "metadata", "labels", "chart"), True),
        (("metadata", "labels", "app.kubernetes.io/version"), True),
        (("metadata", "annotations", "checksum/config"), True),
        (("metadata", "labels", "version"), False),
        (("spec", "selector", "matchLabels", "chart"), False),
        (("spec", "versions", "[v1]", "schema", "openAPIV3Schema", "properties", "spec", "description"), True),
        (("spec", "versions", "[v1]", "schema", "openAPIV3Schema", "properties", "description"), False),
        (("spec", "versions", "[v1]", "schema", "openAPIV3Schema", "type"), False),
        (("spec", "description"), False),
        (("image",), False),
    ],
)
def test_what_is_minor(steps: tuple[str, ...], minor: bool) -> None:
    assert is_minor(Field(steps, "changed", "a", "b")) is minor


FOUND = st.builds(
    lambda cluster, value, path: found(cluster, field(path, 0, value)),
    st.sampled_from("abcdef"),
    st.integers(1, 6),
    st.sampled_from(["x", "y"]),
)


@given(st.lists(FOUND, max_size=20, unique_by=lambda one: (one.cluster, one.fields[0].path)), st.randoms())
def test_nothing_is_lost_and_no_order_matters(some: list[Found], chance: random.Random) -> None:
    made = groups(some)
    shuffled = list(some)
    chance.shuffle(shuffled)
    assert groups(shuffled) == made
    again = {
        (cluster, field.path, field.after)
        for group in made
        for entry in group.entries
        for one in entry.fields
        for field, clusters in one.others or ((one.field, group.clusters),)
        for cluster in clusters
    }
    assert again == {(one.cluster, one.fields[0].path, one.fields[0].after) for one in some}
