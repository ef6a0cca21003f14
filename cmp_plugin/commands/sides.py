"""The two fleets that `diff` compares: of a commit, of the work tree, or one fleet under other tools.

In: the words of the command line. Out: two `Side`s whose services are planned. A commit is written into a
private directory; the work tree is read where it is. Renders nothing.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..cluster import Cluster, open_cluster
from ..contents import Contents
from ..errors import CmpError, Errors, InputError, ToolError, UsageError, labelled, there_is
from ..fingerprint import digest, fingerprint
from ..fleet import ROOT_FILE, Fleet, find_root, open_fleet
from ..plan import Planned, plan
from ..specrules import KUBERNETES
from ..tools import git, helm, kustomize, ranges
from ..tools.checkout import checked_out
from ..tools.discovery import on_path
from ..tools.process import Deadline
from ..workdir import workdir
from .pinned import pinned_inputs
from .progress import waiting

SECONDS = 600.0
WORK_TREE = "the work tree"
TOOLS = {"helm": helm.find, "kustomize": kustomize.find}
_HEAD = "HEAD"


class Side(NamedTuple):
    """One fleet. `name` is what a person calls it, `commit` its commit or ""; no `fleet`: there is none."""

    name: str
    commit: str
    fleet: Fleet | None
    clusters: dict[str, Cluster]
    planned: dict[tuple[str, str], Planned]
    repository: git.Repository | None
    contents: Contents

    def fingerprint(self, planned: Planned, deadline: Deadline) -> str:
        """What decides the render of one of its services, see `fingerprint.fingerprint`."""
        if not planned.resolved.revision or self.repository is None:
            return fingerprint(planned.resolved.service, planned.request.tree, self.contents)
        try:
            return digest(" ".join(pinned_inputs(planned, deadline, self.repository)))
        except CmpError:
            return os.urandom(16).hex()


class Sides(NamedTuple):
    """Both, and sentences about what a reader should know of them."""

    before: Side
    after: Side
    notes: list[str]


class _Asked(NamedTuple):
    """A side before it is opened. `changed`: under the Kubernetes and the tools of the command line."""

    name: str
    commit: str
    changed: bool = False


@contextmanager
def opened_sides(args: Namespace) -> Iterator[Sides]:
    """Both sides, as long as the block lasts. Raises Errors with everything that is wrong on either."""
    root = find_root(args.directory)
    deadline = Deadline(SECONDS)
    repository = git.repository(root, deadline)
    asked = _asked(args, repository, deadline)
    notes: list[str] = []
    errors: list[CmpError] = []
    with workdir() as private:
        sides = []
        for number, one in enumerate(asked):
            place = os.path.join(private, str(number))
            try:
                sides.append(_opened(one, args, root, repository, place, notes))
            except CmpError as error:
                errors.append(error)
        if errors:
            raise Errors(errors)
        _check(args, *sides)
        sides = [_narrowed(side, args, one.changed) for side, one in zip(sides, asked, strict=True)]
        notes += [f"there is no {ROOT_FILE} in {side.name}" for side in sides if side.fleet is None]
        yield Sides(sides[0], sides[1], notes)


def _asked(args: Namespace, repository: git.Repository | None, deadline: Deadline) -> tuple[_Asked, _Asked]:
    """Which two sides the words mean; with other versions both are the same revision."""
    names = _names(args, repository, deadline)
    if args.kubernetes or args.tools:
        return _rehearsal(args, names, repository, deadline)
    if repository is None:
        missing = "the fleet is not in git" if on_path("git") else "git is not on PATH"
        raise InputError(f"diff compares revisions of git, and {missing}")
    base, head = [*(names or [_HEAD]), ""][:2]
    before = _Asked(base, _commit(repository, base, deadline))
    return before, _Asked(head, _commit(repository, head, deadline)) if head else _Asked(WORK_TREE, "")


def _names(args: Namespace, repository: git.Repository | None, deadline: Deadline) -> list[str]:
    """The revisions named; `A..B` is both, `A...B` is B and what it began from."""
    if "" in (args.base, args.head):
        raise UsageError("an empty word is no revision")
    if args.head is None and args.base and ".." in args.base:
        base, dots, head = args.base.partition("..." if "..." in args.base else "..")
        base, head = base or _HEAD, head or _HEAD
        return [_parting(repository, base, head, deadline), head] if dots == "..." and repository else [base, head]
    return [name for name in (args.base, args.head) if name]


def _parting(repository: git.Repository, base: str, head: str, deadline: Deadline) -> str:
    """The commit where two histories part."""
    commits = [_commit(repository, name, deadline) for name in (base, head)]
    found = git.merge_base(repository, commits[0], commits[1], deadline)
    if not found:
        raise ToolError(f"git: {base} and {head} have no commit in common", hint=_hint_for_shallow(repository, deadline))
    return found[:12]


def _rehearsal(
    args: Namespace, names: list[str], repository: git.Repository | None, deadline: Deadline
) -> tuple[_Asked, _Asked]:
    if len(names) > 1:
        raise UsageError("--kubernetes and --tools compare one revision with itself")
    if args.kubernetes and not KUBERNETES.fullmatch(args.kubernetes):
        raise UsageError(f'"{args.kubernetes}" is no Kubernetes version', hint='write one such as "1.35"')
    for tool, wanted in _tools(args).items():
        TOOLS[tool](wanted, True)
    changes = [f"Kubernetes {args.kubernetes}"] if args.kubernetes else []
    changes += [" ".join(pair) for pair in _tools(args).items()]
    if names and repository is None:
        raise InputError("diff compares revisions of git, and the fleet is not in git")
    commit = _commit(repository, names[0], deadline) if names and repository else ""
    name = names[0] if names else WORK_TREE
    return _Asked(name, commit), _Asked(f"{name} with {', '.join(changes)}", commit, True)


def _tools(args: Namespace) -> dict[str, str]:
    """Tool -> range, out of `--tools helm=3.22.0`."""
    found: dict[str, str] = {}
    for word in args.tools or []:
        tool, _, wanted = word.partition("=")
        if tool not in TOOLS or not wanted:
            raise UsageError(f'--tools: "{word}" is not like helm=4.3.1', hint=f"there is {' and '.join(TOOLS)}")
        try:
            ranges.satisfies("1.0.0", wanted)
        except ValueError as error:
            raise UsageError(f"--tools {tool}: {error}") from None
        found[tool] = wanted
    return found


def _commit(repository: git.Repository, name: str, deadline: Deadline) -> str:
    try:
        return git.commit(repository, name, deadline)
    except ToolError as error:
        shallow = _hint_for_shallow(repository, deadline)
        raise ToolError(error.message, hint=shallow or there_is(name, git.branches_and_tags(repository, deadline))) from None


def _hint_for_shallow(repository: git.Repository, deadline: Deadline) -> str:
    if not git.is_shallow(repository, deadline):
        return ""
    return "this clone is shallow: `git fetch --unshallow`, or in CI a checkout with its whole history"


def _opened(
    asked: _Asked, args: Namespace, root: str, repository: git.Repository | None, place: str, notes: list[str]
) -> Side:
    """A side with everything on it planned; what is wrong in a commit says which commit that is."""
    contents = Contents()
    try:
        fleet = _fleet(asked, root, repository, place, notes)
        if fleet is None:
            return Side(asked.name, asked.commit, None, {}, {}, repository, contents)
        with waiting("reading the fleet"):
            clusters, planned = _planned(fleet, args)
    except CmpError as error:
        raise labelled(error, f"in {asked.name}") if asked.commit else error from None
    return Side(asked.name, asked.commit, fleet, clusters, planned, repository, contents)


def _fleet(
    asked: _Asked, root: str, repository: git.Repository | None, place: str, notes: list[str]
) -> Fleet | None:
    if not asked.commit or repository is None:
        return open_fleet(root)
    deadline = Deadline(SECONDS)
    try:
        git.read_file(repository, asked.commit, ROOT_FILE, deadline)
    except ToolError:
        return None
    os.mkdir(place, 0o700)
    into = os.path.join(place, "fleet")
    notes += [f"{asked.name}: {each}" for each in checked_out(repository, asked.commit, into, place, deadline)]
    return open_fleet(os.path.realpath(into))


def _planned(fleet: Fleet, args: Namespace) -> tuple[dict[str, Cluster], dict[tuple[str, str], Planned]]:
    """Every cluster that was asked for and its services. Raises the errors of all of them."""
    clusters: dict[str, Cluster] = {}
    planned: dict[tuple[str, str], Planned] = {}
    errors: list[CmpError] = []
    for name in fleet.names("Cluster"):
        if args.cluster and name not in args.cluster:
            continue
        try:
            clusters[name] = open_cluster(fleet, name)
            planned.update(((name, one.request.key), one) for one in plan(clusters[name]))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return clusters, planned


def _narrowed(side: Side, args: Namespace, changed: bool) -> Side:
    """The side with the services that were asked for, under the versions of the command line if `changed`."""
    wanted = {key: one for key, one in side.planned.items() if not args.service or key[1] in args.service}
    return side._replace(planned={key: _rehearsed(one, args) for key, one in wanted.items()} if changed else wanted)


def _rehearsed(planned: Planned, args: Namespace) -> Planned:
    """The same service under the Kubernetes and the tools of the command line."""
    request, service = planned.request, planned.resolved.service
    tools = _tools(args)
    ours, theirs = tools.get("helm", service.helm_range), tools.get("kustomize", service.kustomize_range)
    version = args.kubernetes if args.kubernetes and service.kube_version else service.kube_version
    settings = request.settings._replace(helm=ours, kustomize=theirs)
    request = request._replace(facts=request.facts._replace(kube_version=version), settings=settings)
    service = service._replace(kube_version=version, helm_range=ours, kustomize_range=theirs)
    return planned._replace(request=request, resolved=planned.resolved._replace(service=service))


def _check(args: Namespace, before: Side, after: Side) -> None:
    """What was asked for must be on one of the sides."""
    if before.fleet is None and after.fleet is None:
        raise InputError(f"neither {before.name} nor {after.name} has a {ROOT_FILE}")
    for kind, words, known in (
        ("cluster", args.cluster, _known("Cluster", before, after)),
        ("service", args.service, sorted({key for side in (before, after) for _, key in side.planned})),
    ):
        for word in words or []:
            if word not in known:
                where = " on these clusters" if kind == "service" and args.cluster else ""
                raise InputError(f'there is no {kind} "{word}"{where}', None, there_is(word, known))


def _known(kind: str, *sides: Side) -> list[str]:
    names: Iterable[str] = (name for side in sides if side.fleet for name in side.fleet.names(kind))
    return sorted(set(names))
