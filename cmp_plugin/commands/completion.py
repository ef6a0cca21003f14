"""Shell completion: the script for a shell, and the answers to what it asks.

In: a shell's name; or, while somebody types, the parser and the variables the script sets. Out: text.
Never says why it has no answer: nothing may be printed between a person's keys.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator

from ..errors import CmpError
from ..fleet.block import block_tree, leaves
from ..fleet.cluster import open_cluster
from ..fleet.files import Fleet
from ..fleet.layers import merge_layers
from ..fleet.plan import keys_on, request_of
from ..fleet.service_layers import all_layers
from ..fleet.value_path import written
from .arguments import cluster_name, opened_fleet, service_name

ENOUGH = 200  # clusters whose labels are read between two keys
SECONDS = 5.0


EXAMPLES = (
    ("in ~/.bashrc", "source <(cmp-plugin completion bash)"),
    ("in config.fish", "cmp-plugin completion fish | source"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace) -> int:
    """Print what makes `args.shell` complete cmp-plugin: `source <(cmp-plugin completion bash)`."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["cmp-plugin"], shell=args.shell))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Asked by a shell, print the possible next words and end the process; otherwise do nothing."""
    import argcomplete

    for action in _actions(parser):
        completer = COMPLETERS.get(str(action.metavar or action.dest).upper())
        if completer is not None and action.choices is None:
            setattr(action, "completer", completer)  # noqa: B010 (argcomplete looks for it; argparse has no such field)
    argcomplete.autocomplete(parser, always_complete_options=False)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every word and option of the parser and of its verbs."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)


def _clusters(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    return _names(parsed_args, "Cluster")


def _profiles(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    return _names(parsed_args, "Profile")


def _names(parsed_args: argparse.Namespace, kind: str) -> list[str]:
    fleet = _fleet(parsed_args)
    return fleet.names(kind) if fleet else []


def _services(parsed_args: argparse.Namespace, action: argparse.Action, **_: object) -> list[str]:
    """The services of the cluster before it; for an option, or where that cannot be read, the whole catalogue."""
    fleet = _fleet(parsed_args)
    if not fleet or not (action.option_strings or parsed_args.cluster):
        return []
    try:
        if not action.option_strings:
            return sorted(keys_on(open_cluster(fleet, cluster_name(fleet, parsed_args.cluster))))
    except CmpError:
        pass
    return fleet.names("Service")


def _paths(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Every path at which a layer sets something for the service before it."""
    fleet = _fleet(parsed_args)
    try:
        if not fleet or not parsed_args.service:
            return []
        cluster = open_cluster(fleet, cluster_name(fleet, parsed_args.cluster))
        request = request_of(cluster, service_name(fleet, parsed_args.service))
        layers = all_layers(request)
        return [written(keys) for keys, _ in leaves(block_tree(merge_layers(layers, request.tree), layers))]
    except CmpError:
        return []


def _selectors(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """`label=value` for what clusters have, after the conditions that stand there already."""
    fleet = _fleet(parsed_args)
    pairs: set[str] = set()
    for name in fleet.names("Cluster")[:ENOUGH] if fleet else ():
        try:
            labels = open_cluster(fleet, name).facts.labels if fleet else {}
        except CmpError:
            continue
        pairs |= {f"{key}={value}" for key, value in labels.items()}
    before = prefix[: prefix.rfind(",") + 1]
    return sorted(before + pair for pair in pairs)


def _revisions(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Branches and tags of the fleet's repository."""
    from ..system.process import Deadline
    from ..tools import git

    fleet = _fleet(parsed_args)
    deadline = Deadline(SECONDS)
    try:
        repository = git.repository(fleet.root, deadline) if fleet else None
        return git.branches_and_tags(repository, deadline) if repository else []
    except CmpError:
        return []


def _nothing(**_: object) -> list[str]:
    """Words that only a person knows; without this a shell would offer files."""
    return []


def _fleet(parsed_args: argparse.Namespace) -> Fleet | None:
    parsed_args.directory = os.path.expanduser(getattr(parsed_args, "directory", "."))
    try:
        return opened_fleet(parsed_args)
    except CmpError:
        return None


# By what the help calls the word.
COMPLETERS: dict[str, Callable[..., list[str]]] = {
    "CLUSTER": _clusters,
    "PROFILE": _profiles,
    "SERVICE": _services,
    "SELECTOR": _selectors,
    "PATH": _paths,
    "BASE": _revisions,
    "HEAD": _revisions,
    "NAME": _nothing,
    "N": _nothing,
    "URL": _nothing,
    "VERSION": _nothing,
    "TOOL=VERSION": _nothing,
    "CHART": _nothing,
}
