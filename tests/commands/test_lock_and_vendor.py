"""`lock` and `vendor` as a person runs them, and renders of what they leave."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fleets import write
from packing import below
from program import Outcome, run
from serving import Repository, status

from cmp_plugin.charts import store

pytestmark = pytest.mark.usefixtures("own_environment")

Tool = Callable[..., Outcome]


@pytest.fixture
def fleet(tmp_path: Path, served: Repository) -> Path:
    """Two services of three charts: `web` in two versions, `vee` with a `v`."""
    files = {
        "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
        "services/web/service.yaml": f'namespace: web\nchart: {{repo: "{served.url}", name: small}}\nversion: 1.0.0\n',
        "services/vee/service.yaml": f'namespace: vee\nchart: {{repo: "{served.url}", name: vee}}\nversion: v1.0.0\n',
        "clusters/a/cluster.yaml": "destination: {name: a}\nservices:\n  web: {version: 1.2.0}\n  vee:\n",
        "clusters/b/cluster.yaml": "destination: {name: b}\nservices: {web: }\n",
    }
    return write(tmp_path / "checkout", files)


@pytest.fixture
def tool(fleet: Path, tmp_path: Path, clean_env: dict[str, str], helm4: str, kustomize: str) -> Tool:
    """The program in the fleet, with a cache of its own."""
    tools = {"CMP_PLUGIN_HELM": helm4, "CMP_PLUGIN_KUSTOMIZE": kustomize}
    own = {**clean_env, **tools, "CMP_PLUGIN_CACHE_DIR": str(tmp_path / "cache2")}

    def call(*words: str, **env: str) -> Outcome:
        return run(list(words), str(fleet), {**own, **env})

    return call


def said(outcome: Outcome) -> tuple[int, str, str]:
    return outcome.code, outcome.stdout.decode(), outcome.stderr.decode()


def test_lock(tool: Tool, fleet: Path, served: Repository) -> None:
    assert said(tool("lock")) == (
        0,
        "services/vee/service.lock: 1 chart\nservices/web/service.lock: 2 charts\n",
        "",
    )
    text = (fleet / "services/web/service.lock").read_text()
    for version in ("1.0.0", "1.2.0"):
        assert store.digest_of(f"{served.directory}/small-{version}.tgz") in text
        assert f"url: {served.url}/small-{version}.tgz" in text
    assert served.paths().count("/index.yaml") == 1
    asked = len(served.asked)
    assert said(tool("lock")) == (0, "", "")
    assert len(served.asked) == asked
    assert said(tool("lock", "--check")) == (0, "", "3 charts of 2 services are locked\n")


def test_lock_changes_what_changed(tool: Tool, fleet: Path, served: Repository) -> None:
    tool("lock")
    before = (fleet / "services/web/service.lock").read_text().splitlines()
    cluster = fleet / "clusters/b/cluster.yaml"
    cluster.write_text(cluster.read_text().replace("{web: }", "{web: {version: 2.0.0}}"))
    checked = tool("lock", "--check")
    assert said(checked) == (
        1,
        (
            "services/web/service.lock: no cluster uses chart small 1.0.0 any more (run `cmp-plugin lock`)\n"
            "services/web/service.yaml:4:8: chart small 2.0.0 is not in services/web/service.lock (run `cmp-plugin lock`)\n"
        ),
        "",
    )
    assert tool("lock").code == 0
    after = (fleet / "services/web/service.lock").read_text().splitlines()
    assert {line for line in before if "1.2.0" in line} <= set(after)
    assert not any("small-1.0.0" in line for line in after)
    cluster.unlink()
    shutil.rmtree(fleet / "clusters/a")
    (fleet / "clusters/c").mkdir()
    (fleet / "clusters/c/cluster.yaml").write_text(
        "apiVersion: cmp-plugin/v1alpha1\nkind: Cluster\ndestination: {name: c}\nallow: [empty]\n"
    )
    assert said(tool("lock")) == (
        0,
        "services/vee/service.lock: removed, no chart to lock\nservices/web/service.lock: removed, no chart to lock\n",
        "",
    )
    assert not list(fleet.glob("services/*/service.lock"))


def test_what_cannot_be_fetched_keeps_its_lock(tool: Tool, fleet: Path, served: Repository) -> None:
    served.answers["/vee-v1.0.0.tgz"] = [status(404)]
    assert said(tool("lock")) == (
        1,
        "services/web/service.lock: 2 charts\n",
        f"services/vee/service.yaml:4:8: chart vee v1.0.0 cannot be fetched from {served.url}: 404 Not Found\n",
    )
    assert not (fleet / "services/vee/service.lock").exists()
    assert (fleet / "services/web/service.lock").exists()


def test_a_lock_that_is_wrong_is_an_error(tool: Tool, fleet: Path) -> None:
    (fleet / "services/web/service.lock").write_text("kind: Lock\n")
    code, out, err = said(tool("lock"))
    assert (code, out) == (1, "")
    assert err.startswith("services/web/service.lock:1:1: a lock file has `apiVersion: cmp-plugin/v1alpha1`")


def generate(tool: Tool, cluster: str = "b", service: str = "web", **env: str) -> Outcome:
    parameters = f'[{{"name": "service", "string": "{service}"}}]'
    argocd = {"ARGOCD_APP_NAME": "x", "ARGOCD_APP_NAMESPACE": "web", "ARGOCD_APP_PARAMETERS": parameters}
    return tool("generate", "-C", f"clusters/{cluster}", **argocd, **env)


UNLOCKED = (
    "services/web/service.yaml:4:8: {who}: chart small 1.0.0 is not in services/web/service.lock"
    " (run `cmp-plugin lock` and commit what it writes)\n"
)


def test_what_is_not_locked(tool: Tool, fleet: Path, served: Repository) -> None:
    """Generate refuses; preview fetches and warns; validate names it; with `lock: optional` all go on."""
    assert said(generate(tool)) == (1, "", UNLOCKED.format(who="b/web"))
    assert served.asked == []
    preview = tool("preview", "b", "web")
    assert preview.code == 0 and b"small 1.0.0" in preview.stdout
    assert preview.stderr.decode() == "warning: " + UNLOCKED.format(who="b/web")
    validated = tool("validate")
    assert validated.code == 1
    assert UNLOCKED.format(who="b/web") in validated.stdout.decode()
    root = fleet / "fleet.yaml"
    root.write_text(root.read_text() + "lock: optional\n")
    optional = generate(tool)
    assert optional.code == 0 and b"small 1.0.0" in optional.stdout
    assert tool("validate").code == 0


def test_generate_and_preview_agree(tool: Tool) -> None:
    tool("lock")
    generated, preview = generate(tool), tool("preview", "b", "web", "-o", "json")
    assert said(generated) == said(preview)
    assert b"small 1.0.0" in generated.stdout


def test_vendor(tool: Tool, fleet: Path, served: Repository, tmp_path: Path) -> None:
    tool("lock")
    assert said(tool("vendor")) == (
        0,
        (
            "services/vee/charts/vee-v1.0.0.tgz\n"
            "services/web/charts/small-1.0.0.tgz\n"
            "services/web/charts/small-1.2.0.tgz\n"
        ),
        "",
    )
    for name in ("small-1.0.0.tgz", "small-1.2.0.tgz"):
        assert (fleet / "services/web/charts" / name).read_bytes() == Path(served.directory, name).read_bytes()
    assert said(tool("vendor")) == (0, "", "")
    shutil.rmtree(tmp_path / "cache2")
    served.asked.clear()
    offline = generate(tool, CMP_PLUGIN_OFFLINE="1")
    assert offline.code == 0 and b"small 1.0.0" in offline.stdout
    assert served.asked == []


def test_vendor_without_a_cache_fetches(tool: Tool, fleet: Path, tmp_path: Path) -> None:
    tool("lock")
    shutil.rmtree(tmp_path / "cache2")
    assert tool("vendor").code == 0
    assert below(str(fleet / "services/web/charts")) == ["small-1.0.0.tgz", "small-1.2.0.tgz"]


def test_vendor_removes_what_nobody_names(tool: Tool, fleet: Path, served: Repository) -> None:
    """Archives that a spec names by path, and everything that is no archive, stay."""
    directory = fleet / "services/web/charts"
    directory.mkdir()
    for name in ("small-0.9.0.tgz", "own.tgz", "README.md"):
        shutil.copy(f"{served.directory}/small-1.0.0.tgz", directory / name)
    own = fleet / "services/own/service.yaml"
    own.parent.mkdir()
    own.write_text(
        "apiVersion: cmp-plugin/v1alpha1\nkind: Service\nnamespace: own\nchart: {path: ../web/charts/own.tgz}\n"
    )
    cluster = fleet / "clusters/b/cluster.yaml"
    cluster.write_text(cluster.read_text().replace("{web: }", "{web: , own: }"))
    tool("lock")
    assert "services/web/charts/small-0.9.0.tgz: removed\n" in tool("vendor").stdout.decode()
    assert below(str(directory)) == ["README.md", "own.tgz", "small-1.0.0.tgz", "small-1.2.0.tgz"]


def test_vendor_needs_a_lock(tool: Tool, fleet: Path) -> None:
    code, out, err = said(tool("vendor"))
    assert (code, out) == (1, "")
    assert err.splitlines()[1] == (
        "services/web/service.yaml:4:8: chart small 1.0.0 is not in services/web/service.lock"
        " (run `cmp-plugin lock` first)"
    )
    assert not (fleet / "services/web/charts").exists()


def test_a_vendored_archive_that_was_changed(tool: Tool, fleet: Path, served: Repository) -> None:
    tool("lock")
    tool("vendor")
    right, wrong = fleet / "services/web/charts/small-1.0.0.tgz", f"{served.directory}/small-2.0.0.tgz"
    expected = store.digest_of(str(right))
    shutil.copy(wrong, right)
    assert said(generate(tool)) == (
        1,
        "",
        (
            "services/web/service.yaml:4:8: b/web: services/web/charts/small-1.0.0.tgz has the digest"
            f" {store.digest_of(wrong)}, the lock says {expected}\n"
        ),
    )
    assert tool("vendor").code == 0
    assert generate(tool).code == 0


def test_a_link_in_place_of_the_directory(tool: Tool, fleet: Path, tmp_path: Path) -> None:
    tool("lock")
    (tmp_path / "outside").mkdir()
    (fleet / "services/web/charts").symlink_to(tmp_path / "outside")
    code, _, err = said(tool("vendor"))
    assert (code, err) == (1, "services/web/charts is a link, or lies behind one\n")
    assert list((tmp_path / "outside").iterdir()) == []


def test_doctor_shows_and_cleans_the_cache(tool: Tool, tmp_path: Path) -> None:
    tool("lock")
    assert "3 charts" in tool("doctor").stdout.decode()
    assert tool("doctor", "--clean-cache").code == 0
    assert list((tmp_path / "cache2" / "charts").iterdir()) == []
    assert tool("vendor").code == 0
