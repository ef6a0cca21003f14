"""`schema [KIND]`: JSON Schema of the files people write, for editors."""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from ..specs import KINDS, json_schema


def run(args: Namespace) -> int:
    """Prints one kind's schema, or an object with all four by kind."""
    if args.kind:
        schema = json_schema(args.kind.capitalize())
    else:
        schema = {kind.lower(): json_schema(kind) for kind in KINDS}
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0
