"""Values files and specs against the real helm: a text is read as both helms read it, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import go_reads
import pytest

from cmp_plugin.errors import CmpError
from cmp_plugin.goyaml.load import load, load_values, plain

CORPUS = Path(__file__).parent / "yaml_corpus"
SCALARS = [line for line in (CORPUS / "scalars.txt").read_text("utf-8").split("\n") if line[:2] not in ("", "# ")]
DOCUMENTS = {
    title: body.encode()
    for title, _, body in (
        part.partition("\n") for part in (CORPUS / "documents.txt").read_text("utf-8").split("=== ")[1:]
    )
} | {
    # What an editor would change on the way.
    "tab before a value": b"a:\tb\n",
    "tab behind a value": b"a: b\t\nc: d\t# e\n",
    "tab indents a key": b"a:\n\tb: 1\n",
    "tab indents an item": b"a:\n\t- b\n",
    "tab behind a dash": b"a:\n-\tb\n",
    "tab in a block": b"a: |\n  b\n  \tc\n\t\nd: e\n",
    "tab starts a block": b"a: |\n\tb\n",
    "tab in text over lines": b"a: b\n\tc\n",
    "tab in flow": b"a: [b,\n\tc]\n",
    "carriage returns": b"a: |\r\n  b\r\n  c\r\nd: e\r\n",
    "carriage return alone": b"a: b\rc: d\r",
    "carriage return before a separator": b"a: b\r---\rc: d\r",
    "next line": "a: |\n  b\x85  c\nd: 'e\x85f'\n".encode(),
    "line separator": 'a: |\n  b\u2028  c\nd: "e\u2028f"\ng: h\u2029i\n'.encode(),
    "line separator in a separator's comment": "--- # a\u2028b: 1\n".encode(),
    "no-break space": "a:\u00a0b\nc: \u00a0d\n".encode(),
    "byte order mark": b"\xef\xbb\xbfa: 1\n",
    "byte order mark on a line": b"a: 1\n\xef\xbb\xbfb: 2\n",
    "byte order mark in text": b"a: b\xef\xbb\xbfc\n",
    "byte order mark twice": b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n",
    "UTF-16": "a: b\n".encode("utf-16"),
    "not UTF-8": b"a: \xff\n",
    "half of a pair": b"a: \xed\xa0\x80\n",
    "overlong": b"a: \xc0\xaf\n",
    "zero": b"a: b\x00c\n",
    "bell": b"a: \x07\n",
    "escape": b"a: \x1b[31m\n",
    "delete": b"a: \x7f\n",
    "C1": b"a: \xc2\x9f\n",
    "no character": b"a: \xef\xbf\xbf\n",
    "no character above": "a: \U0001fffe\n".encode(),
    "no line break at the end": b"a: b",
    "block without a line break at the end": b"a: |\n  b",
    "kept block without a line break at the end": b"a: |+\n  b",
    "stripped block without a line break at the end": b"a: |-\n  b",
    "folded block without a line break at the end": b"a: >\n  b\n  c",
    "comment without a line break at the end": b"a: b # c",
    "long last line": b"a: " + b"b" * 4093,
    "long last line, longer": b"c: 1\na: " + b"b" * 4088,
    "long key": b"k" * 1000 + b": a\n",
    "too long key": b"k" * 1100 + b": a\n",
    "too long key in quotes": b'{"' + b"k" * 1100 + b'": a}\n',
    "long explicit key": b"? " + b"k" * 1100 + b"\n: a\n",
    "99 deep": b"a: " + b"[" * 98 + b"]" * 98,
    "120 deep": b"a: " + b"[" * 119 + b"]" * 119,
    "12,000 deep": b"a: " + b"[" * 12000 + b"]" * 12000,
    "12,000 deep by indentation": b"".join(b" " * n + b"a:\n" for n in range(200)),
    "many aliases": b"a: &x {b: 1}\nc:\n" + b"- *x\n" * 3000,
    "aliases of aliases": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(6)),
}

# What helm reads and we refuse, by our words; nothing else may be refused.
REFUSED = {
    "a value with the tag": "Go ignores tags it does not know, and what !!binary holds may be no text",
    "a key with a tag": "the same",
    "Go does not read this key as it is written": "it cuts a float that is a key to 32 bits",
    "as text and as something else": "Go lets chance decide between the two keys",
    "a second document": "Helm 3 ignores it, Helm 4 merges it",
    "may hold nothing else but a comment": "Helm 4 refuses it, Helm 3 does not",
    "the block of text at the end": "it ends with a line break in Helm 4, without in Helm 3",
    "one value has ended and another begins": "Go ignores all that comes after the document's end",
    'text with ":" before a bracket': "libyaml refuses what Go reads as a null",
    "a key must be a plain or quoted text": "an alias as a key",
    "% directives are not supported": "Helm 4 fails on them, Helm 3 does not",
    "levels deep": "our bound",
    '"..." ends an empty document': "Go fails on it where another document is before it",
    "byte order mark": "libyaml takes it for text, Go skips it",
    "not UTF-8": "Helm 3 reads UTF-16, Helm 4 splits it at bytes",
}
# What specs refuse besides.
STRICT = {
    "is a boolean to Helm and text to Kustomize",
    "not every reader takes this key for text",
    "is read as the number",
    "this number is too large",
    "is none to Helm",
    "the tag",
    "is written twice",
    "one document is expected",
    "the file is empty",
    "the file must be a map",
    "a key is missing",
    "merges a map",
}
# What Go's readers make difficult and specs need not care about, as no tool reads their text.
GO_ONLY = [
    'text with "?" needs quotes',
    'the escape "\\/"',
    "the block of text at the end",
    "may hold nothing else but a comment",
]
HELMS = ["helm4", "helm3"]


def ours(read: Callable[[bytes, str], Any], text: bytes) -> go_reads.Read:
    try:
        return go_reads.Read(True, plain(read(text, "f.yaml")))
    except CmpError as error:
        return go_reads.Read(False, str(error))


def without_nulls(value: Any) -> Any:
    """Helm 4 drops a null that the chart has no default for."""
    if isinstance(value, dict):
        return {k: without_nulls(child) for k, child in value.items() if child is not None}
    return value


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not true, and 1.5 is 1.5 by its digits."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def verdict(text: bytes, go: go_reads.Read) -> str:
    """What is wrong about our reading of `text`, or nothing."""
    mine = ours(load_values, text)
    if not mine.ok:
        justified = not go.ok or any(words in mine.value for words in REFUSED)
        return "" if justified else f"helm reads {text!r} as {go.value!r}, we: {mine.value}"
    if not go.ok:
        return f"we read {text!r} as {mine.value!r}, helm: {go.value}"
    equal = same(without_nulls(go.value), without_nulls(mine.value))
    return "" if equal else f"{text!r}: helm {go.value!r}, we {mine.value!r}"


def strict_verdict(text: bytes) -> str:
    """A spec is read as a values file is, or refused; `<<` has a rule of its own."""
    spec, values = ours(load, text), ours(load_values, text)
    if not spec.ok:
        known = not values.ok or any(words in spec.value for words in {*REFUSED, *STRICT})
        return "" if known else f"a spec refuses {text!r}: {spec.value}"
    if not values.ok:
        free = any(words in values.value for words in GO_ONLY)
        return "" if free else f"{text!r}: {values.value}"
    equal = same(spec.value, values.value) or b"<<" in text
    return "" if equal else f"{text!r}: a spec is {spec.value!r}, values are {values.value!r}"


def forms(scalar: str) -> list[bytes]:
    """`scalar` as a value, in a list, as a key, between braces."""
    text = scalar.encode()
    return [
        b"a: " + text + b"\n",
        b"a:\n- " + text + b"\n",
        text + b": a\n",
        b"a: {" + text + b": " + text + b"}\n",
    ]


FORMS = [form for scalar in SCALARS for form in forms(scalar)]
ACCEPTED = [form for form in FORMS if ours(load_values, form).ok]
DOUBTFUL = [form for form in FORMS if not ours(load_values, form).ok]


def test_the_corpus_is_large_enough() -> None:
    assert len(SCALARS) >= 280
    assert len(DOCUMENTS) >= 200
    assert len(ACCEPTED) > 2 * len(DOUBTFUL)


@pytest.mark.parametrize("version", HELMS)
def test_scalars_that_we_read(version: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """All in one file: a list of maps, so that each keeps its own keys and its nulls."""
    text = b"all:\n" + b"".join(b"- " + form.replace(b"\n", b"\n  ").rstrip(b" ") for form in ACCEPTED)
    seen = go_reads.values(request.getfixturevalue(version), tmp_path / "c", text)
    assert seen.ok, seen.value
    wrong = [
        f"{form!r}: helm {go!r}, we {mine.value!r}"
        for form, go in zip(ACCEPTED, seen.value["all"], strict=True)
        if not same(go, (mine := ours(load_values, form)).value)
    ]
    assert not wrong


def test_scalars_that_we_refuse(helm4: str, tmp_path: Path) -> None:
    """Each a text of its own, as most of them spoil a file: a template reads them."""
    seen = [go_reads.Read("Error" not in value, value) for value in go_reads.maps(helm4, tmp_path, DOUBTFUL)]
    assert len([go for go in seen if not go.ok]) > 50
    assert not [wrong for text, go in zip(DOUBTFUL, seen, strict=True) if (wrong := verdict(text, go))]


@pytest.mark.parametrize("version", HELMS)
def test_documents(version: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    texts = list(DOCUMENTS.values())
    seen = go_reads.values_of_each(request.getfixturevalue(version), tmp_path, texts)
    wrong = {
        title: said for (title, text), go in zip(DOCUMENTS.items(), seen, strict=True) if (said := verdict(text, go))
    }
    assert not wrong


def test_a_spec_is_what_values_are_or_refused() -> None:
    texts = [*FORMS, *DOCUMENTS.values()]
    assert not [said for text in texts if (said := strict_verdict(text))]
