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

SOCKETS = "/home/argocd/cmp-server/plugins"  # argo-cd's DefaultPluginSockFilePath


EXAMPLES = (("the sidecar's probe, by hand", "cmp-plugin healthcheck && echo it renders"),)


def run(args: Namespace) -> int:
    """0, or the first thing that is wrong as an error."""
    _some_helm()
    kustomize.find("*")
    with workdir():
        pass
    _listens(os.path.join(os.environ.get("ARGOCD_PLUGINSOCKFILEPATH") or SOCKETS, f"{PLUGIN}.sock"))
    return 0


def _some_helm() -> None:
    try:
        helm.find("^4")
    except ToolError:
        helm.find("^3")


def _listens(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(path)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ToolError(f"argocd-cmp-server does not listen at {path}: {reason}") from None
