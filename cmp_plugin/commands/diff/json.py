"""A report of `diff` as JSON, for other programs. docs/diff.md describes its shape.

Keys are only ever added. A field has `before` and `after` where they exist, and neither when `hidden`.
"""

from __future__ import annotations

import json
from typing import Any

from ...render.compare import ABSENT
from ...render.object_key import Key
from .grouping import Entry, Replaced
from .report import Report
from .sides import Side

_RANKS = ("loss", "danger", "look")


def as_json(report: Report) -> str:
    """The whole report, indented, with a line break at its end."""
    value = {
        "format": 1,
        "before": _side(report.before),
        "after": _side(report.after),
        "notes": list(report.notes),
        "changed": not report.is_empty,
        "services": {"changed": report.services[0], "total": report.services[1], "rendered": report.renders},
        "clusters": {"added": report.added, "removed": report.removed},
        "dangers": [
            {
                "severity": _RANKS[warned.danger.rank],
                "kind": warned.danger.kind,
                "message": f"{warned.key} {warned.danger.text}",
                "service": warned.service,
                "object": _key(warned.key),
                "clusters": list(warned.clusters),
            }
            for warned in report.dangers
        ],
        "charts": [_replaced(replaced) for replaced in report.versions],
        "images": [_replaced(replaced) for replaced in report.images],
        "changes": [
            {
                "service": group.service,
                "clusters": list(group.clusters),
                "objects": [_entry(entry) for entry in group.entries],
            }
            for group in report.groups
        ],
        "randomFieldsLeftOut": report.random,
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "commit": side.commit or None, "clusters": len(side.clusters)}


def _key(key: Key) -> dict[str, str]:
    return key._asdict()


def _replaced(replaced: Replaced) -> dict[str, Any]:
    return {
        "service": replaced.service,
        "name": replaced.what,
        "before": replaced.before,
        "after": replaced.after,
        "clusters": list(replaced.clusters),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """One object and every change of its fields; a field with several has each with its clusters."""
    fields: list[dict[str, Any]] = []
    for told in entry.fields:
        for field, clusters in told.others or ((told.field, None),):
            values = {"before": field.before, "after": field.after}
            fields.append(
                {
                    "path": field.path,
                    "change": field.change,
                    **({"hidden": True} if field.hidden else {}),
                    **{name: value for name, value in values.items() if value is not ABSENT},
                    **({"clusters": list(clusters)} if clusters else {}),
                }
            )
    return {**_key(entry.key), "change": entry.change, **({"fields": fields} if fields else {})}
