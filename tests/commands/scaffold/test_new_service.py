"""`new service --chart`: the newest version, fetched once, then `lock` and it renders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fleets import write
from program import Outcome, run
from serving import Repository

pytestmark = pytest.mark.usefixtures("own_environment")

Tool = Callable[..., Outcome]


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """One cluster without a service."""
    cluster = "destination: {name: a}\nallow: [empty]\n"
    return write(tmp_path / "checkout", {"clusters/a/cluster.yaml": 'kubernetes: {version: "1.34"}\n' + cluster})


@pytest.fixture
def tool(fleet: Path, tmp_path: Path, clean_env: dict[str, str], helm4: str, kustomize: str) -> Tool:
    """The program in the fleet, with a cache of its own and helm's own file of repositories."""
    tools = {"CMP_PLUGIN_HELM": helm4, "CMP_PLUGIN_KUSTOMIZE": kustomize}
    own = {**clean_env, **tools, "CMP_PLUGIN_CACHE_DIR": str(tmp_path / "cache2")}

    def call(*words: str, **env: str) -> Outcome:
        return run(list(words), str(fleet), {**own, **env})

    return call


def test_newest_of_a_repository(tool: Tool, fleet: Path, served: Repository) -> None:
    made = tool("new", "service", "web", "--repo", served.url, "--chart", "small")
    assert (made.code, made.stderr.decode()) == (0, "next: cmp-plugin lock && cmp-plugin preview a web\n")
    text = (fleet / "services/web/service.yaml").read_text()
    assert f"chart:\n  name: small\n  repo: {served.url}\nversion: '2.0.0'\n" in text
    assert tool("lock").code == 0
    assert b"small 2.0.0" in tool("preview", "a", "web").stdout
    assert tool("validate").code == 0


def test_a_repository_that_helm_knows(tool: Tool, fleet: Path, served: Repository, tmp_path: Path) -> None:
    known = tmp_path / "repositories.yaml"
    known.write_text(f"repositories: [{{name: ours, url: {served.url}/}}]\n")
    words = ("new", "service", "web", "--version", "1.2.0", "--chart")
    made = tool(*words, "ours/small", HELM_REPOSITORY_CONFIG=str(known))
    assert made.code == 0, made.stderr.decode()
    text = (fleet / "services/web/service.yaml").read_text()
    assert f"repo: {served.url}\nversion: '1.2.0'\n" in text
    assert not served.asked
    slip = tool("new", "service", "x", "--chart", "our/small", HELM_REPOSITORY_CONFIG=str(known))
    assert slip.stderr.decode() == 'helm knows no repository "our" (did you mean "ours"?)\n'


def test_what_cannot_be_had_leaves_nothing(tool: Tool, fleet: Path, served: Repository) -> None:
    before = sorted(fleet.rglob("*"))
    for words, offline in ((("--chart", "smal"), ""), (("--chart", "small"), "1")):
        made = tool("new", "service", "web", "--repo", served.url, *words, CMP_PLUGIN_OFFLINE=offline)
        assert (made.code, made.stdout) == (1, b"")
        assert len(made.stderr.splitlines()) == 1
    assert sorted(fleet.rglob("*")) == before


def test_a_chart_in_a_registry(tool: Tool, fleet: Path) -> None:
    made = tool("new", "service", "web", "--chart", "oci://registry.example.com/charts/web", "--version", "1.0.0")
    assert made.code == 0
    text = (fleet / "services/web/service.yaml").read_text()
    assert "chart:\n  oci: oci://registry.example.com/charts/web\nversion: '1.0.0'\n" in text
