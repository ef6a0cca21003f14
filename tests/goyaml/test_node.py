"""How a node is walked: what each method gives for what is there, null, absent or of another kind."""

from __future__ import annotations

import pytest

from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import Node, load, plain
from cmp_plugin.goyaml.node import pointer_steps
from cmp_plugin.specs.merge import Appended

TREE = load(
    b"""\
tools: {helm: "4", git: null}
names: [a, null, {b: c}]
text: word
number: 5
empty: {}
nothing:
"1": one
""",
    "file.yaml",
)


def value(node: Node | None) -> object:
    return "no node" if node is None else plain(node)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), plain(TREE)),
        (("text",), "word"),
        (("tools", "helm"), "4"),
        (("empty",), {}),
        (("nothing",), "no node"),
        (("tools", "git"), "no node"),
        (("absent",), "no node"),
        (("nothing", "below"), "no node"),
        (("text", "below"), "no node"),
        (("names", "0"), "no node"),
    ],
)
def test_get_follows_keys_and_takes_null_for_absent(keys: tuple[str, ...], expected: object) -> None:
    assert value(TREE.get(*keys)) == expected


def test_entries_are_the_entries_of_a_map_with_nulls() -> None:
    assert [*TREE.entries()] == ["tools", "names", "text", "number", "empty", "nothing", "1"]
    assert {key: plain(node) for key, node in TREE.entries("tools").items()} == {"helm": "4", "git": None}
    assert [TREE.entries(key) for key in ("names", "text", "nothing", "absent", "empty")] == [{}] * 5


def test_elements_are_the_items_of_a_list_with_nulls() -> None:
    assert [plain(item) for item in TREE.elements("names")] == ["a", None, {"b": "c"}]
    assert [TREE.elements(key) for key in ("tools", "text", "nothing", "absent")] == [[]] * 4
    assert TREE.elements() == []


def test_text_is_a_string_and_nothing_else() -> None:
    assert TREE.text("text") == "word"
    assert TREE.text("tools", "helm") == "4"
    assert [TREE.text(key) for key in ("number", "names", "nothing", "absent")] == [None] * 4


def test_a_value_as_text_is_what_python_writes() -> None:
    assert [TREE.as_text(key) for key in ("text", "number", "nothing", "absent")] == ["word", "5", "", ""]
    assert TREE.as_text("tools", "helm") == "4"
    assert TREE.entries()["number"].as_text() == "5"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), plain(TREE)),
        (("names", 0), "a"),
        (("names", 2, "b"), "c"),
        (("names", 1), None),
        (("tools", "git"), None),
        (("1",), "one"),
        ((1,), "no node"),
        (("names", "0"), "no node"),
        (("names", 3), "no node"),
        (("names", -1), "no node"),
        (("names", "-"), "no node"),
        (("names", "b"), "no node"),
        (("text", 0), "no node"),
        (("nothing", "below"), "no node"),
        (("absent",), "no node"),
    ],
)
def test_find_follows_a_path_exactly(path: tuple[str | int, ...], expected: object) -> None:
    assert value(TREE.find(path)) == expected


def test_children_and_strings_go_in_the_order_of_the_file() -> None:
    assert [plain(child) for child in TREE.entries()["names"].children()] == ["a", None, {"b": "c"}]
    assert [plain(child) for child in TREE.entries()["tools"].children()] == ["4", None]
    assert [*TREE.entries()["text"].children()] == []
    assert [node.value for node in TREE.strings()] == ["4", "a", "c", "word", "one"]


def test_an_entry_starts_at_its_key_and_an_item_at_its_value() -> None:
    assert TREE.entries()["text"].start == Location("file.yaml", 3, 1)
    assert TREE.entries()["text"].at == Location("file.yaml", 3, 7)
    assert TREE.elements("names")[0].start == Location("file.yaml", 2, 9)


def test_another_value_keeps_kind_position_and_what_was_replaced() -> None:
    low, at, key = Node("low", Location("low.yaml")), Location("high.yaml", 2, 5), Location("high.yaml", 2, 1)
    a, b = Node("a", at), Node("b", at)
    changed = Appended([a], at, key, (low,)).with_value([b])
    assert type(changed) is Appended
    assert (changed.value, changed.at, changed.key, changed.over) == ([b], at, key, (low,))


def test_strings_are_changed_and_nothing_else() -> None:
    changed = TREE.with_strings(lambda node: node.with_value(f"<{node.value}>"))
    assert plain(changed) == {
        "tools": {"helm": "<4>", "git": None},
        "names": ["<a>", None, {"b": "<c>"}],
        "text": "<word>",
        "number": 5,
        "empty": {},
        "nothing": None,
        "1": "<one>",
    }
    assert changed.entries()["text"].start == TREE.entries()["text"].start
    assert TREE.text("text") == "word"


NESTED = load(b"{a: [{path: x}, {Path: v}, {path: null}, z], b: {c: {path: w}}}", "file.yaml")


@pytest.mark.parametrize(
    ("pattern", "any_case", "expected"),
    [
        ((), False, [plain(NESTED)]),
        (("a", "*", "path"), False, ["x", None]),
        (("a", "*", "path"), True, ["x", "v", None]),
        (("b", "*", "path"), False, ["w"]),
        (("*", "*", "path"), False, ["x", None, "w"]),
        (("a", "path"), False, []),
        (("absent", "*"), False, []),
        (("a", "*", "path", "*"), False, []),
    ],
)
def test_a_pattern_selects(pattern: tuple[str, ...], any_case: bool, expected: list[object]) -> None:
    assert [plain(node) for node in NESTED.select(pattern, any_case)] == expected


def test_what_a_pattern_selects_is_changed_and_nothing_else() -> None:
    changed = NESTED.with_selected(("*", "*", "path"), lambda node: node.with_value(f"<{node.value}>"))
    assert plain(changed) == {
        "a": [{"path": "<x>"}, {"Path": "v"}, {"path": "<None>"}, "z"],
        "b": {"c": {"path": "<w>"}},
    }
    assert NESTED.with_selected(("absent", "*"), lambda node: node.with_value("changed")) is NESTED
    assert plain(NESTED.with_selected((), lambda node: node.with_value("all"))) == "all"
    found = changed.find(("a", 0, "path"))
    assert found is not None and found.start == Location("file.yaml", 1, 7)


@pytest.mark.parametrize(
    ("pointer", "steps"),
    [
        ("", []),
        ("/", [""]),
        ("/a/0/b", ["a", "0", "b"]),
        ("/a~1b/c~0d/~01", ["a/b", "c~d", "~1"]),
        ("/a//b", ["a", "", "b"]),
    ],
)
def test_the_steps_of_a_json_pointer(pointer: str, steps: list[str]) -> None:
    assert pointer_steps(pointer) == steps
