"""The health of an Application inside another, by the check that the bootstrap configures, in Argo CD's own Lua."""

from __future__ import annotations

import copy
import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from health import health

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"}}
SOURCE = {
    "repoURL": "https://git.example.com/fleet.git",
    "targetRevision": "c0ffee",
    "path": "services/web",
    "plugin": {
        "name": "cmp-plugin",
        "parameters": [{"name": "service", "string": "web"}, {"name": "inputs", "string": "{}"}],
    },
}
OLDER = {**SOURCE, "targetRevision": "decade"}
OTHER_INPUTS = {**SOURCE, "plugin": {"name": "cmp-plugin", "parameters": [{"name": "service", "string": "web"}]}}
DONE = {
    "phase": "Succeeded",
    "message": "successfully synced",
    "operation": {"sync": {"source": SOURCE, "revision": "c0ffee"}},
    "syncResult": {"source": SOURCE, "revision": "c0ffee"},
}
GOOD = {
    "sync": {"status": "Synced", "revision": "c0ffee", "comparedTo": {"source": SOURCE}},
    "health": {"status": "Healthy"},
    "operationState": DONE,
}


def status(**changes: Any) -> dict[str, Any]:
    """A synced and healthy Application's status with some fields changed; `sync` is merged."""
    made = copy.deepcopy(GOOD)
    made["sync"] |= changes.pop("sync", {})
    return made | changes


def compared(source: dict[str, Any], state: str = "Synced") -> dict[str, Any]:
    return {"status": state, "comparedTo": {"source": source}}


def failed(kind: str) -> list[dict[str, str]]:
    return [{"type": kind, "message": "what is wrong"}]


def operation(phase: str, source: dict[str, Any] = SOURCE, revision: str = "c0ffee", **more: Any) -> dict[str, Any]:
    return {
        "phase": phase,
        "message": "one object is not valid",
        "operation": {"sync": {"source": source, "revision": revision}},
    } | more


def ago(seconds: int) -> str:
    """Stands for the time so long ago; `at_last` says which one that is when the test runs."""
    return f"{seconds} s ago"


def at_last(text: str) -> str:
    def moment(match: re.Match[str]) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - int(match[1])))

    return re.sub(r"(\d+) s ago", moment, text)


OUT = compared(SOURCE, "OutOfSync")
CASES: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "good": (status(), "Healthy", ""),
    "new": (None, "Progressing", "not yet compared"),
    "new, empty": ({}, "Progressing", "not yet compared"),
    "changed commit": (status(sync=compared(OLDER)), "Progressing", "not yet compared"),
    "changed inputs": (status(sync=compared(OTHER_INPUTS)), "Progressing", "not yet compared"),
    "fewer fields": (status(sync=compared({"repoURL": SOURCE["repoURL"]})), "Progressing", "not yet compared"),
    "more fields": (status(sync=compared({**SOURCE, "chart": "web"})), "Progressing", "not yet compared"),
    "another kind of source": (status(sync={"comparedTo": {"sources": [SOURCE]}}), "Progressing", "not yet compared"),
    "out of sync": (status(sync=OUT), "Progressing", "not yet Synced"),
    "syncing": (status(sync=OUT, operationState=operation("Running")), "Progressing", "not yet Synced"),
    "own progress": (status(health={"status": "Progressing", "message": "1 of 2"}), "Progressing", "1 of 2"),
    "own trouble": (status(health={"status": "Degraded", "message": "crashes"}), "Degraded", "crashes"),
    "own progress for a while": (
        status(health={"status": "Progressing", "message": "1 of 2", "lastTransitionTime": ago(300)}),
        "Progressing",
        "1 of 2",
    ),
    "own progress for too long": (
        status(health={"status": "Progressing", "message": "1 of 2", "lastTransitionTime": ago(700)}),
        "Degraded",
        "Progressing for a long time: 1 of 2",
    ),
    "healthy for long": (status(health={"status": "Healthy", "lastTransitionTime": ago(7000)}), "Healthy", ""),
    "syncing for a while": (
        status(sync=OUT, operationState=operation("Running", startedAt=ago(300))),
        "Progressing",
        "not yet Synced",
    ),
    "syncing for too long": (
        status(sync=OUT, operationState=operation("Running", startedAt=ago(700))),
        "Degraded",
        "not Synced for a long time: one object",
    ),
    "synced long ago, just changed": (
        status(sync=OUT, operationState=operation("Succeeded", OLDER, startedAt=ago(800), finishedAt=ago(700))),
        "Progressing",
        "not yet Synced",
    ),
    "never what it should be": (
        status(sync=OUT, operationState=operation("Succeeded", startedAt=ago(800), finishedAt=ago(700))),
        "Degraded",
        "not Synced for a long time",
    ),
    "paused": (status(health={"status": "Suspended"}), "Suspended", ""),
    "no health yet": (status(health={}), "Progressing", ""),
    "a broken spec": (
        status(sync=compared(SOURCE, "Unknown"), conditions=failed("ComparisonError")),
        "Degraded",
        "ComparisonError: what is wrong",
    ),
    "a broken spec before this one": (
        status(sync=compared(OLDER, "Unknown"), conditions=failed("ComparisonError")),
        "Progressing",
        "not yet compared",
    ),
    "no such cluster": (
        {"sync": {"status": "Unknown"}, "health": {"status": "Unknown"}, "conditions": failed("InvalidSpecError")},
        "Degraded",
        "InvalidSpecError: what is wrong",
    ),
    "only a warning": (status(conditions=failed("SharedResourceWarning")), "Healthy", ""),
    "sync given up": (status(sync=OUT, conditions=failed("SyncError")), "Degraded", "SyncError: what is wrong"),
    "sync failed": (status(sync=OUT, operationState=operation("Failed")), "Degraded", "sync failed: one object"),
    "sync error": (status(sync=OUT, operationState=operation("Error")), "Degraded", "sync failed: one object"),
    "sync to be tried again": (
        status(sync=OUT, operationState=operation("Running", retryCount=1)),
        "Degraded",
        "sync failed: one object",
    ),
    "sync of another source failed": (
        status(sync=OUT, operationState=operation("Failed", OLDER)),
        "Progressing",
        "not yet Synced",
    ),
    "sync of another commit failed": (
        status(sync=OUT, operationState=operation("Failed", revision="decade")),
        "Progressing",
        "not yet Synced",
    ),
    "sync failed, mended by hand": (status(operationState=operation("Failed")), "Healthy", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_health(tmp_path: Path, case: str) -> None:
    found, wanted, message = CASES[case]
    status = {} if found is None else {"status": json.loads(at_last(json.dumps(found)))}
    said = health(APPLICATION | {"spec": {"source": SOURCE}} | status, tmp_path)
    assert (said[0], said[1][: len(message)]) == (wanted, message)
    assert message or not said[1]


def test_several_sources(tmp_path: Path) -> None:
    """An Application that somebody wrote by hand."""
    application = APPLICATION | {"spec": {"sources": [SOURCE, OLDER]}}
    good = status(sync={"comparedTo": {"sources": [SOURCE, OLDER]}})
    assert health(application | {"status": good}, tmp_path)[0] == "Healthy"
    changed = status(sync={"comparedTo": {"sources": [SOURCE, SOURCE]}})
    assert health(application | {"status": changed}, tmp_path)[0] == "Progressing"
