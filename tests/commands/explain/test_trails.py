"""Who made a value: the same answer as the merge gives, by table and for any layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cmp_plugin.commands.explain.trails import Origins, said_by
from cmp_plugin.errors import CmpError, Location
from cmp_plugin.fleet.block import block_tree, find, leaves, meant
from cmp_plugin.fleet.layers import Layer, merge_layers
from cmp_plugin.fleet.value_path import parsed, written
from cmp_plugin.goyaml.load import Node, node, plain
from cmp_plugin.specs.merge import Appended
from cmp_plugin.system.files import FileTree

NO_FILES = FileTree("/nonexistent", ())


def layers_of(*blocks: Any) -> list[Layer]:
    return [Layer(f"l{number}", node(block, Location(f"{number}.yaml", 1, 1))) for number, block in enumerate(blocks)]


def trail(path: str, *blocks: Any) -> tuple[list[str], list[str]]:
    """What holds and what that goes over, each `layer: what it does and says`."""
    found = Origins(said_by(layers_of(*blocks), NO_FILES)).trail(tuple(map(str, parsed(path))))
    shown = [[f"{one.layer} {one.does} {plain(one.node)}" for one in part] for part in found]
    return shown[0], shown[1]


TABLE: list[tuple[str, list[Any], list[str], list[str]]] = [
    ("namespace", [{"namespace": "a"}], ["l0 sets a"], []),
    ("namespace", [{"namespace": "a"}, {}, {"namespace": "b"}], ["l2 sets b"], ["l0 sets a"]),
    ("namespace", [{"namespace": "a"}, {"namespace": None}], ["l1 removes None"], ["l0 sets a"]),
    ("values.a.b", [{"values": {"a": {"b": 1}}}, {"values": {"a": {"c": 2}}}], ["l0 sets 1"], []),
    ("values.a", [{"values": {"a": {"b": 1}}}, {"values": {"a": 2}}], ["l1 sets 2"], ["l0 sets 1"]),
    ("values.a.b", [{"values": {"a": 2}}, {"values": {"a": {"b": 1}}}], ["l1 sets 1"], ["l0 sets 2"]),
    # A map that was replaced is gone for good, also for what comes later.
    (
        "values.a.b",
        [{"values": {"a": {"b": 1}}}, {"values": {"a": None}}, {"values": {"a": {"b": 3}}}],
        ["l2 sets 3"],
        ["l1 removes None", "l0 sets 1"],
    ),
    ("values.a", [{"values": {"a": [1]}}, {"values": {"a+": [2]}}], ["l1 appends [2]", "l0 sets [1]"], []),
    (
        "values.a",
        [{"values": {"a": [0]}}, {"values": {"a": [1]}}, {"values": {"a+": [2]}}, {"values": {"a+": [3]}}],
        ["l3 appends [3]", "l2 appends [2]", "l1 sets [1]"],
        ["l0 sets [0]"],
    ),
    ("values.a", [{"values": {"a+": [1]}}, {"values": {"a": [2]}}], ["l1 sets [2]"], ["l0 appends [1]"]),
    ("values.a", [{"values": {"a": None}}, {"values": {"a+": [1]}}], ["l1 appends [1]"], ["l0 removes None"]),
    ("values.a.b", [{"values": {"a": {"b": 1}}}, {"values": {"a": {}}}], ["l0 sets 1"], []),
    # `values:` without anything below is a block whose entries are commented out.
    ("values.a", [{"values": {"a": 1}}, {"values": None}], ["l0 sets 1"], []),
    ("chart", [{"chart": {"path": "a"}}, {"chart": {"oci": "b"}}], ["l1 sets {'oci': 'b'}"], ["l0 sets {'path': 'a'}"]),
    ("resources", [{"resources": ["a"]}, {"resources": ["b"]}], ["l1 appends ['b']", "l0 appends ['a']"], []),
    (
        "resources",
        [{"resources": ["a"]}, {"resources": None}, {"resources+": ["c"]}],
        ["l2 appends ['c']"],
        ["l1 removes None", "l0 appends ['a']"],
    ),
    (
        "patches.p.patch",
        [{"patches": {"p": {"patch": {"x": 1}}}}, {"patches": {"p": {"patch": {"y": 2}}}}],
        ["l1 sets {'y': 2}"],
        ["l0 sets {'x': 1}"],
    ),
    ("patches.p.path", [{"patches": {"p": {"path": "a"}}}, {"patches": {"p": {"patch": {"y": 2}}}}], [], ["l0 sets a"]),
    ("patches.p", [{"patches": {"p": {"path": "a"}}}, {"patches": {"p": None}}], ["l1 removes None"], ["l0 sets a"]),
    (
        "patches.p.target.kind",
        [{"patches": {"p": {"target": {"kind": "A"}}}}, {"patches": {"p": {"target": {"name": "n"}}}}],
        ["l0 sets A"],
        [],
    ),
    ("metadata.labels", [{"metadata": {"labels": {"a": None}}}], ["l0 removes None"], []),
    ("values.nothing", [{"values": {"a": 1}}], [], []),
]


@pytest.mark.parametrize(
    ("path", "blocks", "holds", "over"), TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)]
)
def test_trails(path: str, blocks: list[Any], holds: list[str], over: list[str]) -> None:
    assert trail(path, *blocks) == (holds, over)


def test_values_files_come_before_the_values_of_their_layer(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "low.yaml").write_text("a: 1\nb: 1\nc+: [1]\n")
    (tmp_path / "profiles" / "high.yaml").write_text("a: '${vars.x}'\n")
    files = ["/profiles/low.yaml", "/profiles/high.yaml", "/profiles/none.yaml?"]
    (layer,) = layers_of({"values": {"b": 3}, "valuesFiles": files})
    origins = Origins(said_by([layer], FileTree(str(tmp_path), ("/profiles",))))
    found = origins.trail(("values", "a"))
    assert [str(one.node.at) for one in (*found.effective, *found.overridden)] == [
        "profiles/high.yaml:1:4",
        "profiles/low.yaml:1:4",
    ]
    assert all(one.literal for one in found.effective)
    assert [plain(one.node) for one in origins.trail(("values", "b")).effective] == [3]
    # A values file knows no `key+`: that is a key like any other.
    assert origins.trail(("values", "c+")).effective[0].does == "sets"


# --- the same for any layers ---

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y"])
LISTS = st.lists(st.integers(0, 9), max_size=2)


def maps(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain_keys = st.dictionaries(st.sampled_from("abc"), children, max_size=3)
    appends = st.dictionaries(st.sampled_from(["d+", "a+"]), LISTS, max_size=1)
    return st.builds(lambda more, own: {k: v for k, v in more.items() if k[:-1] not in own} | own, appends, plain_keys)


TREES = maps(st.recursive(SCALARS | LISTS, maps, max_leaves=6))
PATCH = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "patch": st.none() | st.just({"x": 1}) | st.just({"y": 2}),
        "path": st.none() | st.just("/p"),
        "target": TREES,
    },
)
BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "values": st.none() | TREES,
        "kustomize": st.none() | TREES,
        "application": TREES,
        "namespace": st.none() | st.sampled_from(["n", "m"]),
        "chart": st.none() | st.sampled_from([{"path": "/a"}, {"oci": "b"}, {"repo": "r", "name": "n"}]),
        "resources": st.none() | st.lists(st.sampled_from(["/a", "/b", "/c"]), max_size=2, unique=True),
        "patches": st.dictionaries(st.sampled_from("pq"), PATCH, max_size=2),
    },
)


@given(st.lists(BLOCKS, min_size=1, max_size=5))
def test_the_winner_is_what_the_merge_gives(blocks: list[dict[str, Any]]) -> None:
    layers = layers_of(*blocks)
    try:
        merged = merge_layers(layers, NO_FILES)
    except CmpError:
        assume(False)
    origins, tree = Origins(said_by(layers, NO_FILES)), block_tree(merged, layers)
    for keys, leaf in leaves(tree):
        check_winner(origins, keys, leaf)
    for keys in origins.removed():
        winner = origins.trail(keys).winner
        if winner is not None and winner.does == "removes" and winner.path == keys:
            assert plain(tree.find(keys) or Node(None, tree.at)) in (None, {}), keys


def check_winner(origins: Origins, keys: tuple[str, ...], leaf: Node) -> None:
    found = origins.trail(keys)
    assert found.effective, keys
    lowest_first = [plain(one.node) for one in reversed(found.effective)]
    if leaf.value == {} and lowest_first != [{}]:
        assert all(one.does == "removes" for one in found.effective), keys
    elif isinstance(leaf.value, list):
        items = [item for part in lowest_first for item in part]
        assert plain(leaf) == (list(dict.fromkeys(items)) if keys == ("resources",) else items), keys
        assert isinstance(leaf, Appended) == (keys[0] == "values" and found.effective[-1].does == "appends")
    else:
        assert [plain(leaf)] == lowest_first, keys
    places = [int(one.layer[1:]) for one in (*found.effective, *found.overridden)]
    assert places[: len(found.effective)] == sorted(places[: len(found.effective)], reverse=True)
    assert places[len(found.effective) :] == sorted(places[len(found.effective) :], reverse=True)


# --- paths through the block ---

BLOCK = {
    "namespace": "n",
    "chart": {"path": "/a"},
    "metadata": {"labels": {"a.b/c": "x"}},
    "values": {"replicaCount": 1, "server": {"retention": "1d", "args": ["x"]}, "empty": {}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("namespace", ("namespace",)),
        ("values.server", ("values", "server")),
        ("values.server.args[0]", ("values", "server", "args", "0")),
        ("metadata.labels.a.b/c", ("metadata", "labels", "a.b/c")),
        ("chart.path", ("chart", "path")),
        ("values.empty", ("values", "empty")),
        ("values.empty.x", None),
        ("values.nothing", None),
        ("server", None),
    ],
)
def test_find(path: str, found: tuple[str, ...] | None) -> None:
    seen = find(node(BLOCK, Location("f")), parsed(path))
    assert (tuple(map(str, (*seen.keys, *seen.rest))) if seen else None) == found


@pytest.mark.parametrize(
    ("path", "close"),
    [
        ("retention", "values.server.retention"),
        ("server.retenton", "values.server.retention"),
        ("values.server.retenton", "values.server.retention"),
        ("values.sever.retention", "values.server"),
        ("namespce", "namespace"),
        ("replicas", "values.replicaCount"),
        ("a.b/c", 'metadata.labels."a.b/c"'),
        ("qqqqqqq", ""),
    ],
)
def test_meant(path: str, close: str) -> None:
    assert written(meant(node(BLOCK, Location("f")), parsed(path))) == close
