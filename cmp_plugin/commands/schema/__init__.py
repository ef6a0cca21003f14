"""`schema [KIND]`: JSON Schema of the files people write.

Its arguments and examples are here, where help and completion read them; `command` does the work.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("for an editor that completes cluster.yaml", "cmp-plugin schema cluster > cluster.schema.json"),
    ("with the values of a service's chart inside", "cmp-plugin schema cluster --service web"),
    ("all that an editor can use, the values of every chart inside", "cmp-plugin schema --out schemas"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument(
        "kind", nargs="?", choices=("fleet", "profile", "service", "cluster"), help="default: all four, by kind"
    )
    parser.add_argument(
        "--service", metavar="SERVICE", action="append", default=[],
        help="with the values of its chart inside, in service.yaml or the kind named; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="DIR", help="write DIR/<kind>.json and DIR/services/<name>.json, all charts inside"
    )


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
