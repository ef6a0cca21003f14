"""Upstream charts, which are never part of this repository: where they are, served by HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Repository
from upstream import CHARTS, VARIABLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The one skip of this suite, and it says why."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.real_charts)
        if not (CHARTS / "index.yaml").is_file():
            item.add_marker(pytest.mark.skip(f"no upstream charts: {VARIABLE} names none (docs/charts.md says how)"))


@pytest.fixture(scope="session")
def served() -> Iterator[Repository]:
    """The directory of upstream charts by HTTP."""
    with Repository(str(CHARTS)) as repository:
        yield repository


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str], helm4: str, kustomize: str
) -> dict[str, str]:
    """A cache of these tests' own."""
    cache = str(tmp_path_factory.mktemp("real") / "cache")
    tools = {"CMP_PLUGIN_HELM": helm4, "CMP_PLUGIN_KUSTOMIZE": kustomize}
    return {**clean_env, **tools, "CMP_PLUGIN_CACHE_DIR": cache}
