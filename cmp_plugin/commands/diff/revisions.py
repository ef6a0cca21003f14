"""Which two sides the words of `diff` mean: commits, the work tree, the same under other tools.

In: the command line and the fleet's repository. Out: names and commits. Opens no fleet.
"""

from __future__ import annotations

from argparse import Namespace
from typing import NamedTuple

from ...errors import InputError, ToolError, UsageError, there_is
from ...fleet.plan import Planned
from ...system.process import Deadline
from ...tools import git, helm, kustomize, versions
from ...tools.discovery import on_path
from ...tools.versions import is_kubernetes

WORK_TREE = "the work tree"
TOOLS = {"helm": helm.find, "kustomize": kustomize.find}
_HEAD = "HEAD"


class SideSpec(NamedTuple):
    """A side before it is opened. `changed`: under the Kubernetes and the tools of the command line."""

    name: str
    commit: str
    changed: bool = False


def asked(args: Namespace, repository: git.Repository | None, deadline: Deadline) -> tuple[SideSpec, SideSpec]:
    """Which two sides the words mean; with other versions both are the same revision."""
    names = _names(args, repository, deadline)
    if args.kubernetes or args.tools:
        return _rehearsal(args, names, repository, deadline)
    if repository is None:
        missing = "the fleet is not in git" if on_path("git") else "git is not on PATH"
        raise InputError(f"diff compares revisions of git, and {missing}")
    base, head = [*(names or [_HEAD]), ""][:2]
    before = SideSpec(base, _commit(repository, base, deadline))
    return before, SideSpec(head, _commit(repository, head, deadline)) if head else SideSpec(WORK_TREE, "")


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
    ancestor = git.merge_base(repository, commits[0], commits[1], deadline)
    if not ancestor:
        raise ToolError(
            f"git: {base} and {head} have no commit in common", hint=_hint_for_shallow(repository, deadline)
        )
    return ancestor[:12]


def _rehearsal(
    args: Namespace, names: list[str], repository: git.Repository | None, deadline: Deadline
) -> tuple[SideSpec, SideSpec]:
    if len(names) > 1:
        raise UsageError("--kubernetes and --tools compare one revision with itself")
    if args.kubernetes and not is_kubernetes(args.kubernetes):
        raise UsageError(f'"{args.kubernetes}" is no Kubernetes version', hint='write one such as "1.35"')
    for tool, wanted in _tools(args).items():
        TOOLS[tool](wanted, True)
    changes = [f"Kubernetes {args.kubernetes}"] if args.kubernetes else []
    changes += [" ".join(pair) for pair in _tools(args).items()]
    if names and repository is None:
        raise InputError("diff compares revisions of git, and the fleet is not in git")
    commit = _commit(repository, names[0], deadline) if names and repository else ""
    name = names[0] if names else WORK_TREE
    return SideSpec(name, commit), SideSpec(f"{name} with {', '.join(changes)}", commit, True)


def _tools(args: Namespace) -> dict[str, str]:
    """Tool -> range, out of `--tools helm=3.22.0`."""
    ranges: dict[str, str] = {}
    for word in args.tools or []:
        tool, _, wanted = word.partition("=")
        if tool not in TOOLS or not wanted:
            raise UsageError(f'--tools: "{word}" is not like helm=4.3.1', hint=f"there is {' and '.join(TOOLS)}")
        try:
            versions.satisfies("1.0.0", wanted)
        except ValueError as error:
            raise UsageError(f"--tools {tool}: {error}") from None
        ranges[tool] = wanted
    return ranges


def _commit(repository: git.Repository, name: str, deadline: Deadline) -> str:
    try:
        return git.commit(repository, name, deadline)
    except ToolError as error:
        hint = _hint_for_shallow(repository, deadline) or there_is(name, git.branches_and_tags(repository, deadline))
        raise ToolError(error.message, hint="nothing is committed yet" if name == "HEAD" else hint) from None


def _hint_for_shallow(repository: git.Repository, deadline: Deadline) -> str:
    if not git.is_shallow(repository, deadline):
        return ""
    return "this clone is shallow: `git fetch --unshallow`, or in CI a checkout with its whole history"


def rehearsed(planned: Planned, args: Namespace) -> Planned:
    """The same service under the Kubernetes and the tools of the command line."""
    request, service = planned.request, planned.resolved.service
    tools = _tools(args)
    ours, theirs = tools.get("helm", service.helm_range), tools.get("kustomize", service.kustomize_range)
    version = args.kubernetes if args.kubernetes and service.kube_version else service.kube_version
    settings = request.settings._replace(helm=ours, kustomize=theirs)
    request = request._replace(facts=request.facts._replace(kube_version=version), settings=settings)
    service = service._replace(kube_version=version, helm_range=ours, kustomize_range=theirs)
    return planned._replace(request=request, resolved=planned.resolved._replace(service=service))
