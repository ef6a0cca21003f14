"""Shell completion: the script for a shell, and the answers to what it asks.

In: a shell's name; or, while somebody types, the parser and the variables the script sets. Out: text.
Never says why it has no answer: nothing may be printed between a person's keys.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from ..cluster import open_cluster
from ..errors import CmpError
from ..fleet import Fleet
from .places import cluster_name, opened_fleet


def run(args: argparse.Namespace) -> int:
    """Print what makes `args.shell` complete cmp-plugin: `source <(cmp-plugin completion bash)`."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["cmp-plugin"], shell=args.shell))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Asked by a shell, print the possible next words and end the process; otherwise do nothing."""
    import argcomplete

    for action in _actions(parser):
        if action.dest in COMPLETERS:
            setattr(action, "completer", COMPLETERS[action.dest])
    argcomplete.autocomplete(parser, always_complete_options=False)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every word and option of the parser and of its verbs."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)


def _clusters(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    fleet = _fleet(parsed_args)
    return fleet.names("Cluster") if fleet else []


def _services(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """The services of the cluster before it; where that cannot be read, the whole catalogue."""
    fleet = _fleet(parsed_args)
    if not fleet or not parsed_args.cluster:
        return []
    try:
        return sorted(open_cluster(fleet, cluster_name(fleet, parsed_args.cluster)).keys())
    except CmpError:
        return fleet.names("Service")


def _fleet(parsed_args: argparse.Namespace) -> Fleet | None:
    parsed_args.directory = os.path.expanduser(getattr(parsed_args, "directory", "."))
    try:
        return opened_fleet(parsed_args)
    except CmpError:
        return None


COMPLETERS = {"cluster": _clusters, "clusters": _clusters, "copy": _clusters, "service": _services}
