"""`preview [CLUSTER [SERVICE]]`: exactly what Argo CD would apply.

The same stages as `generate`, for one service, one cluster or the whole fleet. Nothing reaches stdout,
and no file the output directory, before every render has succeeded (unless --keep-going says so).
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from ..argocd.applications import applications_of_cluster, applications_of_fleet
from ..argocd.pinned import render_planned
from ..errors import CmpError, Errors, UsageError
from ..fleet.cluster import open_cluster
from ..fleet.files import Fleet
from ..fleet.plan import Planned, keys_on, plan, plan_fleet, planned_service
from ..goyaml.load import dump_json
from ..render.manifest import emit
from ..render.parallel import RENDER_SECONDS, in_parallel
from ..system.process import Deadline
from ..tools import git
from ..tools.discovery import on_path
from .arguments import add_jobs, cluster_name, opened_fleet, service_name
from .progress import waiting, with_progress
from .warnings import warn, warn_about_plugin

EXAMPLES = (
    ("everything on a cluster", "cmp-plugin preview kind.local"),
    ("one service, one object a line", "cmp-plugin preview gke.prod istiod -o json"),
    ("the whole fleet as files, to compare before and after", "cmp-plugin preview --out /tmp/before"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("cluster", nargs="?", help="a cluster's name or directory")
    parser.add_argument("service", nargs="?", help="a service's name on that cluster, or its directory")
    parser.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="default: yaml")
    parser.add_argument("--out", metavar="DIR", help="write DIR/<cluster>/<service>.yaml instead")
    parser.add_argument("--applications", action="store_true", help="the Argo CD Applications themselves")
    parser.add_argument("--keep-going", action="store_true", help="with --out: write what works, exit 1")
    add_jobs(parser)


def run(args: Namespace) -> int:
    """Renders what was asked for and prints it, or writes it below --out."""
    if "" in (args.cluster, args.service):
        raise UsageError("an empty word is no cluster or service")
    if args.keep_going and not args.out:
        raise UsageError("--keep-going needs --out")
    fleet = opened_fleet(args)
    warn_about_plugin(fleet.settings, fleet.spec.at)
    if args.applications:
        return _applications(args, fleet)
    return _to_files(args, fleet) if args.out is not None else _to_stdout(args, _planned(args, fleet))


def _planned(args: Namespace, fleet: Fleet) -> list[Planned]:
    if not args.cluster:
        with waiting("reading the fleet"):
            return plan_fleet(fleet, fleet.names("Cluster"))
    cluster = open_cluster(fleet, cluster_name(fleet, args.cluster))
    if not args.service:
        return plan(cluster)
    return [Planned(cluster.name, *planned_service(cluster, service_name(fleet, args.service)), 0)]


def _lines(planned: Planned, deadline: Deadline) -> bytes:
    """One service's manifests as `generate` prints them; warnings go to stderr."""
    result = render_planned(planned, deadline)
    warn(result.warnings)
    return emit(result.manifests)


def _rendered(args: Namespace, planned: list[Planned]) -> Iterator[tuple[Planned, bytes | CmpError]]:
    return with_progress(in_parallel(planned, args.jobs, _lines), len(planned), "rendering")


def _to_stdout(args: Namespace, planned: list[Planned]) -> int:
    import tempfile

    with tempfile.SpooledTemporaryFile(64 << 20) as spool:
        errors: list[CmpError] = []
        for service, result in _rendered(args, planned):
            if isinstance(result, CmpError):
                errors.append(result)
            elif not errors:
                spool.write(
                    _formatted(
                        result, args.output, f"{service.cluster}/{service.request.key}" if len(planned) > 1 else ""
                    )
                )
        if errors:
            raise Errors(errors)
        spool.seek(0)
        while block := spool.read(1 << 20):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    return 0


def _applications(args: Namespace, fleet: Fleet) -> int:
    """The Applications of a cluster, or the projects and cluster Applications of the fleet."""
    if args.service or args.out:
        raise UsageError("--applications goes with a cluster or nothing, and prints to stdout")
    commit, prefix = _commit(fleet)
    if args.cluster:
        objects = applications_of_cluster(open_cluster(fleet, cluster_name(fleet, args.cluster)), commit, prefix)
    else:
        objects = applications_of_fleet(fleet, commit, prefix)
    lines = "".join(f"{dump_json(manifest)}\n" for manifest in objects).encode()
    sys.stdout.buffer.write(_formatted(lines, args.output, ""))
    sys.stdout.buffer.flush()
    return 0


def _commit(fleet: Fleet) -> tuple[str, str]:
    """HEAD's commit when it is what is on the disk, else nothing and a warning; the fleet's place in git."""
    deadline = Deadline(RENDER_SECONDS)
    repository = git.repository(fleet.root, deadline)
    if repository is None:
        missing = "the fleet is not in git" if on_path("git") else "git is not on PATH"
        warn([f"{missing}: Applications show the fleet's targetRevision instead of a commit"])
        return "", ""
    if git.is_dirty(repository, deadline):
        warn(["there are uncommitted changes: Applications show the fleet's targetRevision instead of a commit"])
        return "", repository.prefix
    return git.commit(repository, "HEAD", deadline), repository.prefix


def _formatted(lines: bytes, output: str, label: str) -> bytes:
    """JSON lines as they are, or as YAML documents, under a comment naming the service."""
    if output == "json":
        return lines
    import json

    from ..goyaml.load import dump_yaml

    comment = f"# {label}\n" if label else ""
    documents = [dump_yaml(json.loads(line)) for line in lines.splitlines()]
    return "".join(f"---\n{comment}{document}" for document in documents).encode()


def _to_files(args: Namespace, fleet: Fleet) -> int:
    from .outdir import write_directory

    errors: list[CmpError] = []
    try:
        planned = _planned(args, fleet)
    except CmpError as error:
        if not args.keep_going:
            raise
        errors.append(error)
        planned = _good_services(args, fleet)

    def files() -> Iterator[tuple[str, bytes]]:
        for service, result in _rendered(args, planned):
            if isinstance(result, CmpError):
                errors.append(result)
            else:
                yield f"{service.cluster}/{service.request.key}.{args.output}", _formatted(result, args.output, "")
        if errors and not args.keep_going:
            raise Errors(errors)

    write_directory(args.out, files())
    if errors:
        raise Errors(errors)
    return 0


def _good_services(args: Namespace, fleet: Fleet) -> list[Planned]:
    """With --keep-going: the services whose specs are right; the errors are in the report already."""
    planned: list[Planned] = []
    for name in [cluster_name(fleet, args.cluster)] if args.cluster else fleet.names("Cluster"):
        try:
            cluster = open_cluster(fleet, name)
        except CmpError:
            continue
        for key in [service_name(fleet, args.service)] if args.service else keys_on(cluster):
            try:
                planned.append(Planned(name, *planned_service(cluster, key), 0))
            except CmpError:
                continue
    return planned
