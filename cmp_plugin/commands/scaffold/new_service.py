"""What `new service` writes for the chart, path or nothing that it was given.

In: the command line's words, the fleet. Out: texts. A chart's version that nobody named is the newest:
that is asked of where the chart comes from, which is all the network that a new service needs.
"""

from __future__ import annotations

import os
from argparse import Namespace
from typing import NamedTuple

from ...charts.chart_request import request_of
from ...errors import InputError, Location, UsageError, did_you_mean
from ...fleet.files import Fleet
from ...fleet.service import Chart
from ...system.files import allowed_in
from ...system.process import Deadline
from ...system.workdir import workdir
from ...tools.versions import is_exact
from .texts import chart_service, plain_service, resources_service

_AT = Location("--chart")
_ANY = ">=0.0.0"
FETCH_SECONDS = 300.0


class Made(NamedTuple):
    """`files`: name in the service's directory -> text. `is_remote`: a chart has to be fetched."""

    files: dict[str, str]
    is_remote: bool = False


def service_files(args: Namespace, fleet: Fleet) -> Made:
    """The files of the new service. UsageError for words that do not go together."""
    if args.path and args.chart:
        raise UsageError("a service has --chart or --path, not both")
    if not args.chart and (args.repo or args.version):
        raise UsageError("--repo and --version go with --chart")
    if args.path:
        return Made({"service.yaml": _from_path(args, fleet)})
    if not args.chart:
        return Made(plain_service(_namespace(args.name)))
    chart = _chart(args)
    # Before anything of it is written: an address may hold a password.
    request_of(chart)
    version = args.version or _newest(chart, fleet)
    if not is_exact(version):
        raise UsageError(f'version "{version}" is not exact', hint='write one version such as "1.2.3"')
    return Made({"service.yaml": chart_service(_namespace(args.name), chart._replace(version=version))}, True)


def _namespace(service: str) -> str:
    """A service's name may have dots, a namespace and a Kubernetes Service may not."""
    return service.replace(".", "-")


def _chart(args: Namespace) -> Chart:
    if args.chart.startswith("oci://"):
        if args.repo:
            raise UsageError("a chart in a registry has no --repo")
        return Chart(_AT, oci=args.chart)
    if args.repo:
        return Chart(_AT, repo=args.repo, name=args.chart)
    alias, slash, name = args.chart.partition("/")
    if not slash:
        raise UsageError("a chart's name needs its --repo", hint="or write --chart REPO/NAME, --chart oci://...")
    return Chart(_AT, repo=_address(alias), name=name)


def _address(alias: str) -> str:
    from ...charts.credentials import repository_address, repository_names

    address = repository_address(alias)
    if not address:
        hint = did_you_mean(alias, repository_names()) or "`helm repo list` shows them; --repo takes an address"
        raise InputError(f'helm knows no repository "{alias}"', None, hint)
    return address


def _newest(chart: Chart, fleet: Fleet) -> str:
    from ...charts.obtain import FetchContext, lock_chart

    settings = fleet.settings
    with workdir() as directory:
        context = FetchContext(fleet.tree, settings.mirrors, settings.helm, directory, Deadline(FETCH_SECONDS))
        return lock_chart(request_of(chart._replace(version=_ANY)), context)[0].version


def _from_path(args: Namespace, fleet: Fleet) -> str:
    """A chart, a kustomization or a YAML file, named from the fleet's root."""
    disk_path = os.path.realpath(args.path)
    path = "/" + os.path.relpath(disk_path, fleet.root)
    if path.startswith("/..") or not os.path.exists(disk_path):
        raise UsageError(f"{args.path} is nothing in this fleet")
    if not allowed_in(path, fleet.tree.allowed):
        top = path.split("/")[1]
        raise InputError(
            f"{path[1:]} is out of reach for services", Location("fleet.yaml"), f"write `directories: [{top}]`"
        )
    if path.endswith(".tgz") or os.path.isfile(os.path.join(disk_path, "Chart.yaml")):
        return chart_service(_namespace(args.name), Chart(_AT, path=path))
    if os.path.isdir(disk_path) and not fleet.tree.kustomization(path):
        raise InputError(f"{path[1:]} has neither a Chart.yaml nor a kustomization.yaml")
    return resources_service(_namespace(args.name), f"{path}/" if os.path.isdir(disk_path) else path)
