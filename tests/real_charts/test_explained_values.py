"""Upstream charts on the reference fleet: what is explained is what Helm computes, and who is named did it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from program import CHECKOUT, run
from upstream import CHARTS

from cmp_plugin.charts.contents import ChartFiles, chart_files
from cmp_plugin.charts.locate import locate
from cmp_plugin.commands.explain.settings import Explanation
from cmp_plugin.fleet.block import leaves
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import planned_service
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.goyaml.load import dump_values, plain
from cmp_plugin.render.chart import LocatedChart, final_values
from cmp_plugin.render.chart_values import computed_values
from cmp_plugin.render.context import RenderContext
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline
from cmp_plugin.system.workdir import workdir
from cmp_plugin.tools import helm
from cmp_plugin.tools.discovery import Tool

SWITCHED_OFF = ("prometheus-windows-exporter",)
SERVICES = ("cert-manager", "istio-cni", "istiod", "gateway-internal", "prometheus", "web")


@pytest.fixture(scope="module", autouse=True)
def charts(environment: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name in ("CMP_PLUGIN_HELM", "CMP_PLUGIN_KUSTOMIZE", "CMP_PLUGIN_CACHE_DIR"):
            patched.setenv(name, environment[name])
        patched.setenv("CMP_PLUGIN_CHART_MIRROR", str(CHARTS))
        yield


@pytest.mark.parametrize("key", SERVICES)
def test_it_is_what_helm_computes(key: str) -> None:
    cluster = open_cluster(open_fleet(CHECKOUT), "gke.prod")
    request, resolved = planned_service(cluster, key)
    service = resolved.service._replace(lock_optional=True)
    real = dict(flat(of_helm(service, request.tree)))
    chart = chart_files(service, request.tree)
    assert isinstance(chart, ChartFiles)
    explanation = Explanation(cluster, request, chart)
    values = explanation.whole.find(("values",))
    assert values is not None
    off, compared = set(SWITCHED_OFF), 0
    for keys, leaf in leaves(values, ("values",)):
        if "global" in keys or keys[1] in off:
            continue  # what parents hand on, and whether a subchart is there, is Helm's to say
        (one,) = explanation.at(keys)
        if one.value is None:
            assert keys[1:] not in real or real[keys[1:]] is None
        elif one.value != {}:
            assert real[keys[1:]] == one.value, keys
            compared += 1
        assert one.trail.effective, keys
        assert (one.state == "default") == one.trail.effective[0].layer.startswith(("chart ", "subchart ")), keys
        assert plain(leaf) == one.value or one.reads or one.trail.effective[-1].does == "appends"
    assert compared > 10


def of_helm(service: ResolvedService, tree: FileTree) -> Any:
    """`.Values` as the chart's templates see them."""
    deadline, tool = Deadline(120), helm.find(service.helm_range)
    with workdir() as directory:
        place = locate(service, tree, directory, deadline).path
        values = final_values(RenderContext(service, tree, directory, deadline), LocatedChart(place, tool))
        return computed_values(
            place, directory, lambda probe: printed(service, probe, values, tool, directory, deadline)
        )


def printed(service: ResolvedService, probe: str, values: Any, tool: Tool, directory: str, deadline: Deadline) -> bytes:
    path = f"{directory}/these.json"
    with open(path, "wb") as file:
        file.write(dump_values(values))
    return helm.template(
        tool,
        chart_path=probe,
        release=service.release,
        namespace=service.namespace,
        include_crds=False,
        skip_tests=True,
        kube_version=service.kube_version,
        api_versions=service.api_versions,
        values_file=path,
        workdir=directory,
        deadline=deadline,
    )


def flat(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from flat(child, (*keys, key))
    else:
        yield keys, value


@pytest.mark.parametrize(
    ("words", "setting", "layer", "otherwise"),
    [
        (
            ["prometheus", "Prometheus/prometheus-kube-prometheus-prometheus", "spec.retention"],
            "values.prometheus.prometheusSpec.retention",
            "cluster gke.prod",
            "10d",
        ),
        (
            ["istiod", "HorizontalPodAutoscaler/istiod", "spec.minReplicas"],
            "values.autoscaleMin",
            "service istiod, variant prod",
            1,
        ),
        (
            ["cert-manager", "Deployment/cert-manager-webhook", "spec.replicas"],
            "values.webhook.replicaCount",
            "service cert-manager, variant prod",
            1,
        ),
    ],
)
def test_who_made_a_field(
    words: list[str], setting: str, layer: str, otherwise: object, environment: dict[str, str]
) -> None:
    done = run(
        ["explain", "gke.prod", *words, "-o", "json"], CHECKOUT, {**environment, "CMP_PLUGIN_CHART_MIRROR": str(CHARTS)}
    )
    found = json.loads(done.stdout)
    (decides, *_) = found["decides"]
    assert (decides["setting"]["path"], decides["setting"]["by"][0]["layer"]) == (setting, layer)
    assert (decides["value"], decides["state"], found["complete"]) == (otherwise, "there", True)
