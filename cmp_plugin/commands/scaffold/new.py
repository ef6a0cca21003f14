"""`new cluster NAME`, `new service NAME`: files that render at once; nothing that is there is overwritten.

The one file that may change is that of a cluster or profile which is to name the new service.
"""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import NamedTuple

from ...errors import CmpError, InputError, Location, UsageError, there_is
from ...fleet.cluster import open_cluster
from ...fleet.files import Fleet, open_fleet
from ...specs.rules import NAME
from ...system.publish import file_beside
from ..arguments import cluster_name, opened_fleet
from ..outdir import write_directory
from .new_cluster import copied, editor_line, fresh, place_of
from .new_service import Made, service_files
from .texts import with_service

_SERVICE_ONLY = ("chart", "repo", "version", "path", "clusters", "profiles")


class Holder(NamedTuple):
    """A cluster or profile that gets to name a service: its file and the file's new text."""

    path: str
    text: str


EXAMPLES = (
    ("another cluster, or one like one that is there", "cmp-plugin new cluster prod-eu --from gke.prod"),
    (
        "a service by a chart, in its newest version",
        "cmp-plugin new service loki --chart grafana/loki --cluster gke.dev",
    ),
    ("a service of plain manifests, on what has a profile", "cmp-plugin new service status-page --profile shop"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("kind", choices=("cluster", "service"), help="cluster or service")
    parser.add_argument("name", help="its name: small letters, digits, - and .")
    parser.add_argument("--from", dest="copy", metavar="CLUSTER", help="a cluster: copy this one's files")
    parser.add_argument(
        "--chart", help="a service: NAME with --repo, REPO/NAME as `helm repo list` has it, or oci://..."
    )
    parser.add_argument("--repo", metavar="URL", help="a service: the chart's repository")
    parser.add_argument("--version", help="a service: the chart's version; default: the newest")
    parser.add_argument("--path", metavar="PLACE", help="a service: a chart or kustomization in this repository")
    parser.add_argument(
        "--cluster",
        dest="clusters",
        action="append",
        default=[],
        metavar="CLUSTER",
        help="a service: put it on this cluster; may be repeated",
    )
    parser.add_argument(
        "--profile",
        dest="profiles",
        action="append",
        default=[],
        metavar="PROFILE",
        help="a service: put it into this profile; may be repeated",
    )


def run(args: Namespace) -> int:
    """Prints the files written; the next command to type goes to stderr."""
    if not NAME.fullmatch(args.name):
        raise UsageError(f'"{args.name}" is no DNS-1123 name: small letters, digits, "-" and "."')
    fleet = opened_fleet(args)
    if fleet.has(args.kind.capitalize(), args.name):
        raise InputError(
            f"{args.kind} {args.name} is there already", Location(place_of(args.kind.capitalize(), args.name))
        )
    return _cluster(args, fleet) if args.kind == "cluster" else _service(args, fleet)


def _cluster(args: Namespace, fleet: Fleet) -> int:
    if used := [word for word in _SERVICE_ONLY if getattr(args, word)]:
        raise UsageError(f"--{used[0].removesuffix('s')} goes with `new service`")
    made = copied(fleet, args.copy, args.name) if args.copy else fresh(fleet, args.name)
    _write(fleet, f"clusters/{args.name}", made.files)
    more = "new service NAME --cluster" if made.is_empty else "preview"
    print(f"next: cmp-plugin {more} {args.name}", file=sys.stderr)
    return 0


def _service(args: Namespace, fleet: Fleet) -> int:
    if args.copy:
        raise UsageError("--from goes with `new cluster`")
    holders = _holders(args, fleet)
    made = service_files(args, fleet)
    spec = editor_line(fleet, "Service", args.name) + made.files["service.yaml"]
    files = {**made.files, "service.yaml": spec}
    # The holders' new texts first, beside their files: nothing is written when one of these cannot be.
    with contextlib.ExitStack() as stack:
        moves = {holder.path: _laid_beside(fleet, holder, stack) for holder in holders}
        _write(fleet, f"services/{args.name}", {path: text.encode() for path, text in files.items()})
        for path, move in moves.items():
            move()
            print(path, flush=True)
    print(f"next: {_next(args, fleet, made, holders)}", file=sys.stderr)
    return 0


def _next(args: Namespace, fleet: Fleet, made: Made, holders: list[Holder]) -> str:
    if not holders:
        return f"write `{args.name}:` under `services:` of a cluster or profile (or use --cluster, --profile)"
    preview = f"cmp-plugin preview {_one_with(fleet, args.name)} {args.name}"
    return f"cmp-plugin lock && {preview}" if made.is_remote else preview


def _one_with(fleet: Fleet, service: str) -> str:
    """A cluster that has the service now. What is wrong elsewhere in the fleet is not this verb's matter."""
    now = open_fleet(fleet.root)
    for name in now.names("Cluster"):
        with contextlib.suppress(CmpError):
            if service in open_cluster(now, name).named:
                return name
    return "CLUSTER"


def _holders(args: Namespace, fleet: Fleet) -> list[Holder]:
    """Who is to name the service; without a word about it the only cluster, if there is but one."""
    clusters = [cluster_name(fleet, word) for word in args.clusters]
    if not clusters and not args.profiles and len(fleet.names("Cluster")) == 1:
        clusters = fleet.names("Cluster")
    for profile in args.profiles:
        if not fleet.has("Profile", profile):
            raise InputError(f'there is no profile "{profile}"', None, there_is(profile, fleet.names("Profile")))
    named = [("Cluster", name) for name in dict.fromkeys(clusters)] + [
        ("Profile", name) for name in dict.fromkeys(args.profiles)
    ]
    return [_holder(fleet, kind, name, args.name) for kind, name in named]


def _holder(fleet: Fleet, kind: str, name: str, service: str) -> Holder:
    fleet.spec_of(kind, name)
    path = place_of(kind, name)
    tree = fleet.tree._replace(allowed=("/",))
    text = tree.read(f"/{path}", Location(path)).decode()
    return Holder(path, with_service(text, service, path))


def _write(fleet: Fleet, directory: str, files: dict[str, bytes]) -> None:
    """All of the files or none; InputError when one is there already."""
    for path in files:
        if fleet.tree.exists(f"/{directory}/{path}"):
            raise InputError("this file is there already", Location(f"{directory}/{path}"))
    write_directory(os.path.join(fleet.root, directory), files.items(), directory)
    for path in sorted(files):
        print(f"{directory}/{path}", flush=True)


def _laid_beside(fleet: Fleet, holder: Holder, stack: contextlib.ExitStack) -> Callable[[], None]:
    try:
        return stack.enter_context(file_beside(os.path.join(fleet.root, holder.path), holder.text.encode()))
    except OSError as error:
        raise InputError(
            f"the file cannot be changed: {os.strerror(error.errno or 0)}", Location(holder.path)
        ) from None
