"""`diff [BASE [HEAD]]`: what a change does to the manifests of every cluster.

Its arguments and examples are here, where help and completion read them; `command` does the work.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..arguments import add_jobs

EXAMPLES = (
    ("what is not committed yet, on every cluster", "cmp-plugin diff"),
    ("a branch, as a comment on its pull request", "cmp-plugin diff main...HEAD -o markdown"),
    ("before the clusters get a new Kubernetes", "cmp-plugin diff --kubernetes 1.35"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("base", nargs="?", metavar="BASE", help="a revision of git, or A..B, or A...B; default: HEAD")
    parser.add_argument("head", nargs="?", metavar="HEAD", help="another one; default: the work tree")
    parser.add_argument("-o", "--output", choices=("text", "markdown", "json"), default="text", help="default: text")
    parser.add_argument("--exit-code", action="store_true", help="exit with 4 when anything changes")
    parser.add_argument("--kubernetes", metavar="VERSION", help="BASE with itself under another Kubernetes")
    parser.add_argument(
        "--tools", action="append", metavar="TOOL=VERSION", help="BASE with itself under another helm or kustomize"
    )
    parser.add_argument("--cluster", action="append", metavar="CLUSTER", help="only this cluster; may be repeated")
    parser.add_argument("--service", action="append", metavar="SERVICE", help="only this service; may be repeated")
    add_jobs(parser)


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
