"""index.yaml: what is read of it without parsing all of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from cmp_plugin.charts.repo_index import Version, pick, versions
from cmp_plugin.errors import InputError

PLAIN = {
    "apiVersion": "v1",
    "entries": {
        "a": [{"name": "a", "version": "1.0.0", "urls": ["a-1.0.0.tgz"]}],
        "ab": [
            {
                "name": "ab",
                "version": "2.0.0",
                "digest": "sha256:" + "2" * 64,
                "urls": ["x", "y"],
                "description": "one\n\n  a:\n  - version: 9.9.9\n# not a comment\nentries:\n",
                "created": "2026-01-01T00:00:00Z",
            },
            {"name": "ab", "version": "v1.0.0", "digest": "1" * 64, "urls": ["z"]},
        ],
        "b": [{"name": "b", "version": "0.1.0", "urls": []}, None, {"name": "b"}],
    },
    "generated": "2026-01-01T00:00:00Z",
}
EXPECTED = {
    "a": [Version("1.0.0", "", ("a-1.0.0.tgz",))],
    "ab": [Version("2.0.0", "2" * 64, ("x", "y")), Version("v1.0.0", "1" * 64, ("z",))],
    "b": [Version("0.1.0", "", ())],
    "c": [],
}
FORMS = {
    "block": yaml.safe_dump(PLAIN, sort_keys=False),
    "sorted": yaml.safe_dump(PLAIN),
    "wide": yaml.safe_dump(PLAIN, indent=6),
    "json": json.dumps(PLAIN),
    "flow": yaml.safe_dump(PLAIN, default_flow_style=True),
    "commented": "# charts\n" + yaml.safe_dump(PLAIN).replace("entries:\n", "entries: # all\n\n# first\n", 1),
    "quoted": yaml.safe_dump(PLAIN).replace("\n  ab:", '\n  "ab":'),
    "windows": yaml.safe_dump(PLAIN).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EXPECTED)
def test_every_form_says_the_same(form: str, name: str) -> None:
    assert versions(FORMS[form].encode(), name) == EXPECTED[name]


def test_helms_own_form(packed: Path) -> None:
    index = (packed / "index.yaml").read_bytes()
    document = yaml.safe_load(index)
    for name, entries in document["entries"].items():
        expected = [Version(one["version"], one["digest"], tuple(one["urls"])) for one in entries]
        assert versions(index, name) == expected
    assert [one.version for one in versions(index, "small")] == ["2.0.0", "1.2.0", "1.0.0"]


@pytest.mark.parametrize("text", ["a: [", "entries:\n  a: [\n", "{", "\x00", "entries:\n  a:\n  - &x [*y]\n"])
def test_what_is_no_index(text: str) -> None:
    with pytest.raises(InputError) as refused:
        versions(text.encode(), "a")
    assert refused.value.message == "its index.yaml is not to be understood"


@pytest.mark.parametrize("text", ["", "[]", "entries: []", "entries:\n", "entries:\n  a: 1\n", "a\n"])
def test_an_index_without_the_chart(text: str) -> None:
    assert versions(text.encode(), "a") == []


def test_a_version_is_picked_as_helm_does() -> None:
    found = [Version("v1.0.0", "", ()), Version("1.0.0", "", ()), Version("v2.0.0", "", ())]
    assert pick(found, "1.0.0") == found[1]
    assert pick(found, "v1.0.0") == found[0]
    assert pick(found, "2.0.0") == found[2]
    assert pick(found, "3.0.0") is None


def test_only_one_part_of_a_large_index_is_parsed() -> None:
    rows = "".join(f"  - name: n\n    urls: [a]\n    version: 1.0.{n}\n" for n in range(200))
    index = ("apiVersion: v1\nentries:\n" + "".join(f"  chart-{n}:\n{rows}" for n in range(2000))).encode()
    started = time.process_time()
    assert len(versions(index, "chart-1999")) == 200
    assert len(index) > 15_000_000
    assert time.process_time() - started < 3
