"""`import KIND SOURCE DIR`: an existing tree as a fleet whose renders are proven equal, object by object.

The fleet is made and compared in a private directory. It is written when everything is equal; when
something differs, or cannot be expressed, that is listed and nothing is written, unless --keep-going.
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping

from ...charts.lockfile import FILE, Locked, parse
from ...charts.obtain import FetchContext
from ...charts.service_locks import fetch_missing, missing_charts, service_locks
from ...errors import CmpError, Errors, InputError, UsageError, flatten
from ...fleet.files import Fleet, find_root, open_fleet
from ...fleet.settings import Settings
from ...render.parallel import in_parallel
from ...specs import defaults
from ...system.files import FileTree
from ...system.process import Deadline
from ...system.workdir import workdir
from ...tools import git, helm, kustomize
from ...tools.versions import is_kubernetes
from ..outdir import check_new_fleet, write_directory
from ..progress import progress, with_progress
from ..terminal import counted
from ..warnings import warn
from .conversion import Conversion, ImportRequest
from .owner import Tools, owned
from .proof import Proof, prove

SECONDS = 600.0  # for what is read and fetched while converting; renders have deadlines of their own
MOST_LISTED = 8  # clusters by name in a service's line; more are counted


def run(args: Namespace) -> int:
    """Prints what was proven, a line a service; the next command goes to stderr. Raises Errors: what was not."""
    if not os.path.isdir(args.source):
        raise UsageError(f"{args.source} is no directory")
    if args.kubernetes and not is_kubernetes(args.kubernetes):
        raise UsageError(
            f'"{args.kubernetes}" is no Kubernetes version', hint=f'write one such as "{defaults.KUBERNETES}"'
        )
    if args.check:
        return _check(args)
    check_new_fleet(args.dir)
    source = os.path.realpath(args.source)
    if os.path.commonpath((source, os.path.realpath(args.dir))) == source:
        raise UsageError(
            f"{args.dir} lies in the source, and would be a part of it from then on", hint="name a directory outside"
        )
    with workdir() as directory:
        conversion, proofs = _proven(args, directory)
        errors = [*conversion.left_out, *(error for proof in proofs for error in proof.errors)]
        warn(conversion.notes)
        _warn_about_random(proofs)
        if errors and not args.keep_going:
            _say(proofs, errors, "nothing is written (--keep-going writes the fleet all the same)")
            raise Errors(errors)
        _publish(args.dir, conversion, os.path.join(directory, "fleet"))
    if errors:
        _say(proofs, errors, f"the fleet is in {args.dir}; `--check` compares again")
        raise Errors(errors)
    _show(proofs)
    print(f"next: cd {shlex.quote(args.dir)} && cmp-plugin preview {proofs[0].pair.cluster}", file=sys.stderr)
    return 0


def _check(args: Namespace) -> int:
    fleet = open_fleet(find_root(args.dir))
    kubernetes = args.kubernetes or fleet.spec.as_text("kubernetes", "version") or defaults.KUBERNETES
    with workdir() as directory:
        conversion = _converted(args, directory, fleet.settings, kubernetes, {})
        proofs = _compared(args, conversion, fleet, directory, {})
    errors = [*conversion.left_out, *(error for proof in proofs for error in proof.errors)]
    _warn_about_random(proofs)
    if errors:
        _say(proofs, errors, "the others differ")
        raise Errors(errors)
    _show(proofs)
    return 0


def _proven(args: Namespace, directory: str) -> tuple[Conversion, list[Proof]]:
    """The fleet below `directory`/fleet. Overlays that are not the same as blocks are kept as directories."""
    as_trees: dict[str, str] = {}
    while True:
        conversion = _converted(args, directory, Settings(), args.kubernetes or defaults.KUBERNETES, as_trees)
        if not conversion.pairs:
            if conversion.left_out and args.keep_going:
                print("nothing is left to write a fleet of", file=sys.stderr)
            raise Errors([*conversion.left_out] or [InputError("there is nothing to import in the source")])
        fleet, unlocked = _laid_out(conversion, os.path.join(directory, "fleet"))
        proofs = _compared(args, conversion, fleet, directory, unlocked)
        failed = [proof for proof in proofs if proof.errors and proof.pair.key in conversion.lifted]
        if not failed:
            return conversion, proofs
        for proof in failed:
            first = flatten(proof.errors)[0].message.removeprefix(f"{proof.pair.label}: ")
            as_trees[proof.pair.key] = f"as a block, {first} ({proof.pair.cluster})"


def _converted(
    args: Namespace, directory: str, settings: Settings, kubernetes: str, as_trees: Mapping[str, str]
) -> Conversion:
    tree, start, is_whole = _source(args)
    name = os.path.basename(os.path.realpath(args.source))
    context = FetchContext(tree, settings.mirrors, settings.helm, directory, Deadline(SECONDS))
    request = ImportRequest(tree, start, name, context, kubernetes, is_whole, as_trees)
    made = importlib.import_module(f"cmp_plugin.commands.importing.{args.kind}").convert(request)
    assert isinstance(made, Conversion)
    return made


def _source(args: Namespace) -> tuple[FileTree, str, bool]:
    """The repository that the source lies in, or the source alone; where in it the source begins; which it is."""
    directory = os.path.realpath(args.source)
    repository = git.repository(directory, Deadline(git.LOOK_SECONDS))
    prefix = repository.prefix.strip("/") if repository else ""
    root = directory.removesuffix(f"/{prefix}") if prefix else directory
    return FileTree(root, ("/",)), f"/{prefix}", repository is not None


def _laid_out(conversion: Conversion, directory: str) -> tuple[Fleet, dict[str, CmpError]]:
    """The fleet on the disk, its charts locked; and for services whose charts cannot be had, why."""
    import shutil

    shutil.rmtree(directory, ignore_errors=True)
    _write(directory, conversion.files.items())
    made = open_fleet(directory)
    locks, errors = service_locks(made)
    missing = missing_charts(locks)
    with progress(len(missing), "fetching") as step:
        new, unfetched = fetch_missing(made, missing, step)
    errors += unfetched
    _write(directory, ((lock.path[1:], lock.text(new)) for lock in locks if lock.wanted and lock.is_complete(new)))
    steps = {error: str(error.at.file if error.at else "").split("/") for error in flatten(errors)}
    unlocked = {path[1]: error for error, path in steps.items() if path[0] == "services" and len(path) > 1}
    if len(unlocked) < len({str(error) for error in steps}):
        raise Errors(errors)
    return open_fleet(directory), unlocked


def _write(directory: str, files: Iterable[tuple[str, bytes]]) -> None:
    for name, content in files:
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as handle:
            handle.write(content)


def _compared(
    args: Namespace, conversion: Conversion, fleet: Fleet, directory: str, unlocked: Mapping[str, CmpError]
) -> list[Proof]:
    settings = fleet.settings
    locked: list[Locked] = []
    for path in (f"services/{entry}/{FILE}" for entry in fleet.names("Service")):
        if fleet.tree.exists(f"/{path}"):
            with open(os.path.join(fleet.root, path), "rb") as handle:
                locked += parse(handle.read(), path)
    tools = Tools(helm.find(settings.helm), kustomize.find(settings.kustomize), tuple(locked))
    tree = _source(args)[0]
    context = FetchContext(tree, settings.mirrors, settings.helm, directory, Deadline(SECONDS))
    lost = {pair: unlocked[pair.entry or pair.key] for pair in conversion.pairs if (pair.entry or pair.key) in unlocked}
    proofs = list(
        prove(
            (pair for pair in conversion.pairs if pair not in lost),
            fleet,
            lambda pair, deadline: owned(pair, tools, context._replace(deadline=deadline)),
            lambda planned, work: with_progress(in_parallel(planned, args.jobs, work), len(planned), "rendering"),
        )
    )
    return [*proofs, *(Proof(pair, 0, (error,)) for pair, error in lost.items())]


def _publish(destination: str, conversion: Conversion, made: str) -> None:
    """What was compared is what is written, locks included."""

    def files() -> Iterator[tuple[str, bytes]]:
        for parent, _, names in os.walk(made):
            for name in names:
                path = os.path.join(parent, name)
                with open(path, "rb") as handle:
                    yield os.path.relpath(path, made), handle.read()

    write_directory(destination, files())


def _say(proofs: list[Proof], errors: list[CmpError], more: str) -> None:
    equal = sum(not proof.errors for proof in proofs)
    count = len({str(error) for error in flatten(errors)})
    print(f"{equal} of {len(proofs)} renders are equal, {counted(count, 'finding')}: {more}", file=sys.stderr)


def _warn_about_random(proofs: list[Proof]) -> None:
    for proof in proofs:
        if proof.random:
            more = f" and {len(proof.random) - 1} more" if len(proof.random) > 1 else ""
            rest = "is another one at each render of the source, too: not compared"
            warn([f"{proof.pair.label}: {proof.random[0]}{more} {rest}"])


def _show(proofs: list[Proof]) -> None:
    services: dict[str, list[Proof]] = {}
    for proof in proofs:
        services.setdefault(proof.pair.key, []).append(proof)
    for name, renders in sorted(services.items()):
        listed = ", ".join(f"{proof.pair.cluster} ({proof.objects})" for proof in renders)
        if len(renders) > MOST_LISTED:
            listed = f"{len(renders)} clusters ({sum(proof.objects for proof in renders)})"
        print(f"{name}: equal on {listed}", flush=True)
    total = sum(proof.objects for proof in proofs)
    print(f"{counted(len(proofs), 'render')}, {counted(total, 'object')}: every one is equal", file=sys.stderr)
