"""What differs between two renders, by object and field; values are never told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_chart import Fleet, service

from cmp_plugin.render.randomness import Difference, differences
from cmp_plugin.tools.discovery import Tool


def thing(name: str, kind: str = "Secret", /, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


def nameless(prefix: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Job", "metadata": {"generateName": prefix}, **fields}


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ([], [], []),
        ([thing("a", x=1)], [thing("a", x=1)], []),
        ([thing("a"), thing("b")], [thing("b"), thing("a")], []),
        ([thing("a", x=1)], [thing("a", x=2)], ["Secret/a /x"]),
        ([thing("a", x=1)], [thing("a", x=True)], ["Secret/a /x"]),
        ([thing("a", x=1)], [thing("a", x="1")], ["Secret/a /x"]),
        ([thing("a", x=None)], [thing("a")], ["Secret/a /x"]),
        ([thing("a")], [thing("a", y={"z": 1})], ["Secret/a /y"]),
        ([thing("a", d={"p": 1, "q": 2, "r": 3})], [thing("a", d={"p": 9, "q": 2, "r": 9})], ["Secret/a /d/p", "Secret/a /d/r"]),
        ([thing("a", l=[{"v": 1}, {"v": 2}])], [thing("a", l=[{"v": 1}, {"v": 3}])], ["Secret/a /l/1/v"]),
        ([thing("a", l=[1])], [thing("a", l=[1, 2])], ["Secret/a /l"]),
        ([thing("a", l=[1])], [thing("a", l={"0": 1})], ["Secret/a /l"]),
        ([thing("a", **dict[str, Any]({"x/y~z": 1}))], [thing("a", **dict[str, Any]({"x/y~z": 2}))], ["Secret/a /x~1y~0z"]),
        ([thing("a"), thing("b")], [thing("a")], ["Secret/b (not in both)"]),
        ([thing("a")], [thing("a"), thing("b")], ["Secret/b (not in both)"]),
        ([thing("a", "Job")], [thing("a", "CronJob")], ["Job/a (not in both)", "CronJob/a (not in both)"]),
        ([thing("j-x", "Job", v=1)], [thing("j-y", "Job", v=1)], ["Job (its name differs) /metadata/name"]),
        (
            [nameless("a-", v=1), nameless("a-", v=2)],
            [nameless("a-", v=1), nameless("a-", v=3)],
            ["Job with generateName a- /v"],
        ),
    ],
)  # fmt: skip
def test_differences(first: list[dict[str, Any]], second: list[dict[str, Any]], expected: list[str]) -> None:
    assert [str(one) for one in differences(first, second)] == expected


RANDOM = """apiVersion: v1
kind: Secret
metadata: {name: web, labels: {fixed: a}}
stringData:
  password: {{ randAlphaNum 20 }}
  ca: {{ (genCA "x" 1).Cert | b64enc }}
  same: x
---
apiVersion: batch/v1
kind: Job
metadata: {name: job-{{ randAlphaNum 8 | lower }}, annotations: {now: "{{ now | unixEpoch }}{{ randNumeric 9 }}"}}
"""


def test_a_chart_that_differs_from_run_to_run(tmp_path: Path, helm4: str) -> None:
    fleet = Fleet(tmp_path, Tool(helm4, "4.3.1"))
    fleet.write({"templates/x.yaml": RANDOM})
    first, second = ([one.value for one in fleet.render(service())] for _ in range(2))
    assert differences(first, second) == [
        Difference("Secret/web", "/stringData/password"),
        Difference("Secret/web", "/stringData/ca"),
        Difference("Job (its name differs)", "/metadata/name"),
        Difference("Job (its name differs)", "/metadata/annotations/now"),
    ]
