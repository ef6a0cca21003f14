"""Fixtures: Argo CD's programs, each level started once for all tests that ask for it."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import program
import pytest
import yaml
from build import BUNDLES, directory
from checkout import CHECKOUT
from cluster import application_controller, cluster, install_argocd
from cmp_server import PLUGIN, CmpServer, cmp_server, put_commands
from health import use_health_checks
from live import Live
from repo_server import RepoServer, redis, repo_server
from repository import Repository, reference_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("sidecar"):
            item.add_marker("argocd")


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    missing = [bundle.name for bundle in BUNDLES if not directory(bundle).is_dir()]
    assert not missing, f"not built: {missing}: make test-argocd builds them"


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """For everything that runs here: a short path, as a socket's may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="cmp-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def commands(run_directory: Path) -> str:
    return put_commands(run_directory / "commands")


@pytest.fixture(scope="session")
def sockets(run_directory: Path) -> Path:
    """Where plugins listen and repo-server looks for them."""
    path = run_directory / "sockets"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def plugin_yaml() -> str:
    return Path(CHECKOUT, "plugin.yaml").read_text()


@pytest.fixture(scope="session")
def cmp(run_directory: Path, sockets: Path, commands: str, plugin_yaml: str) -> Iterator[CmpServer]:
    """argocd-cmp-server with our plugin. A second helm, as an older fleet may want, is in the cache."""
    tools = program.environment(str(run_directory / "tools"))["XDG_CACHE_HOME"]
    cache = {"XDG_CACHE_HOME": tools}
    with cmp_server(run_directory / "cmp-server", plugin_yaml, PLUGIN, sockets, commands, cache) as server:
        yield server


@pytest.fixture(scope="session")
def repo(run_directory: Path, sockets: Path, cmp: CmpServer) -> Iterator[RepoServer]:
    """argocd-repo-server with our plugin beside it."""
    with redis(run_directory / "redis") as port:
        with repo_server(run_directory / "repo-server", sockets, port) as server:
            yield server


RECORD = """#!{python}
import json, os, sys
root = os.getcwd()
while os.path.basename(os.path.dirname(root)) != "_cmp_server":
    root = os.path.dirname(root)
files = [os.path.join(place, name) for place, _, names in os.walk(root) for name in names]
facts = {{"files": sorted(os.path.relpath(file, root) for file in files),
         "bytes": sum(os.lstat(file).st_size for file in files)}}
with open({record!r}, "w") as record:
    json.dump(facts, record)
os.execvp("cmp-plugin", ["cmp-plugin", "generate"])
"""


@pytest.fixture(scope="session")
def recorder(run_directory: Path, sockets: Path, commands: str, plugin_yaml: str) -> Iterator[Callable[[], Any]]:
    """Our plugin under the name `recorder`; the value tells which files its last call was sent."""
    record = run_directory / "record.json"
    script = Path(commands, "record")
    script.write_text(RECORD.format(python=sys.executable, record=str(record)))
    script.chmod(0o755)
    configured = plugin_yaml.replace("name: cmp-plugin", "name: recorder").replace("[cmp-plugin, generate]", "[record]")
    with cmp_server(run_directory / "recorder", configured, "recorder", sockets, commands):
        yield lambda: json.loads(record.read_text())


@pytest.fixture(scope="session")
def narrow(run_directory: Path, sockets: Path, repo: RepoServer, cmp: CmpServer) -> Iterator[RepoServer]:
    """A second repo-server, with the settings that docs/argocd.md tells to make."""
    flags = ("--plugin-use-manifest-generate-paths", "--plugin-tar-exclude", ".git")
    documented = yaml.safe_load(Path(CHECKOUT, "docs/argocd-values.yaml").read_text())["repoServer"]["env"]
    environment = {each["name"]: each["value"] for each in documented}
    with repo_server(run_directory / "narrow", sockets, repo.redis_port, environment, *flags) as server:
        yield server


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    """A fresh repository with the reference fleet."""
    return reference_fleet(tmp_path / "fleet")


@pytest.fixture(scope="session")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Any]]:
    """What `cmp-plugin preview` shows for words like `kind.local web`, parsed."""
    clean = program.environment(str(tmp_path_factory.mktemp("home")))

    def shown(root: Path, *words: str) -> list[Any]:
        outcome = program.run(["-C", str(root), "preview", *words, "-o", "json"], str(root), clean)
        assert outcome.code == 0, outcome.stderr.decode()
        return [json.loads(line) for line in outcome.stdout.splitlines()]

    return shown


@pytest.fixture(scope="session")
def live(run_directory: Path, narrow: RepoServer) -> Iterator[Live]:
    """A cluster with Argo CD's application controller, and everything below it."""
    with cluster(run_directory / "cluster") as running:
        install_argocd(running)
        use_health_checks(running)
        with application_controller(run_directory / "application-controller", running, narrow) as controller:
            yield Live(running, controller)
