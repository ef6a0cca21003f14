"""`explain CLUSTER [SERVICE [PATH]]`: where each value comes from.

Its arguments and examples are here, where help and completion read them; `command` does the work.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("where each value of a service comes from", "cmp-plugin explain gke.prod prometheus"),
    ("who decides one value", "cmp-plugin explain gke.prod prometheus prometheus.prometheusSpec.retention"),
    (
        "what made a field of a finished object",
        "cmp-plugin explain gke.prod web Deployment/web spec.template.spec.dnsConfig",
    ),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("cluster", help="a cluster's name or directory")
    parser.add_argument("service", nargs="?", help="a service's name on that cluster; none: the cluster's own facts")
    parser.add_argument(
        "path",
        nargs="*",
        help="`values.a.b[0]`, `a.b`, `namespace`, or `Deployment/web spec.replicas`; none: every value",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")


def run(args: Namespace) -> int:
    """Does what the arguments ask for; see `command`."""
    from .command import run

    return run(args)
