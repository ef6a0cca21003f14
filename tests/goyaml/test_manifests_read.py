"""What tools print, read as Argo CD reads it: sigs.k8s.io/yaml by way of the real helm, and real charts."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import go_reads
import pytest
from checkout import CHECKOUT

from cmp_plugin.errors import CmpError, InputError
from cmp_plugin.goyaml.load import Document, dump_json, load_manifests, load_values, plain

REAL = Path(CHECKOUT).parent / "shared" / "real"
# The newest version of each.
CHARTS = sorted(
    {
        path.parent.name.rpartition("-")[0]: path.parent.name
        for path in sorted(REAL.glob("*/manifests.yaml.gz"), reverse=True)
    }.values()
)
CORPUS = Path(__file__).parent / "yaml_corpus"
LIMIT_OF_HELM = 5 * 2**20
HELM = b"---\n# Source: web/templates/%s.yaml\n"


def rendered(name: str, text: bytes) -> bytes:
    return HELM % name.encode() + text


def test_documents_and_their_sources() -> None:
    text = (
        rendered("a", b"kind: A\n")
        + rendered("nothing", b"# only a comment\n")
        + rendered("b", b"kind: B\nx: |\n  ---\n  # Source: no\n")
        + b"---\nkind: C\n---  # again\n---\nkind: D\n"
        + b"---\n---\n---\nnull\n"
    )
    assert load_manifests(text) == [
        Document({"kind": "A"}, "web/templates/a.yaml"),
        Document({"kind": "B", "x": "---\n# Source: no\n"}, "web/templates/b.yaml"),
        # A file of crds/ is printed as it is, its documents below one comment.
        Document({"kind": "C"}, "web/templates/b.yaml"),
        Document({"kind": "D"}, "web/templates/b.yaml"),
    ]


def test_kustomize_names_no_source() -> None:
    assert load_manifests(b"kind: A\n---\nkind: B\n") == [
        Document({"kind": "A"}, ""),
        Document({"kind": "B"}, ""),
    ]
    assert load_manifests(b"") == []


# YAML -> what the Kubernetes decoder has: int64, else float64 (and printed as Go prints it).
NUMBERS = {
    "9007199254740993": "9007199254740993",
    "9223372036854775807": "9223372036854775807",
    "-9223372036854775808": "-9223372036854775808",
    "9223372036854775808": "9223372036854776000",
    "18446744073709551615": "18446744073709552000",
    "18446744073709551616": "18446744073709552000",
    "1e3": "1000",
    "1.0": "1",
    "-0.0": "0",
    "1.634117322748307456e18": "1634117322748307500",
    "1e20": "100000000000000000000",
    "1e21": "1e+21",
    "1.5": "1.5",
    "0o644": "420",
    "0644": "420",
    "=": '"="',
    "1e400": '"1e400"',
    "2020-01-01": '"2020-01-01"',
    "yes": "true",
    "~": "null",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    (document,) = load_manifests(f"kind: A\nx: {text}\n".encode())
    assert dump_json(document.value["x"]) == NUMBERS[text]


def test_merge_keys_and_aliases() -> None:
    text = b"a: &x {b: 1, c: [2]}\nd: {b: 0, <<: *x}\ne: {<<: *x, b: 3}\nf: *x\na: *x\n"
    (document,) = load_manifests(text)
    value = {"b": 1, "c": [2]}
    assert document.value == {"a": value, "d": value, "e": {"b": 3, "c": [2]}, "f": value}
    document.value["a"]["b"] = "changed"
    assert document.value["f"] == value


REFUSED = {
    rendered(
        "a", b"a: [b\n"
    ): 'web/templates/a.yaml as rendered:3:1: expected "," or "]" in the list that starts at 2:4',
    rendered("a", b"kind: A\n")
    + rendered(
        "b", b"text\n"
    ): "web/templates/b.yaml as rendered: a manifest must be a map with apiVersion, kind and metadata",
    rendered(
        "a", b"- kind: A\n"
    ): "web/templates/a.yaml as rendered: a manifest must be a map with apiVersion, kind and metadata",
    rendered(
        "a", b"a: 1\n...\nb: 1\n"
    ): 'web/templates/a.yaml as rendered:4:1: one value has ended and another begins without "---" between them',
    rendered(
        "a", b"a: .inf\n"
    ): 'web/templates/a.yaml as rendered:2:4: .inf is no number in JSON: write ".inf" for text',
    rendered(
        "a", b"a: !Ref b\n"
    ): 'web/templates/a.yaml as rendered:2:4: a value with the tag "!Ref": write it without',
    rendered(
        "a", b"a: 1\n--- b\n"
    ): 'web/templates/a.yaml as rendered: it prints a line that starts with "---" and holds more than a comment',
    rendered("a", b"a: \xff\n"): "web/templates/a.yaml as rendered:2:4: not UTF-8 text",
    rendered(
        "\x1b[2J", b"a: [\n"
    ): "web/templates/?[2J.yaml as rendered:1:25: a control character: write it as an escape in double quotes",
    b"a: 1\n---\nb: [\n": "document 2 as rendered:2:1: a value is missing here",
    b"a: " + b"[" * 200: "document 1 as rendered:1:103: more than 100 levels deep",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        load_manifests(text)
    assert str(caught.value) == REFUSED[text]


def test_hostile_output_is_bounded() -> None:
    assert load_manifests(b"---\n" * 2**18) == []
    with pytest.raises(InputError, match="^document 1 as rendered:1:[0-9]+: too many values"):
        load_manifests(b"a: [" + b"x," * 2**20 + b"]")


def documents_of_the_corpus() -> list[bytes]:
    parts = (CORPUS / "documents.txt").read_text("utf-8").split("=== ")[1:]
    return [part.partition("\n")[2].encode() for part in parts]


def test_what_helm_reads_from_the_text_of_one_document(helm4: str, tmp_path: Path) -> None:
    """`fromYaml` is sigs.k8s.io/yaml, as Argo CD's reader is, once documents are parted."""
    texts = [text for text in documents_of_the_corpus() if b"---" not in text]
    wrong = []
    for text, go in zip(texts, go_reads.maps(helm4, tmp_path, texts), strict=True):
        try:
            mine = [document.value for document in load_manifests(text)] or [{}]
        except CmpError:
            continue
        if "Error" in go or json.dumps(mine, sort_keys=True) != json.dumps([go], sort_keys=True):
            wrong.append((text, go, mine))
    assert len(texts) > 140
    assert not wrong


@pytest.mark.skipif(not CHARTS, reason="the real charts' output is not beside this checkout")
@pytest.mark.parametrize("chart", CHARTS)
def test_real_charts(chart: str, helm4: str, tmp_path: Path) -> None:
    """Object by object, as helm reads the same text."""
    text = gzip.decompress((REAL / chart / "manifests.yaml.gz").read_bytes())
    parts = [part for part in re.split(rb"(?m)^---.*\n", text) if part.strip()]
    mine = load_manifests(text)
    theirs: list[Any] = []
    for number, group in enumerate(_groups(parts)):
        theirs += go_reads.maps(helm4, tmp_path / str(number), group)
    for document, go in zip(mine, filter(None, theirs), strict=True):
        as_helm = plain(load_values(dump_json(document.value).encode(), document.source))
        assert dump_json(as_helm) == dump_json(go), document.source


def _groups(parts: list[bytes]) -> list[list[bytes]]:
    """Parts, in order, together not larger than a chart may be."""
    groups: list[list[bytes]] = [[]]
    for part in parts:
        if sum(map(len, groups[-1])) + len(part) > LIMIT_OF_HELM:
            groups.append([])
        groups[-1].append(part)
    return groups


def test_five_megabytes_take_little_memory(tmp_path: Path) -> None:
    """As large as the largest real chart, with long texts in it as CRDs have."""
    item = b"- description: '%s'\n  type: string\n  x: [1, true]\n" % (b"word " * 60)
    documents = [rendered(str(number), b"spec:\n" + item * 140) for number in range(105)]
    (tmp_path / "text").write_bytes(b"".join(documents))
    program = (
        "import re, sys; from cmp_plugin.goyaml.load import load_manifests;"
        "found = load_manifests(open(sys.argv[1], 'rb').read());"
        "print(len(found), re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "text")]
    done = subprocess.run(argv, capture_output=True, check=True)
    count, peak = map(int, done.stdout.split())
    assert (tmp_path / "text").stat().st_size > 5_000_000
    assert count == 105
    assert peak < 100 * 1024
