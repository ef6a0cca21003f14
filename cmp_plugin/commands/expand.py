"""`expand CLUSTER SERVICE --out DIR`: the kustomize overlay and the helm values as files, the way out.

The directory must be absent or empty: what is written is a whole, not a change of what was there.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from ..argocd.pinned import at_its_revision
from ..errors import UsageError
from ..fleet.cluster import open_cluster
from ..fleet.plan import Planned, planned_service
from ..render.parallel import RENDER_SECONDS
from ..render.render import expand
from ..system.process import Deadline
from .arguments import cluster_name, opened_fleet, service_name
from .outdir import write_directory
from .warnings import warn

EXAMPLES = (("the kustomization that gives the same objects", "cmp-plugin expand gke.prod istiod --out /tmp/istiod"),)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("cluster", help="a cluster's name or directory")
    parser.add_argument("service", help="a service's name on that cluster")
    parser.add_argument("--out", metavar="DIR", required=True, help="a directory that is absent or empty")
    parser.add_argument("--rendered", action="store_true", help="the chart's output instead of helmCharts")


def run(args: Namespace) -> int:
    """Writes every file of the overlay, or none when anything fails."""
    if os.path.isdir(args.out) and os.listdir(args.out):
        raise UsageError(f"{args.out} is not empty")
    fleet = opened_fleet(args)
    cluster = open_cluster(fleet, cluster_name(fleet, args.cluster))
    planned = Planned(cluster.name, *planned_service(cluster, service_name(fleet, args.service)), 0)
    deadline = Deadline(RENDER_SECONDS)
    with at_its_revision(planned, deadline) as pinned:
        result = expand(pinned.resolved.service, pinned.request.tree, deadline, args.rendered)
    warn(result.warnings)
    write_directory(args.out, result.files.items())
    return 0
