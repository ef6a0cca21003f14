"""Specs and values files: what they are, where their parts are, and what is refused in which words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from cmp_plugin.errors import CmpError, Errors, InputError, Location
from cmp_plugin.goyaml.load import Node, load, load_all, load_values, node, plain

# text -> the errors, one a line.
REFUSED = {
    # Words that readers disagree on.
    "a: on": 'f.yaml:1:4: on is a boolean to Helm and text to Kustomize: write true, or "on" for text',
    "a: [x, NO]": 'f.yaml:1:8: NO is a boolean to Helm and text to Kustomize: write false, or "NO" for text',
    "a: y": 'f.yaml:1:4: y is a boolean to Helm and text to Kustomize: write true, or "y" for text',
    "a: oFf": 'f.yaml:1:4: oFf is a boolean to Helm and text to Kustomize: write false, or "oFf" for text',
    "Yes: 1": 'f.yaml:1:1: not every reader takes this key for text: write "Yes"',
    "a: {n: 1}": 'f.yaml:1:5: not every reader takes this key for text: write "n"',
    # Keys that are no text.
    "1: a": 'f.yaml:1:1: not every reader takes this key for text: write "1"',
    "true: a": 'f.yaml:1:1: not every reader takes this key for text: write "true"',
    "~: a": 'f.yaml:1:1: not every reader takes this key for text: write "~"',
    "1.10: a": 'f.yaml:1:1: not every reader takes this key for text: write "1.10"',
    "a:\n  ?\n  : b": 'f.yaml:2:4: a key is missing before ":"',
    "? [a]\n: b": "f.yaml:1:3: a key must be a plain or quoted text",
    "a: &x b\n*x : c": "f.yaml:2:1: a key must be a plain or quoted text",
    # Numbers.
    "a: 1.10": 'f.yaml:1:4: 1.10 is read as the number 1.1: write that, or "1.10" for text',
    "a: 1.0": 'f.yaml:1:4: 1.0 is read as the number 1: write that, or "1.0" for text',
    "a: -20.50": 'f.yaml:1:4: -20.50 is read as the number -20.5: write that, or "-20.50" for text',
    "a: .inf": 'f.yaml:1:4: .inf is no number in JSON: write ".inf" for text',
    "a: .NaN": 'f.yaml:1:4: .NaN is no number in JSON: write ".NaN" for text',
    "a: 9007199254740993": "f.yaml:1:4: this number is too large to be kept exactly: put it in quotes",
    "a: 123456789012345678901": "f.yaml:1:4: this number is too large to be kept exactly: put it in quotes",
    "a: 1e400": "f.yaml:1:4: this looks like a number and is none to Helm: put it in quotes",
    "a: 0xfffffffffffffffff": "f.yaml:1:4: this looks like a number and is none to Helm: put it in quotes",
    # Each key once.
    "a: 1\nb: 2\n'a': 3": 'f.yaml:3:1: the key "a" is written twice, first at f.yaml:1:1',
    "a: {b: 1, b: 2}": 'f.yaml:1:11: the key "b" is written twice, first at f.yaml:1:5',
    "<<: {a: 1}\n<<: {b: 1}": 'f.yaml:2:1: the key "<<" is written twice, first at f.yaml:1:1',
    "a: {<<: 1}": 'f.yaml:1:5: "<<" merges a map, an alias of a map or a list of these, and nothing else',
    "a: &x [{b: 1}]\nc: {<<: *x}": 'f.yaml:2:9: "<<" merges a map, an alias of a map or a list of these, and nothing else',
    # Tags and directives.
    "a: !secret b": 'f.yaml:1:4: the tag "!secret": write the value without it, text in quotes',
    "a: !!binary aGk=": 'f.yaml:1:4: the tag "!!binary": write the value without it, text in quotes',
    "a: !!timestamp 2020-01-01": 'f.yaml:1:4: the tag "!!timestamp": write the value without it, text in quotes',
    "a: !b {c: 1}": 'f.yaml:1:4: the tag "!b": write the value without it, text in quotes',
    "%YAML 1.1\n---\na: 1": "f.yaml:1:1: % directives are not supported: remove the lines above",
    # The file as a whole.
    "": "f.yaml: the file is empty",
    "# nothing\n": "f.yaml: the file is empty",
    "- a": "f.yaml:1:1: the file must be a map (key: value)",
    "~": "f.yaml:1:1: the file must be a map (key: value)",
    "a: 1\n---\nb: 1": "f.yaml:3:1: one document is expected, this is another",
    # What is no YAML.
    "a:\n\tb: 1": "f.yaml:2:1: a tab stands where a value or the indentation is expected: use spaces",
    "a: b\n\tc": "f.yaml:2:1: a tab indents this line: use spaces",
    "a: |\n\tb": "f.yaml:2:1: a tab indents this line: use spaces",
    "a: b: c": 'f.yaml:1:5: no "key: value" can stand here: the indentation is wrong, or a text with ": " needs quotes',
    "a: 1\n  b: 2": 'f.yaml:2:4: no "key: value" can stand here: the indentation is wrong, or a text with ": " needs quotes',
    "a: - b": 'f.yaml:1:4: no "- item" can stand here: the indentation is wrong, or a text with "- " needs quotes',
    "a:\n  b: 1\n c: 2": "f.yaml:3:2: neither a key of the map that starts at 1:1 nor part of a value: check indentation and quotes",
    "a:\n  - b\n c: 1": "f.yaml:3:2: neither a key of the map that starts at 1:1 nor part of a value: check indentation and quotes",
    "- a\nb: 1": 'f.yaml:2:1: no "- item" of the list that starts at 1:1: check the indentation',
    "a: b\nc": 'f.yaml:2:1: a key without ":", or a text that needs quotes',
    "a: [b": 'f.yaml:2:1: expected "," or "]" in the list that starts at 1:4',
    "a: {b: c": 'f.yaml:2:1: expected "," or "}" in the map that starts at 1:4',
    'a:\n  - "b': "f.yaml:2:5: the quoted text that starts here is not closed",
    'a: "b\n---\nc"': 'f.yaml:2:1: a quoted text is not closed before "---" or "..."',
    "a: @b": 'f.yaml:1:4: a text that starts with "@" needs quotes',
    "a: `b`": 'f.yaml:1:4: a text that starts with "`" needs quotes',
    "a: %b": 'f.yaml:1:4: a text that starts with "%" needs quotes',
    "a: [b:]": 'f.yaml:1:6: a text with ":" before a bracket or comma needs quotes here',
    "a: > b": 'f.yaml:1:6: only a comment may follow on this line (text that starts with "|" or ">" needs quotes)',
    "a: |0\n b": 'f.yaml:1:5: the number after "|" or ">" is 1 to 9',
    'a: "\\q"': "f.yaml:1:5: unknown escape after a backslash: use single quotes for text with backslashes",
    'a: "\\ud83d"': "f.yaml:1:7: this escape is no character (write the character itself, not surrogates)",
    'a: "\\x4"': "f.yaml:1:7: \\x, \\u and \\U need 2, 4 and 8 hexadecimal digits",
    "a: &": 'f.yaml:1:5: a name must follow "&" or "*", or the text needs quotes',
    "a: *b": 'f.yaml:1:4: "*b" has no "&b" above it (a text that starts with "*" needs quotes)',
    "a: &b [*b]": 'f.yaml:1:8: "*b" stands inside its own "&b"',
    "a: !b!c d": 'f.yaml:1:4: a text that starts with "!" needs quotes',
    "{}\na: 1": 'f.yaml:2:1: one value has ended and another begins without "---" between them',
    "a: }": "f.yaml:1:4: a value is missing here",
    # Characters.
    "\ufeffa: 1": "f.yaml:1:1: the file starts with a byte order mark: save it without",
    "a: 1\n\ufeffb: 1": "f.yaml:2:1: a byte order mark (U+FEFF) starts this line: remove it",
    "a: 1\nb: \x07": "f.yaml:2:4: a control character: write it as an escape in double quotes",
    "a: é\x00": "f.yaml:1:5: a control character: write it as an escape in double quotes",
    # All of a file, up to where it is no YAML any more.
    "on: 1\nb: 1.0\nb: no\nc: [": 'f.yaml:1:1: not every reader takes this key for text: write "on"\n'
    'f.yaml:2:4: 1.0 is read as the number 1: write that, or "1.0" for text\n'
    'f.yaml:3:4: no is a boolean to Helm and text to Kustomize: write false, or "no" for text\n'
    "f.yaml:5:1: a value is missing here",
}
READ = {
    "a: 10": {"a": 10},
    "a: 0x1F": {"a": 31},
    "a: 0o17": {"a": 15},
    "a: 017": {"a": 15},
    "a: 1_000": {"a": 1000},
    "a: 1e3": {"a": 1000},
    "a: 1.5": {"a": 1.5},
    "a: 1e22": {"a": 1e22},
    "a: 12:30": {"a": "12:30"},
    "a: 2020-01-01": {"a": "2020-01-01"},
    "2020-01-01: a": {"2020-01-01": "a"},
    "a: =": {"a": "="},
    "a: 1.2.0": {"a": "1.2.0"},
    "a: True": {"a": True},
    "a: Null": {"a": None},
    "a:": {"a": None},
    "a: 'on'": {"a": "on"},
    '"1": "1.10"': {"1": "1.10"},
    "dependsOn: [cert-manager?]": {"dependsOn": ["cert-manager?"]},
    'a: "b\\/c"': {"a": "b/c"},
    "a: |\n  on\n  1.0\n": {"a": "on\n1.0\n"},
    "'<<': {b: 1}": {"<<": {"b": 1}},
    "a: &x {b: 1}\nc: *x": {"a": {"b": 1}, "c": {"b": 1}},
    "&x a: 1\nb: *x": {"a": 1, "b": "a"},
    # A map's own key wins, wherever the merge stands; an earlier map of a list over a later one.
    "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}": {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}},
    "a: &x {b: 1, c: 2}\nd: {c: 3, <<: *x}": {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}},
    "a: &x {b: 1}\nc: &z {b: 2, d: 2}\ne: {<<: [*x, *z]}": {
        "a": {"b": 1},
        "c": {"b": 2, "d": 2},
        "e": {"b": 1, "d": 2},
    },
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_in_a_spec(text: str) -> None:
    with pytest.raises(Errors) as caught:
        load(text.encode(), "f.yaml")
    assert str(caught.value) == REFUSED[text]


@pytest.mark.parametrize("text", READ)
def test_read_from_a_spec(text: str) -> None:
    value = plain(load(text.encode(), "f.yaml"))
    assert (value, repr(value)) == (READ[text], repr(READ[text]))


def test_not_utf8_names_the_place() -> None:
    with pytest.raises(Errors, match=r"^f.yaml:2:4: not UTF-8 text$"):
        load(b"a: 1\nb: \xff", "f.yaml")


def places(node: Node, path: str = "") -> dict[str, tuple[int, int, int, int]]:
    """Line and column of every value and of its key, by the path to it."""
    key = node.key or Location("", 0, 0)
    found = {path: (node.at.line, node.at.column, key.line, key.column)}
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            found |= places(child, f"{path}.{name}")
    elif isinstance(node.value, list):
        for number, child in enumerate(node.value):
            found |= places(child, f"{path}[{number}]")
    return found


def test_every_part_knows_its_place() -> None:
    text = 'a: &x {b: 1}\n"ä é": "ö"\nc:\n  - |\n    d\n  - *x\ne:\n  <<: *x\n  f: 2\n'
    assert places(load(text.encode(), "f.yaml")) == {
        "": (1, 1, 0, 0),
        ".a": (1, 4, 1, 1),
        ".a.b": (1, 11, 1, 8),
        ".ä é": (2, 8, 2, 1),
        ".c": (4, 3, 3, 1),
        ".c[0]": (4, 5, 0, 0),
        ".c[1]": (6, 5, 0, 0),
        ".c[1].b": (1, 11, 1, 8),
        ".e": (8, 3, 7, 1),
        ".e.b": (1, 11, 1, 8),
        ".e.f": (9, 6, 9, 3),
    }


def test_a_text_inside_a_spec_counts_from_its_place() -> None:
    at = Location("services/web/service.yaml", 8, 7)
    text = b"- op: add\n  path: /a\n---\nb: 1\n---\n"
    first, second = load_all(text, "unused", at)
    assert plain(first) == [{"op": "add", "path": "/a"}]
    assert first.at == Location("services/web/service.yaml", 9, 7)
    assert second.at == Location("services/web/service.yaml", 12, 7)
    with pytest.raises(Errors, match=r"^services/web/service.yaml:10:10: on is a boolean"):
        load_all(b"a: 1\nb: on\n", "unused", at)
    with pytest.raises(Errors, match=r"service.yaml:10:9: .* the list that starts at 9:10$"):
        load_all(b"a: [b\n c: d\n", "unused", at._replace(line=8))


# What of values files no helm needs to say; the rest is compared with helm itself.
VALUES: dict[bytes, Any] = {
    b"": {},
    b"# nothing\n": {},
    b"---\n": {},
    b"a: 9007199254740993\n": {"a": 9007199254740992},
    b"a: 18446744073709551616\n": {"a": 18446744073709552000},
    b"a: on\nb: 1.10\n": {"a": True, "b": 1.1},
    b"1: a\n": {"1": "a"},
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text: bytes) -> None:
    assert plain(load_values(text, "values.yaml")) == VALUES[text]


VALUES_REFUSED = {
    b"- a\n": "values.yaml:1:1: a values file must be a map (key: value)",
    b"a: 1\n---\nb: 1\n": "values.yaml:3:1: a second document: Helm 3 ignores it, Helm 4 merges it; give it its own file",
    b"--- {a: 1}\n": 'values.yaml:1:1: a line that starts with "---" may hold nothing else but a comment',
    b"a: |\n  b": "values.yaml: the block of text at the end needs a line break: Helm 3 and Helm 4 differ without",
    b"a: [b?]\n": 'values.yaml:1:5: a text with "?" needs quotes between brackets',
    b'a: "b\\/c"\n': 'values.yaml:1:4: Go does not know the escape "\\/": write "/"',
    b"1.5: a\n": 'values.yaml:1:1: Go does not read this key as it is written: write "1.5"',
    b'1: a\n"1": b\n': 'values.yaml:2:1: the key "1" comes twice, as text and as something else',
    b"a: !secret b\n": 'values.yaml:1:4: a value with the tag "!secret": write it without',
    b"a: .inf\n": 'values.yaml:1:4: .inf is no number in JSON: write ".inf" for text',
}


@pytest.mark.parametrize("text", VALUES_REFUSED)
def test_values_refused(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        load_values(text, "values.yaml")
    assert str(caught.value) == VALUES_REFUSED[text]


MANY = 2**20
HOSTILE = {
    "too large": b"a: " + b"x" * 5 * MANY,
    "brackets": b"a: " + b"[" * MANY,
    "braces": b"{? " * MANY,
    "dashes": b"- " * MANY,
    "indentation": b"".join(b" " * depth + b"a:\n" for depth in range(2000)),
    "aliases of aliases": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(20)),
    "aliases": b"a: &x {b: 1}\nc:\n" + b"- *x\n" * 100_000,
    "depth by aliases": b"a0: &a0 [1]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 500)),
    "depth by merges": b"a0: &a0 {b: 1}\n" + b"".join(b"a%d: &a%d {<<: *a%d}\n" % (n, n, n - 1) for n in range(1, 500)),
    "refusals": b"- on\n" * MANY,
    "keys": b"".join(b"k%d: 1\n" % n for n in range(200_000)),
    "twice the same": b"k: 1\n" * MANY,
    "documents": b"---\n" * MANY,
    "a key": b'"' + b"k" * 4 * MANY + b'": 1',
    "a colon": b":" * 4 * MANY,
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("read", [load, load_values, load_all])
def test_hostile_files_are_refused(kind: str, read: Any) -> None:
    with pytest.raises(CmpError) as caught:
        read(HOSTILE[kind], "f.yaml")
    lines = str(caught.value).split("\n")
    assert len(lines) <= 101
    assert all(line.startswith("f.yaml") and len(line) < 250 for line in lines)


def test_an_error_is_one_line_that_no_terminal_obeys() -> None:
    with pytest.raises(Errors) as caught:
        load(b'"a\\e[2J\\nb": 1\n"a\\e[2J\\nb": 2\n', "f.yaml")
    assert str(caught.value) == ('f.yaml:2:1: the key "a\\u001b[2J\\nb" is written twice, first at f.yaml:1:1')


def test_deep_but_not_too_deep() -> None:
    text = b"a: " + b"[" * 99 + b"]" * 99
    value = plain(load(text, "f.yaml"))["a"]
    for _ in range(98):
        (value,) = value
    assert value == []


def test_a_large_file_takes_little_memory() -> None:
    program = (
        "import re; from cmp_plugin.goyaml.load import load_values;"
        "load_values(b''.join(b'key%d: {a: 1, b: [x, y]}\\n' % n for n in range(12000)), 'f.yaml');"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) < 150 * 1024


def test_plain_and_node_are_each_other() -> None:
    at = Location("f.yaml", 3, 5)
    value: dict[str, Any] = {"a": [1, 1.5, True, None, "x", {"b": []}], "c": {}}
    tree = node(value, at)
    assert plain(tree) == value
    assert set(places(tree).values()) == {(3, 5, 0, 0)}
