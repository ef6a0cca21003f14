"""The JSON Schemas of the files people write as texts, and the line by which an editor finds them.

In: the models. Out: texts, and their paths in a fleet. Pure. The models are imported only for a schema's text:
that costs more than a command that merely knows where the schemas are.
"""

from __future__ import annotations

import json

DIRECTORY = "schemas"


def schema_text(schema: object) -> str:
    """A JSON Schema as the text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """Path -> text: the JSON Schema of each kind of file, below the fleet's root."""
    from .models import KINDS, json_schema

    return {f"{DIRECTORY}/{kind.lower()}.json": schema_text(json_schema(kind)) for kind in KINDS}


def modeline(path: str, kind: str) -> str:
    """The first line of the spec at `path` in the fleet, which names the schema of its kind (in lower case)."""
    return f"# yaml-language-server: $schema={'../' * path.count('/')}{DIRECTORY}/{kind}.json\n"
