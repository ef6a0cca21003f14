"""An existing tree as a fleet: one module per kind of tree, and the proof that nothing changes.

A kind's module turns a source into a `Conversion` (conversion): the fleet's files, and what each service on
each cluster was before. `owner` renders the source as its owner would, `proof` compares that with the fleet.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..arguments import add_jobs

EXAMPLES = (
    (
        "bases and overlays: a service for each base, a cluster for each environment",
        "cmp-plugin import kustomize deploy fleet",
    ),
    ("Argo CD's Applications, with the charts that they name", "cmp-plugin import applications argocd/apps fleet"),
    ("after a change by hand: is it still the same?", "cmp-plugin import kustomize deploy fleet --check"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument(
        "kind", choices=("kustomize", "applications"), help="what the source is: kustomize or applications"
    )
    parser.add_argument("source", help="the directory to import")
    parser.add_argument("dir", help="the new fleet: a directory that is absent or empty")
    parser.add_argument("--kubernetes", metavar="VERSION", help="what charts are told; default: 1.34")
    parser.add_argument("--keep-going", action="store_true", help="write the fleet although something differs, exit 1")
    parser.add_argument("--check", action="store_true", help="write nothing: compare the source with the fleet in DIR")
    add_jobs(parser)


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
