"""What can be known to be wrong with a fleet: one module for each kind of thing that is looked at.

`inspection` puts them together without rendering anything, `rendered` is for finished objects. Every
check takes planned services or clusters and gives `Finding`s; none prints, none fetches.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..arguments import add_jobs

EXAMPLES = (
    ("every file, in seconds", "cmp-plugin validate"),
    ("every render too, as comments on a pull request", "cmp-plugin validate --render -o github"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("--render", action="store_true", help="render everything too, twice")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    parser.add_argument("-o", "--output", choices=("text", "json", "github"), default="text")
    add_jobs(parser)


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
