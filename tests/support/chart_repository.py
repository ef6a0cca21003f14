"""A repository of small charts, a store of its own for each test, and what a fetch may use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from packing import AT, chart, index, package
from serving import Repository

from cmp_plugin.charts.chart_request import ChartRequest, chart_request
from cmp_plugin.charts.obtain import FetchContext
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, helm4: str) -> Path:
    """Archives and index.yaml: small 1.0.0, 1.2.0 and 2.0.0, vee v1.0.0 (a version with a `v`)."""
    base = tmp_path_factory.mktemp("charts")
    into = base / "packed"
    into.mkdir()
    for name, version in (("small", "1.0.0"), ("small", "1.2.0"), ("small", "2.0.0"), ("vee", "v1.0.0")):
        more = "kubeVersion: '>=1.20.0-0'\n" if version == "2.0.0" else ""
        package(helm4, chart(base / f"{name}-{version}" / name, name, version, more), into)
    index(helm4, into)
    return into


@pytest.fixture
def charts(packed: Path, tmp_path: Path) -> Path:
    """A copy of `packed` for one test to change."""
    return Path(shutil.copytree(packed, tmp_path / "packed", ignore=shutil.ignore_patterns(".*")))


@pytest.fixture
def served(charts: Path) -> Iterator[Repository]:
    """That directory by HTTP."""
    with Repository(str(charts)) as repository:
        yield repository


@pytest.fixture
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helm4: str, helm3: str) -> None:
    """A home and a cache of this test's own; helm is the one that the fixture `context` asks for."""
    for variable in ("HELM_REPOSITORY_CONFIG", "HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("CMP_PLUGIN_CHART_MIRROR", "CMP_PLUGIN_OFFLINE", "NETRC", "DOCKER_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CMP_PLUGIN_HELM", helm4)


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., FetchContext]:
    """What a fetch may use, with `seconds` of time and fleet.yaml's `mirrors`."""

    def make(seconds: float = 30, mirrors: Mapping[str, str] = {}) -> FetchContext:
        workdir = tmp_path / "work"
        workdir.mkdir(exist_ok=True)
        fleet = tmp_path / "fleet"
        (fleet / "services" / "web").mkdir(parents=True, exist_ok=True)
        tree = FileTree(str(fleet.resolve()), ("/services", "/mirror"))
        return FetchContext(tree, tuple(mirrors.items()), "~4.3", str(workdir), Deadline(seconds))

    return make


@pytest.fixture
def asks(served: Repository) -> Callable[..., ChartRequest]:
    """A chart of `served` to ask for."""

    def ask(name: str = "small", version: str = "1.0.0", repository: str = "") -> ChartRequest:
        return chart_request(repository or served.url, name, version, AT)

    return ask
