"""What an editor makes of a fleet with the schemas of `cmp-plugin schema --out`: used with and without upstream's charts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs

from cmp_plugin.goyaml.load import load, plain


def fitting(fleet: Path, schemas: Path) -> int:
    """How many files fit the schema that an editor has for them; fails at the first that does not."""
    files = dict.fromkeys((fleet / "profiles").glob("*.yaml"), schemas / "profile.json")
    files |= dict.fromkeys((fleet / "clusters").glob("*/cluster.yaml"), schemas / "cluster.json")
    files |= {
        path: schemas / f"services/{path.parent.name}.json" for path in (fleet / "services").glob("*/service.yaml")
    }
    for path, schema in files.items():
        found = json.loads(schema.read_text())
        assert jsonschema_rs.meta.is_valid(found)
        wrong = [
            str(error)
            for error in jsonschema_rs.Draft202012Validator(found).iter_errors(plain(load(path.read_bytes(), "x")))
        ]
        assert not wrong, f"{path}: {wrong}"
    return len(files)
