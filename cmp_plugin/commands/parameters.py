"""`parameters`: what plugin.yaml's `parameters.dynamic` calls, for Argo CD's user interface."""

from __future__ import annotations

import json
import os
from argparse import Namespace

from ..argocd.contract import announcement, read_call

EXAMPLES = (("what Argo CD shows beside an Application", "cd clusters/gke.dev && cmp-plugin parameters"),)


def run(args: Namespace) -> int:
    """Prints the announcement, a JSON array. To be read in Argo CD, not changed: git decides."""
    print(json.dumps(announcement(read_call(os.environ)), ensure_ascii=False))
    return 0
