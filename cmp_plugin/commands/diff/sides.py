"""The two fleets that `diff` compares: of a commit, of the work tree, or one fleet under other tools.

In: the words of the command line. Out: two `Side`s whose services are planned. A commit is written into a
private directory; the work tree is read where it is. Renders nothing.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ...argocd.pinned import pinned_inputs
from ...errors import CmpError, Errors, InputError, ToolError, labelled, there_is
from ...fleet.cluster import Cluster, open_cluster
from ...fleet.files import ROOT_FILE, Fleet, find_root, open_fleet
from ...fleet.plan import Planned, plan
from ...system.files import within
from ...system.process import Deadline
from ...system.workdir import workdir
from ...tools import git
from ..progress import waiting
from .digests import Contents
from .fingerprint import digest, fingerprint
from .git_checkout import checked_out
from .revisions import SideSpec, asked, rehearsed

SECONDS = 600.0  # for git, and for the fingerprints of pinned services; renders have deadlines of their own


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


@contextmanager
def opened_sides(args: Namespace) -> Iterator[Sides]:
    """Both sides, as long as the block lasts. Raises Errors with everything that is wrong on either."""
    root = find_root(args.directory)
    deadline = Deadline(SECONDS)
    repository = git.repository(root, deadline)
    both = asked(args, repository, deadline)
    notes: list[str] = []
    errors: list[CmpError] = []
    with workdir() as private:
        sides: list[Side] = []
        # The newer one first, so that what is wrong on both is told of the files that a person has open.
        for number, side_spec in enumerate(reversed(both)):
            try:
                sides.insert(
                    0, _opened(side_spec, args, root, repository, os.path.join(private, str(number)), notes, sides)
                )
            except CmpError as error:
                errors.append(error)
        if errors:
            raise Errors(errors)
        _check(args, *sides)
        for number, side in enumerate(sides):
            wanted = {
                key: service for key, service in side.planned.items() if not args.service or key[1] in args.service
            }
            if both[number].changed:
                wanted = {key: rehearsed(service, args) for key, service in wanted.items()}
            sides[number] = side._replace(planned=wanted)
        notes += [f"there is no {ROOT_FILE} in {side.name}" for side in sides if side.fleet is None]
        yield Sides(sides[0], sides[1], notes)


def _opened(
    side_spec: SideSpec,
    args: Namespace,
    root: str,
    repository: git.Repository | None,
    private: str,
    notes: list[str],
    known: list[Side],
) -> Side:
    """A side with everything on it planned; what is wrong in a commit says which commit that is.

    What a side in `known` has just the same is taken from there.
    """
    contents = Contents()
    try:
        fleet = _fleet(side_spec, root, repository, private, notes)
        if fleet is None:
            return Side(side_spec.name, side_spec.commit, None, {}, {}, repository, contents)
        with waiting("reading the fleet"):
            clusters, planned = _planned(fleet, args, contents, known)
    except CmpError as error:
        raise labelled(error, f"in {side_spec.name}") if side_spec.commit else error from None
    return Side(side_spec.name, side_spec.commit, fleet, clusters, planned, repository, contents)


def _fleet(
    side_spec: SideSpec, root: str, repository: git.Repository | None, private: str, notes: list[str]
) -> Fleet | None:
    """The fleet in the work tree, or as the commit has it, written into the new directory `private`."""
    if not side_spec.commit or repository is None:
        return open_fleet(root)
    deadline = Deadline(SECONDS)
    if not git.has_file(repository, side_spec.commit, ROOT_FILE, deadline):
        return None
    os.mkdir(private, 0o700)
    into = os.path.join(os.path.realpath(private), "fleet")
    try:
        spec = git.read_file(repository, side_spec.commit, ROOT_FILE, deadline)
        missing = checked_out(repository, side_spec.commit, into, private, deadline, _directories(spec, private))
    except ToolError:
        if not git.is_partial(repository, deadline):
            raise
        # Git's own words about what a clone with a filter lacks help nobody.
        hint = "this clone has a filter: clone without `--filter`, in CI check out without one"
        raise ToolError("git: content of this commit is not on this machine", hint=hint) from None
    notes += [f"{side_spec.name}: {sentence}" for sentence in missing]
    _write(spec, into)
    return open_fleet(into)


def _directories(spec: bytes, private: str) -> list[str] | None:
    """What a fleet's files can name, none inside of another; None for its whole repository."""
    _write(spec, os.path.join(private, "spec"))
    allowed = [*open_fleet(os.path.join(os.path.realpath(private), "spec")).tree.allowed, "/clusters"]
    if "/" in allowed:
        return None
    return sorted({path[1:] for path in allowed if not any(path != outer and within(path, outer) for outer in allowed)})


def _write(spec: bytes, directory: str) -> None:
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ROOT_FILE), "wb") as file:
        file.write(spec)


def _planned(
    fleet: Fleet, args: Namespace, contents: Contents, known: list[Side]
) -> tuple[dict[str, Cluster], dict[tuple[str, str], Planned]]:
    """Every cluster that was asked for and its services. Raises the errors of all of them."""
    clusters: dict[str, Cluster] = {}
    planned: dict[tuple[str, str], Planned] = {}
    errors: list[CmpError] = []
    by_cluster: dict[str, dict[str, dict[tuple[str, str], Planned]]] = {side.name: {} for side in known}
    for side in known:
        for key, service in side.planned.items():
            by_cluster[side.name].setdefault(key[0], {})[key] = service
    for name in fleet.names("Cluster"):
        if args.cluster and name not in args.cluster:
            continue
        twin = next((side for side in known if _is_same(name, (fleet, contents), side)), None)
        if twin is not None:
            clusters[name] = twin.clusters[name]
            planned.update(by_cluster[twin.name].get(name, {}))
            continue
        try:
            clusters[name] = open_cluster(fleet, name)
            planned.update(((name, service.request.key), service) for service in plan(clusters[name]))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return clusters, planned


def _is_same(name: str, here: tuple[Fleet, Contents], side: Side) -> bool:
    """Whether everything that planning a cluster can read is as it is on `side`."""
    if side.fleet is None or name not in side.clusters:
        return False
    try:
        return _read(name, *here) == _read(name, side.fleet, side.contents)
    except (CmpError, OSError):
        return False


def _read(name: str, fleet: Fleet, contents: Contents) -> tuple[str, ...]:
    """Digests of fleet.yaml, of the directories that specs may name, and of the cluster's own.

    Of all clusters, where one of them is this one's to provision. A fleet that may name its whole
    repository has no such digest: it would read more than it saves.
    """
    tree = fleet.tree
    if "/" in tree.allowed:
        return (os.urandom(16).hex(),)
    own = "/clusters" if fleet.provisioned_by(name) else f"/clusters/{name}"
    tree = tree._replace(allowed=(*tree.allowed, f"/clusters/{name}"))
    return (*tree.allowed, *(contents.of(path, tree) for path in (f"/{ROOT_FILE}", *fleet.tree.allowed, own)))


def _check(args: Namespace, before: Side, after: Side) -> None:
    """What was asked for must be on one of the sides."""
    if before.fleet is None and after.fleet is None:
        raise InputError(f"neither {before.name} nor {after.name} has a {ROOT_FILE}")
    both = (before, after)
    for kind, words, known in (
        (
            "cluster",
            args.cluster,
            sorted({name for side in both if side.fleet for name in side.fleet.names("Cluster")}),
        ),
        ("service", args.service, sorted({key for side in both for _, key in side.planned})),
    ):
        for word in words or []:
            if word not in known:
                where = " on these clusters" if kind == "service" and args.cluster else ""
                raise InputError(f'there is no {kind} "{word}"{where}', None, there_is(word, known))
