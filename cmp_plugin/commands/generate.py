"""`generate`: what plugin.yaml calls. The current directory is the Application's path.

`clusters/<c>` with the parameter `service`, or a service's directory with the parameter `inputs`:
the same render function, the same bytes. Everything is in memory and checked before the one write.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from ..argocd import TIMEOUT, Call, read_call
from ..cluster import open_cluster
from ..emit import emit
from ..errors import CmpError, InputError
from ..fleet import find_root, open_fleet
from ..inputs import decode
from ..plan import planned_service
from ..render import render
from ..request import Request
from ..resolve import Resolved, resolve
from ..tools.process import Deadline


def run(args: Namespace) -> int:
    """The verb with options, as a person would type it."""
    os.chdir(args.directory)
    return generate()


def generate() -> int:
    """Writes the manifests of the current directory to stdout, or raises before it wrote anything."""
    deadline = Deadline(TIMEOUT)
    call = read_call(os.environ)
    request, resolved = _requested(call, os.path.realpath(os.getcwd()))
    _warn_about_kubernetes(call, request)
    output = emit(render(resolved.service, request.tree, deadline).manifests)
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    return 0


def _requested(call: Call, directory: str) -> tuple[Request, Resolved]:
    if call.inputs:
        return _from_inputs(call, directory)
    root = find_root(directory)
    kind, _, name = os.path.relpath(directory, root).partition("/")
    if kind != "clusters" or not name or "/" in name:
        hint = "an Application names clusters/<cluster>, or services/<service> with the parameter inputs"
        raise InputError(f"{os.path.relpath(directory, root)} is no cluster's directory", None, hint)
    if call.cluster and call.cluster != name:
        raise InputError(f'the parameter "cluster" says {call.cluster}, the path says {name}')
    if not call.service:
        raise InputError(f'{name}: the parameter "service" is missing')
    return planned_service(open_cluster(open_fleet(root), name), call.service)


def _from_inputs(call: Call, directory: str) -> tuple[Request, Resolved]:
    request = decode(call.inputs, directory)
    label = f"{request.facts.cluster}/{request.key}"
    try:
        resolved = resolve(request)
    except CmpError as error:
        raise explained(error, request) from error
    if resolved is None:
        raise InputError(f"{label} is switched off (`enabled: false`)")
    return request, resolved


def explained(error: CmpError, request: Request) -> CmpError:
    """Where the cause is in `inputs` there are no lines: names the command that shows them."""
    if error.at is None or not error.at.file.startswith("inputs ("):
        return error
    command = f"cmp-plugin preview {request.facts.cluster} {request.key} names the line"
    return InputError(f"{request.facts.cluster}/{request.key}: {error.message}", error.at, command)


def _warn_about_kubernetes(call: Call, request: Request) -> None:
    """A difference is worth a line in the sidecar's log, but never an input of the render."""
    wanted = request.facts.kube_version.removeprefix("v")
    actual = call.kube_version.removeprefix("v")
    if wanted and actual and actual.split(".")[:2] != wanted.split(".")[:2]:
        print(
            f"{request.facts.cluster}/{request.key}: rendered for Kubernetes {wanted}, the cluster runs {actual}",
            file=sys.stderr,
        )
