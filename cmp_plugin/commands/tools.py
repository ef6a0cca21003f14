"""`tools install`: a helm and a kustomize that fit the fleet's ranges, built where there are none.

What is used is the result and goes to stdout, one line a tool; what is done goes to stderr.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from ..errors import InputError
from ..fleet.files import find_root, open_fleet
from ..fleet.settings import Settings
from ..tools.install import HELM, KUSTOMIZE, provide_all
from .arguments import opened_fleet

EXAMPLES = (("helm and kustomize that fit this fleet, from their Go modules", "cmp-plugin tools install"),)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument(
        "action", choices=("install",), help="find helm and kustomize, or build them with Go, and print their paths"
    )


def run(args: Namespace) -> int:
    """Finds or builds both tools; outside a fleet, those that a fleet without `tools` gets.

    A directory that -C names must lie in a fleet: other versions than its own would be a silent mistake.
    """
    if args.in_directory:
        settings = opened_fleet(args).settings
    else:
        try:
            root = find_root(args.directory)
        except InputError as error:
            print(f"the default versions: {error}", file=sys.stderr)
            settings = Settings()
        else:
            settings = open_fleet(root).settings
    wanted = [(HELM, settings.helm), (KUSTOMIZE, settings.kustomize)]
    for (recipe, _), tool in zip(wanted, provide_all(wanted, 1, len(wanted)), strict=True):
        print(f"{recipe.kind.name} {tool.version}: {tool.path}")
    return 0
