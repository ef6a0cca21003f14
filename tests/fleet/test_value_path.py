"""The paths people type, and what they lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.errors import UsageError
from cmp_plugin.fleet.value_path import ObjectWords, ValuePath, parsed, step_into, value_path, written


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("values.a.b", ("values", "a", "b")),
        ("a[0].b[12]", ("a", 0, "b", 12)),
        ("a[0][1]", ("a", 0, 1)),
        ('metadata.labels."a.b/c"', ("metadata", "labels", "a.b/c")),
        ("metadata.labels.'a.b/c'.x", ("metadata", "labels", "a.b/c", "x")),
        ('labels["a.b/c"]', ("labels", "a.b/c")),
        (r"labels.a\.b/c", ("labels", "a.b/c")),
        ("containers[web].image", ("containers", "web", "image")),
        ('"a b".c', ("a b", "c")),
        ("syncOptions.Prune-1_x:y", ("syncOptions", "Prune-1_x:y")),
        ('"".a', ("", "a")),
        ("*.x", ("*", "x")),
    ],
)
def test_paths(text: str, path: tuple[str | int, ...]) -> None:
    assert parsed(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a]", "a[]", 'a"b"', '"a', "a.[0].", '"a"b'])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(UsageError):
        parsed(text)


KEYS = st.text(min_size=1).filter(lambda key: not ('"' in key and "'" in key))


@given(st.lists(KEYS | st.integers(0, 99), min_size=1).map(lambda steps: ["top", *steps]))
def test_a_path_is_read_as_it_is_written(steps: list[str | int]) -> None:
    assert parsed(written(tuple(steps))) == tuple(steps)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["a.b"], ValuePath(("a", "b"))),
        (["Deployment/web"], ValuePath((), ObjectWords("Deployment", "web"))),
        (["Deployment/web", "spec.replicas"], ValuePath(("spec", "replicas"), ObjectWords("Deployment", "web"))),
        (["Deployment/web spec.replicas"], ValuePath(("spec", "replicas"), ObjectWords("Deployment", "web"))),
        (["shop/Deployment.apps/web", "a[0]"], ValuePath(("a", 0), ObjectWords("Deployment", "web", "shop", "apps"))),
        (["Certificate.cert-manager.io/x"], ValuePath((), ObjectWords("Certificate", "x", "", "cert-manager.io"))),
        (["ClusterRole/system:x"], ValuePath((), ObjectWords("ClusterRole", "system:x"))),
        (["Secret/x", 'data."tls.crt"'], ValuePath(("data", "tls.crt"), ObjectWords("Secret", "x"))),
        (["deployment/web", "spec.replicas"], ValuePath(("spec", "replicas"), ObjectWords("deployment", "web"))),
        (["deployment/web"], ValuePath(("deployment/web",))),
        # No object: a label's key, and a value whose key begins with a capital letter.
        (["metadata.labels.a.b/c"], ValuePath(("metadata", "labels", "a", "b/c"))),
        (['values."Foo/bar"'], ValuePath(("values", "Foo/bar"))),
    ],
)
def test_words(words: list[str], found: ValuePath) -> None:
    assert value_path(words) == found
    if found.object and found.object.kind[0].isupper():
        assert value_path([str(found.object), written(found.path)] if found.path else [str(found.object)]) == found


@pytest.mark.parametrize(
    "words", [["a", "b"], [""], ["  "], ["Deployment/web", "a", "b", "."], ["Deployment/web", "a."]]
)
def test_words_that_ask_for_nothing(words: list[str]) -> None:
    with pytest.raises(UsageError):
        value_path(words)


@pytest.mark.parametrize(
    ("value", "path", "step"),
    [
        ({"a": 1}, ("a", "b"), ("a", 1, ("b",))),
        ({"a": 1}, ("b",), None),
        # The shortest key wins; quotes around a key with dots may be left out.
        ({"a.b": 1}, ("a", "b", "c"), ("a.b", 1, ("c",))),
        ({"a": 0, "a.b": 1}, ("a", "b"), ("a", 0, ("b",))),
        ([5, 6], (1,), (1, 6, ())),
        ([5, 6], (2,), None),
        ([{"name": "x"}, {"name": "y"}], ("y", "z"), (1, {"name": "y"}, ("z",))),
        ([{"name": "x"}], ("y",), None),
        ("text", ("a",), None),
        (None, ("a",), None),
        ({"a": 1}, (), None),
    ],
)
def test_step(value: object, path: tuple[str | int, ...], step: object) -> None:
    assert step_into(value, path) == step
