"""`healthcheck`: whether this sidecar can render now. Silent when it can, one line when not.

Looks for a helm and a kustomize that may be used, a place for temporary files, and argocd-cmp-server's
socket. It renders nothing, so that a probe costs little; which versions a fleet wants is not asked.
"""

from __future__ import annotations

import os
import socket
from argparse import Namespace

from ..argocd.applications import PLUGIN
from ..errors import ToolError
from ..system.workdir import workdir
from ..tools import helm, kustomize

PROBE_SECONDS = 5.0  # a server that listens answers at once; one that takes longer hangs
SOCKETS = "/home/argocd/cmp-server/plugins"  # argo-cd's DefaultPluginSockFilePath


EXAMPLES = (("the sidecar's probe, by hand", "cmp-plugin healthcheck && echo it renders"),)


def run(args: Namespace) -> int:
    """0, or the first thing that is wrong as an error."""
    try:
        helm.find("^4")
    except ToolError:
        helm.find("^3")
    kustomize.find("*")
    with workdir():
        pass
    path = os.path.join(os.environ.get("ARGOCD_PLUGINSOCKFILEPATH") or SOCKETS, f"{PLUGIN}.sock")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(path)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ToolError(f"argocd-cmp-server does not listen at {path}: {reason}") from None
    return 0
