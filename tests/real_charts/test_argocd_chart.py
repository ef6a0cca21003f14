"""The chart that installs Argo CD with argo-helm's own: what Helm would install is what the service renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from bootstrapping import CHART, bootstrap_chart, copy_fleet, helm, lint, service_objects, template
from documents import blocks
from program import run
from serving import Repository

DEPENDENCY = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"][0]


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory, served: Repository) -> Path:
    archive = Path(served.directory, f"{DEPENDENCY['name']}-{DEPENDENCY['version']}.tgz")
    return bootstrap_chart(tmp_path_factory.mktemp("bootstrap"), archive)


@pytest.fixture(scope="module")
def objects(chart: Path, helm4: str) -> dict[Any, dict[str, Any]]:
    return template(helm4, chart)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_fleet(tmp_path_factory.mktemp("fleet"))


def test_lint(chart: Path, helm4: str) -> None:
    lint(helm4, chart)


def test_both_helms_agree(chart: Path, helm3: str, objects: dict[Any, Any]) -> None:
    assert template(helm3, chart) == objects


def test_the_service_is_what_helm_installed(
    fleet: Path, served: Repository, environment: dict[str, str], objects: dict[Any, dict[str, Any]]
) -> None:
    """Object for object, hooks included; the dependency comes from where the fleet gets its charts."""
    env = {**environment, "CMP_PLUGIN_CHART_MIRROR": served.url}
    assert service_objects(fleet, env, warnings=True) == objects
    assert run(["lock"], str(fleet), env).code == 0
    assert service_objects(fleet, env) == objects


@pytest.mark.parametrize("kinds", ["monitoring.coreos.com/v1", "argoproj.io/v1alpha1,cert-manager.io/v1"])
def test_what_a_cluster_has_changes_nothing(
    chart: Path, helm4: str, objects: dict[Any, dict[str, Any]], kinds: str
) -> None:
    """Helm asks the cluster that it installs into, the service what cluster.yaml says."""
    assert template(helm4, chart, "--api-versions", kinds) == objects


def test_argo_helm_knows_every_value(served: Repository, chart: Path, helm4: str) -> None:
    """A value that the chart does not have would be lost in silence."""
    archive = chart / "charts" / f"{DEPENDENCY['name']}-{DEPENDENCY['version']}.tgz"
    defaults = yaml.safe_load(helm(helm4, "show", "values", archive).stdout)
    ours = yaml.safe_load((CHART / "values.yaml").read_text())["argo-cd"]
    # Whatever is below these becomes a key of a ConfigMap; an empty map takes any key, too.
    free: set[tuple[str, ...]] = {("configs", "params"), ("configs", "cm"), ("configs", "rbac")}
    assert not list(unknown(ours, defaults, free))


def unknown(values: dict[str, Any], defaults: Any, free: set[tuple[str, ...]], above: tuple[str, ...] = ()) -> Any:
    for key, value in values.items():
        place = (*above, key)
        if not isinstance(defaults, dict) or key not in defaults:
            yield ".".join(place)
        elif isinstance(value, dict) and defaults[key] != {} and place not in free:
            yield from unknown(value, defaults[key], free, place)


def test_every_setting_reaches_a_program(objects: dict[Any, dict[str, Any]]) -> None:
    """argocd-cmd-params-cm is read key by key: one that no program reads does nothing."""
    ours = yaml.safe_load((CHART / "values.yaml").read_text())["argo-cd"]["configs"]["params"]
    pods = [
        each["spec"]["template"]["spec"] for each in objects.values() if each["kind"] in ("Deployment", "StatefulSet")
    ]
    variables = [one for pod in pods for one in pod["containers"][0].get("env", [])]
    read = {one["valueFrom"].get("configMapKeyRef", {}).get("key") for one in variables if "valueFrom" in one}
    assert set(ours) <= read
    said = objects["ConfigMap", "argocd", "argocd-cmd-params-cm"]["data"]
    assert ours.items() <= said.items()


def test_the_sidecar_is_beside_repo_server(objects: dict[Any, dict[str, Any]]) -> None:
    pod = objects["Deployment", "argocd", "argocd-repo-server"]["spec"]["template"]["spec"]
    server, sidecar = pod["containers"]
    assert sidecar["name"] == "cmp-plugin"
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert {each["name"] for each in sidecar["volumeMounts"]} <= set(volumes)
    assert volumes["cmp-plugin-tmp"]["emptyDir"]["medium"] == "Memory"
    assert {"name": "ARGOCD_CMP_CHUNK_SIZE", "value": "1048576"} in server["env"]
    mounted = {each["mountPath"]: each["name"] for each in server["volumeMounts"]}
    assert mounted["/home/argocd/cmp-server/plugins"] == "plugins"
    assert mounted["/tmp"] != "cmp-plugin-tmp"


def test_the_settings_for_scale_arrive(chart: Path, helm4: str, tmp_path: Path) -> None:
    """docs/scale.md's values, where Argo CD's programs read them."""
    (block,) = [each for each in blocks("docs/scale.md") if each.kind == "yaml"]
    values = tmp_path / "values.yaml"
    values.write_text(block.text)
    made = template(helm4, chart, "--values", str(values))
    wanted = yaml.safe_load(block.text)["argo-cd"]
    for name, parameters in (("argocd-cmd-params-cm", "params"), ("argocd-cm", "cm")):
        data = made["ConfigMap", "argocd", name]["data"]
        assert wanted["configs"][parameters].items() <= data.items()
    controller = made["StatefulSet", "argocd", "argocd-application-controller"]
    assert controller["spec"]["replicas"] == wanted["controller"]["replicas"]
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    assert {"name": "ARGOCD_CONTROLLER_REPLICAS", "value": "2"} in container["env"]
    assert made["Deployment", "argocd", "argocd-repo-server"]["spec"]["replicas"] == wanted["repoServer"]["replicas"]
