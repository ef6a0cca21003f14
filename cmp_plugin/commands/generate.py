"""`generate`: what plugin.yaml calls. The current directory is the Application's path.

A service's directory with the parameter `inputs`, or `clusters/<c>` with the parameter `service`: the
same render function, the same bytes. Without `service`: Applications, of the cluster or of the fleet.
Everything is in memory and checked before the one write.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ..argocd.contract import Call, read_call, render_seconds
from ..argocd.inputs import decode
from ..errors import CmpError, Errors, InputError, hinted, labelled
from ..fleet.cluster import open_cluster
from ..fleet.files import find_root, open_fleet
from ..fleet.plan import planned_service
from ..fleet.request import Request
from ..fleet.resolve import Resolved, resolve
from ..goyaml.load import dump_json
from ..system.process import Deadline
from .warnings import warn, warn_about_plugin

if TYPE_CHECKING:
    from argparse import Namespace


EXAMPLES = (("what Argo CD gets for a cluster: its Applications", "cd clusters/gke.dev && cmp-plugin generate"),)


def run(args: Namespace) -> int:
    """The verb with options, as a person would type it."""
    os.chdir(args.directory)
    return generate()


def generate() -> int:
    """Writes the manifests of the current directory to stdout, or raises before it wrote anything."""
    deadline = Deadline(render_seconds(os.environ))
    call = read_call(os.environ)
    directory = os.path.realpath(os.getcwd())
    output = _manifests(call, directory, deadline) if call.inputs else _from_fleet(call, directory, deadline)
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    return 0


def _manifests(call: Call, directory: str, deadline: Deadline) -> bytes:
    request = decode(call.inputs, directory)
    warn_about_plugin(request.settings, None)
    try:
        resolved = resolve(request)
        if resolved is None:
            raise InputError(f"{request.facts.cluster}/{request.key} is switched off (`enabled: false`)")
        return _rendered(call, request, resolved, deadline)
    except CmpError as error:
        raise explained(error, request) from error


def _from_fleet(call: Call, directory: str, deadline: Deadline) -> bytes:
    """A cluster's directory: its Applications, or one service; the root or `clusters`: everything's."""
    from ..argocd.applications import applications_of_cluster, applications_of_fleet

    root = find_root(directory)
    kind, _, name = os.path.relpath(directory, root).partition("/")
    fleet = open_fleet(root)
    warn_about_plugin(fleet.settings, fleet.spec.at)
    if kind == "clusters" and name and "/" not in name:
        if call.cluster and call.cluster != name:
            raise InputError(f'the parameter "cluster" says {call.cluster}, the path says {name}')
        cluster = open_cluster(fleet, name)
        if call.service:
            return _rendered(call, *planned_service(cluster, call.service), deadline)
        return _as_lines(applications_of_cluster(cluster, call.revision, _prefix(call, f"clusters/{name}")))
    if kind in (".", "clusters") and not name and not call.service:
        return _as_lines(applications_of_fleet(fleet, call.revision, _prefix(call, kind)))
    hint = "an Application names the fleet's root, clusters/<cluster>, or services/<service> with the parameter inputs"
    raise InputError(f"{os.path.relpath(directory, root)} is no cluster's directory", None, hint)


def _prefix(call: Call, path: str) -> str:
    """The fleet's directory in its repository, out of the Application's path and where that lies in the fleet."""
    if path == ".":
        return f"{call.path}/" if call.path not in ("", ".") else ""
    return call.path.removesuffix(path) if call.path.endswith(f"/{path}") else ""


def _rendered(call: Call, request: Request, resolved: Resolved, deadline: Deadline) -> bytes:
    from ..render.manifest import emit
    from ..render.render import render

    # A difference is worth a line in the sidecar's log, but never an input of the render.
    wanted, actual = (version.removeprefix("v") for version in (request.facts.kube_version, call.kube_version))
    if wanted and actual and actual.split(".")[:2] != wanted.split(".")[:2]:
        warn([f"{request.facts.cluster}/{request.key}: rendered for Kubernetes {wanted}, the cluster runs {actual}"])
    result = render(resolved.service, request.tree, deadline)
    warn(result.warnings)
    return emit(result.manifests)


def _as_lines(objects: list[dict[str, Any]]) -> bytes:
    return "".join(f"{dump_json(manifest)}\n" for manifest in objects).encode()


def explained(error: CmpError, request: Request) -> CmpError:
    """Where the cause is in `inputs` there are no lines: names the command that shows them."""
    command = f"cmp-plugin preview {request.facts.cluster} {request.key} names the line"
    if isinstance(error, Errors):
        return Errors(explained(each, request) for each in error.errors)
    if error.at is None or not error.at.file.startswith("inputs ("):
        return error
    return hinted(labelled(error, f"{request.facts.cluster}/{request.key}"), command)
