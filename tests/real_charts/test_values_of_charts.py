"""Upstream charts' values: what is meant is never called unknown, and a slip of the finger is found."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from editor import fitting
from program import CHECKOUT, run
from serving import Repository
from upstream import CHARTS

from cmp_plugin.charts.contents import read_chart
from cmp_plugin.commands.validate.keys import Known, known_keys, unknown_keys
from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import load_values, node

# Without charts one name, so that the skip has a reason.
NAMES = sorted(path.name for path in CHARTS.glob("*.tgz")) or ["none"]
AT = Location("x")
PARTS = ("fleet.yaml", "profiles", "services", "clusters")
Path_ = tuple[str, ...]


def known(name: str) -> Known:
    return known_keys(read_chart(str(CHARTS / name), name, AT))


def values_for_tests(archive: Path) -> Iterator[tuple[str, bytes]]:
    """(subchart or "", content) of each values file that a chart's own tests use."""
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        for member in tar:
            if "/ci/" in member.name and member.name.endswith("values.yaml"):
                content = tar.extractfile(member)
                assert content is not None
                yield (member.name.split("/")[2] if "/charts/" in member.name else ""), content.read()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_chart_documents_is_known(name: str) -> None:
    found = known(name)
    for subchart, content in values_for_tests(CHARTS / name):
        of_chart = found.subcharts[subchart] if subchart else found
        assert list(unknown_keys(load_values(content, "ci"), of_chart)) == []
    assert list(unknown_keys(node(found.defaults, AT), found)) == []


USUAL = sorted(Path(__file__).parent.joinpath("usual_values").glob("*.yaml"))


@pytest.mark.parametrize("file", USUAL, ids=lambda file: file.stem)
def test_what_people_set_is_known(file: Path) -> None:
    charts = [name for name in NAMES if name.removesuffix(".tgz").rpartition("-")[0] == file.stem]
    assert charts, f"no chart {file.stem} among {NAMES}"
    for name in charts:
        assert [str(one) for one in unknown_keys(load_values(file.read_bytes(), file.name), known(name))] == []


def slips(defaults: dict[str, Any], path: Path_ = ()) -> Iterator[Path_]:
    """Every key of a chart with two letters exchanged, in its place."""
    for key, value in defaults.items():
        middle = len(key) // 2
        slip = key[: middle - 1] + key[middle] + key[middle - 1] + key[middle + 1 :]
        if len(key) > 4 and slip != key and not key.startswith("_"):
            yield (*path, slip)
        if isinstance(value, dict) and not key.startswith("_"):
            yield from slips(value, (*path, key))


# Istio's charts print all of their values, so that only what is nearly a known key can be wrong.
AT_LEAST = {"base": 0.8, "cni": 0.8, "gateway": 0.5, "istiod": 0.8, "ztunnel": 0.6}


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_is_found(name: str) -> None:
    found = known(name)
    outcomes = []
    for path in slips(found.defaults):
        values: Any = 1
        for step in reversed(path):
            values = {step: values}
        outcomes.append(bool(list(unknown_keys(node(values, AT), found))))
    least = AT_LEAST.get(name.rpartition("-")[0], 0.85)
    assert sum(outcomes) >= least * len(outcomes), f"{sum(outcomes)} of {len(outcomes)}"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, served: Repository, environment: dict[str, str]) -> Path:
    """A locked copy of the reference fleet whose charts are in the cache."""
    root = tmp_path_factory.mktemp("fleet")
    for part in PARTS:
        source = Path(CHECKOUT, part)
        ignore = shutil.ignore_patterns("service.lock", "*.tgz")
        shutil.copytree(source, root / part, ignore=ignore) if source.is_dir() else shutil.copy(source, root)
    done = run(["lock"], str(root), {**environment, "CMP_PLUGIN_CHART_MIRROR": served.url})
    assert done.code == 0, done.stderr
    return root


def test_nothing_is_wrong_with_the_reference_fleet(fleet: Path, environment: dict[str, str]) -> None:
    done = run(["validate", "--strict"], str(fleet), environment)
    assert (done.code, done.stdout) == (0, b"")
    assert done.stderr == b"4 clusters, 31 services on them: no errors\n"


SLIPS = [
    (
        "istiod",
        "autoscaleMin",
        "autoscaleMni",
        'chart istiod knows no value autoscaleMni (did you mean "autoscaleMin"?)',
    ),
    ("prometheus", "existingSecret", "existingSecert", "knows no value grafana.admin.existingSecert"),
    ("prometheus", "retention: 30d", "retenton: 30d", "knows no value prometheus.prometheusSpec.retenton"),
    (
        "cert-manager",
        "replicaCount: 2",
        "replicaCuont: 2",
        "schema of chart cert-manager refuses replicaCuont: no such key",
    ),
    (
        "gateway",
        "{minReplicas: 1,",
        '{minReplicas: "1",',
        "refuses autoscaling.minReplicas: this is not of type integer",
    ),
]


@pytest.mark.parametrize(("service", "right", "wrong", "said"), SLIPS)
def test_slips_in_the_reference_fleet(
    service: str, right: str, wrong: str, said: str, fleet: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    copy = Path(shutil.copytree(fleet, tmp_path / "fleet"))
    file = copy / "services" / service / "service.yaml"
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, wrong, 1))
    done = run(["validate", "--strict"], str(copy), environment)
    assert done.code == 1
    assert said in done.stdout.decode()


def test_an_editor_knows_every_chart(fleet: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(["schema", "--out", str(tmp_path)], str(fleet), environment)
    assert done.code == 0, done.stderr
    assert fitting(fleet, tmp_path) > 20
