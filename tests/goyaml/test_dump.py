"""The writers: every reader that gets to see the text reads back the value that was written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import go_reads
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmp_plugin.errors import InputError
from cmp_plugin.goyaml.load import dump_json, dump_values, dump_yaml, load, load_manifests, load_values, plain
from cmp_plugin.goyaml.scalars import as_float64
from cmp_plugin.system.process import Deadline, clean_environment, run

CORPUS = Path(__file__).parent / "yaml_corpus"
SCALARS = (CORPUS / "scalars.txt").read_text("utf-8").split("\n")
BLOCKS = [
    "a\nb",
    "a\nb\n",
    "a\n\nb\n\n",
    " a\nb",
    "a\n b\n",
    "\na",
    "\n",
    "a \nb\n",
    "\ta\nb",
    "a\n\tb\n",
    "a\r\nb\r\n",
    "# a\nb",
    "- a\n- b\n",
    "a: b\nc: d\n",
    "---\na\n...\n",
    "%a\nb",
    "a\u2028b\nc",
    "a\x85b\nc",
    "é\n😀\n",
    "{{ a }}\n{{- b }}\n",
    "x" * 300 + "\n" + "y z " * 100 + "z",
    "word " * 40 + "end",
    "k" * 130,
]
# What YAML and JSON take differently, and what no reader may lose.
CHARACTERS = st.one_of(
    st.sampled_from("abyYnNoO01.-+_:#,[]{}&*!|>'\"%@`~=<?/\\ \n\t\r\x00\x07\x1b\x7f\x80\x85\x9f\xa0\xad"),
    st.sampled_from("\u2028\u2029\ufeff\ufffd\ufffe\uffff\u200bé中😀\U0001fffe\U0010ffff"),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.one_of(st.sampled_from([*SCALARS, *BLOCKS]), st.text(CHARACTERS, max_size=20))
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    # As Go's JSON has them: integral ones are integers.
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: as_float64(x) or 0.5),
    st.sampled_from([1e21, -1e300, 5e-324, 1e-7]),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, TEXTS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=6,
)
# Many values for one process of a tool; a list keeps their nulls and their order.
BATCHES = st.lists(VALUES, min_size=5, max_size=40)
SLOW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HELMS = ["helm4", "helm3"]


def same(one: Any, other: Any) -> bool:
    """Equal by JSON's digits, so that 1 is not true and 1.0 is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize("version", HELMS)
@SLOW
@given(batch=BATCHES)
def test_helm_reads_values(
    version: str,
    batch: list[Any],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> None:
    root, helm = tmp_path_factory.mktemp("values"), request.getfixturevalue(version)
    seen = go_reads.values(helm, root, dump_values({"all": batch}))
    assert seen.ok, seen.value
    assert same(seen.value, {"all": batch})


@SLOW
@given(batch=BATCHES)
def test_helm_reads_yaml(batch: list[Any], helm4: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("yaml")
    seen = go_reads.values(helm4, root, dump_yaml({"all": batch}).encode())
    assert seen.ok, seen.value
    assert same(seen.value, {"all": batch})


def probe(value: Any) -> dict[str, Any]:
    """An object that Kustomize knows nothing about, so that it hands `value` through."""
    return {
        "apiVersion": "test.example.com/v1",
        "kind": "Probe",
        "metadata": {"name": "a"},
        "spec": value,
    }


# Kustomize 5.8 writes these raw on its way and cannot read them again, whoever wrote them.
LOST_BY_KUSTOMIZE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
KEPT = TEXTS.map(lambda text: LOST_BY_KUSTOMIZE.sub("", text)) | st.booleans()


@SLOW
@given(batch=st.lists(st.recursive(KEPT, st.lists, max_leaves=5), min_size=5))
def test_kustomize_reads_yaml(batch: list[Any], kustomize: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Texts, in all their forms; numbers it writes in its own way."""
    root = tmp_path_factory.mktemp("kustomize")
    (root / "a.yaml").write_text(dump_yaml(probe({"all": batch})), "utf-8")
    (root / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    argv = [kustomize, "build", str(root)]
    done = run(argv, cwd=str(root), env=clean_environment(str(root)), deadline=Deadline(60))
    assert done.code == 0, done.stderr
    (document,) = load_manifests(done.stdout)
    assert same(document.value["spec"], {"all": batch})


@QUICK
@given(value=VALUES)
def test_python_and_we_read_yaml(value: Any) -> None:
    text = dump_yaml({"value": value})
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        assert same(yaml.load(text, loader), {"value": value})
    assert same(plain(load_values(text.encode(), "f.yaml")), {"value": value})
    assert same(plain(load(text.encode(), "f.yaml")), {"value": value})
    (document,) = load_manifests(text.encode())
    assert same(document.value, {"value": value})


@QUICK
@given(value=VALUES)
def test_json_is_one_line_of_sorted_utf_8(value: Any) -> None:
    text = dump_json(value)
    assert "\n" not in text
    assert same(json.loads(text), value)
    assert same(json.loads(dump_values({"value": value})), {"value": value})
    assert same(plain(load_values(dump_values({"value": value}), "f.yaml")), {"value": value})


def test_json() -> None:
    assert dump_json({"b": [1, None, "é😀\n"], "a": {}}) == '{"a":{},"b":[1,null,"é😀\\n"]}'
    assert dump_values({"a": "é\x7f\u2028\ufeff😀"}) == b'{"a":"\xc3\xa9\\u007f\\u2028\\ufeff\xf0\x9f\x98\x80"}\n'


YAML = {
    "apiVersion": "v1",
    "args": ["--level=info", "-x", "*/5 * * * *", "a: b", "a #b", "@daily"],
    "empty": {"list": [], "map": {}, "text": "", "nothing": None},
    "numbers": [1, 1.5, 1e21, 1e-7, "1", "1.10", "0o17", "1e3", "12:30", "2020-01-01"],
    "quantities": ["100m", "5Gi", "30s", "10.0.0.1", "v1.2.3"],
    "script": "#!/bin/sh\nset -e\n\nexec  app\n",
    "words": ["y", "No", "true", "null", "~", "on", "text", "two words", "don't"],
    "on": True,
}
WRITTEN = """\
apiVersion: v1
args:
- '--level=info'
- '-x'
- '*/5 * * * *'
- 'a: b'
- 'a #b'
- '@daily'
empty:
  list: []
  map: {}
  nothing: null
  text: ''
numbers:
- 1
- 1.5
- 1.0e+21
- 1.0e-07
- '1'
- '1.10'
- '0o17'
- '1e3'
- '12:30'
- '2020-01-01'
'on': true
quantities:
- 100m
- 5Gi
- 30s
- '10.0.0.1'
- v1.2.3
script: |
  #!/bin/sh
  set -e

  exec  app
words:
- 'y'
- 'No'
- 'true'
- 'null'
- '~'
- 'on'
- text
- two words
- don't
"""


def test_yaml_for_people() -> None:
    assert dump_yaml(YAML) == WRITTEN


@pytest.mark.parametrize("write", [dump_json, dump_values, dump_yaml])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": float("inf")}, "infinite or not a number"),
        ({"a": [float("nan")]}, "infinite or not a number"),
        ({"a": "\ud83d"}, "half of a surrogate pair"),
        ({"\ude00": 1}, "half of a surrogate pair"),
    ],
)
def test_what_no_reader_gets_back_is_refused(write: Any, value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        write(value)


def test_a_key_too_long_for_yaml(helm4: str, tmp_path: Path) -> None:
    longest = {"k" * 998: 1, "\n" * 499: 2}
    assert go_reads.values(helm4, tmp_path / "a", dump_values(longest)) == (True, longest)
    for key in ("k" * 999, "\n" * 500, "\x7f" * 167):
        with pytest.raises(InputError, match="more than 1000 characters"):
            dump_values({"a": [{key: 1}]})
