"""Commands of the documentation that only a cluster can run, run on a test's cluster."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from build import KUBERNETES, directory
from documents import Block, blocks
from processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cluster import Cluster

REASON = "needs a cluster; make test-argocd runs it"


def command(document: str, *texts: str) -> Block:
    """The one block of shell in a document that holds all these texts."""
    (found,) = [each for each in blocks(document) if each.kind == "sh" and all(text in each.text for text in texts)]
    return found


def run_block(cluster: Cluster, block: Block, names: Mapping[str, str] | None = None) -> str:
    """What the block prints, with its names exchanged for those of a test."""
    assert block.reason == REASON
    script = block.text
    for old, new in (names or {}).items():
        assert old in script
        script = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", new, script)
    path = os.pathsep.join([str(directory(KUBERNETES)), os.environ["PATH"]])
    kubectl = {"KUBECONFIG": str(cluster.kubeconfig), "KUBECACHEDIR": str(cluster.cache)}
    environment = os.environ | kubectl | {"PATH": path}
    done = subprocess.run(
        ["sh", "-eu", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
