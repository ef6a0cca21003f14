"""`list`: which cluster has which version of which service, as a table, JSON or a page.

Its arguments and examples are here, where help and completion read them; `command` does the work.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("which version runs where, and what lags", "cmp-plugin list"),
    ("one service, with the line that sets its version", "cmp-plugin list --service prometheus -l env=prod"),
    ("a page for everybody", "cmp-plugin list -o html > board.html"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument(
        "--cluster", action="append", default=[], metavar="CLUSTER", help="this cluster only; can be repeated"
    )
    parser.add_argument(
        "--service", action="append", default=[], metavar="SERVICE", help="this service only; can be repeated"
    )
    parser.add_argument(
        "-l", "--selector", metavar="SELECTOR", help="clusters with these labels, as in env=prod,region!=eu"
    )
    parser.add_argument("-o", "--output", choices=("table", "json", "html"), default="table", help="default: table")


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
