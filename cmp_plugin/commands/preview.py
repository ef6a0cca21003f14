"""`preview [CLUSTER [SERVICE]]`: exactly what Argo CD would apply.

The same stages as `generate`, for one service, one cluster or the whole fleet. Nothing reaches stdout,
and no file the output directory, before every render has succeeded (unless --keep-going says so).
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..argocd.pinned import at_its_revision
from ..errors import CmpError, Errors, UsageError
from ..fleet.cluster import open_cluster
from ..fleet.files import Fleet
from ..fleet.plan import Planned, keys_on, plan, plan_fleet, planned_service
from ..fleet.request import settings_of
from ..goyaml.load import dump_json
from ..render.emit import emit
from ..render.manifest import Manifest
from ..render.render import render
from ..system.process import Deadline
from ..tools import git
from ..tools.discovery import on_path
from .arguments import cluster_name, opened_fleet, service_name
from .generate import applications_of, applications_of_fleet
from .progress import progress, waiting
from .warnings import warn, warn_about_plugin

if TYPE_CHECKING:
    from concurrent.futures import Future

RENDER_SECONDS = 600.0
LOOK_SECONDS = 0.5
Task = TypeVar("Task")
Result = TypeVar("Result")


def run(args: Namespace) -> int:
    """Renders what was asked for and prints it, or writes it below --out."""
    if "" in (args.cluster, args.service):
        raise UsageError("an empty word is no cluster or service")
    if args.keep_going and not args.out:
        raise UsageError("--keep-going needs --out")
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be 1 or more")
    fleet = opened_fleet(args)
    warn_about_plugin(settings_of(fleet.spec), fleet.spec.at)
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


def rendered(planned: Planned, deadline: Deadline, repository: git.Repository | None = None) -> bytes:
    """One service's manifests as `generate` prints them; warnings go to stderr. See `at_its_revision`."""
    return emit(manifests_of(planned, deadline, repository))


def manifests_of(planned: Planned, deadline: Deadline, repository: git.Repository | None = None) -> list[Manifest]:
    """One service's objects in their order; warnings go to stderr."""
    with at_its_revision(planned, deadline, repository) as one:
        # What is not locked yet is shown, with a warning; `generate` refuses it.
        result = render(one.resolved.service._replace(lock_optional=True), one.request.tree, deadline)
    warn(result.warnings)
    return result.manifests


def _to_stdout(args: Namespace, planned: list[Planned]) -> int:
    import tempfile

    with tempfile.SpooledTemporaryFile(64 << 20) as spool:
        errors: list[CmpError] = []
        for one, result in in_parallel(planned, args.jobs, rendered):
            if isinstance(result, CmpError):
                errors.append(result)
            elif not errors:
                spool.write(
                    _formatted(result, args.output, f"{one.cluster}/{one.request.key}" if len(planned) > 1 else "")
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
        objects = applications_of(open_cluster(fleet, cluster_name(fleet, args.cluster)), commit, prefix)
    else:
        objects = applications_of_fleet(fleet, commit, prefix)
    lines = "".join(f"{dump_json(each)}\n" for each in objects).encode()
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


def in_parallel(
    tasks: Sequence[Task], jobs: int | None, work: Callable[[Task, Deadline], Result]
) -> Iterator[tuple[Task, Result | CmpError]]:
    """Does `work`, a render, on every task, several at once, and yields the outcomes in the given order.

    When the caller stops early, as at Ctrl-C, no render goes on: each one's deadline comes.
    """
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    started: list[Deadline] = []
    ended = Event()

    def attempt(one: Task) -> Result | CmpError:
        deadline = Deadline(RENDER_SECONDS)
        started.append(deadline)
        if ended.is_set():
            # It began in the moment of the end, too late to be in the list below.
            deadline.come()
        try:
            return work(one, deadline)
        except CmpError as error:
            return error

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool, progress(len(tasks), "rendering") as step:
        try:
            futures = deque(pool.submit(attempt, one) for one in tasks)
            for one in tasks:
                # A result that was handed on is not kept: together they may be large.
                result = _awaited(futures.popleft())
                step()
                yield one, result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            ended.set()
            for deadline in started:
                deadline.come()


def _awaited(future: Future[Result]) -> Result:
    """A future's result. The system may hand Ctrl-C to another thread, which wakes nobody: so look now and then."""
    from concurrent.futures import wait

    while not wait([future], LOOK_SECONDS).done:
        continue
    return future.result()


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
        for one, result in in_parallel(planned, args.jobs, rendered):
            if isinstance(result, CmpError):
                errors.append(result)
            else:
                yield f"{one.cluster}/{one.request.key}.{args.output}", _formatted(result, args.output, "")
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
