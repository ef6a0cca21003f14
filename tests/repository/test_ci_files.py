"""The files of examples/ci: their commands run as GitHub and GitLab would run them.

The API is a server on loopback that keeps comments. Not run: checkouts, and the containers' images.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
import re2
import yaml
from fleets import write
from program import CHECKOUT

from cmp_plugin.goyaml.load import load, plain

pytestmark = pytest.mark.usefixtures("own_environment")

CI = Path(CHECKOUT, "examples", "ci")
CHART = 'namespace: web\nchart: {repo: "https://charts.example.com", name: small}\nversion: 1.0.0\n'
FILES = {
    "fleet.yaml": 'kubernetes: {version: "1.34"}\n',
    "services/web/service.yaml": CHART,
    "clusters/a/cluster.yaml": "services: {web: }\n",
}
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@example.com"]


class Comments:
    """Both APIs' comments of one pull request, page by page."""

    def __init__(self, token: tuple[str, str]) -> None:
        self.token = token
        self.bodies: dict[int, str] = {}
        self.asked: list[str] = []
        comments = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, value: Any, status: int = 200) -> None:
                comments.asked.append(f"{self.command} {self.path}")
                data = json.dumps(value).encode()
                self.send_response(200 if self.headers[comments.token[0]] == comments.token[1] else 401)
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                size, page = int(asked["per_page"][0]), int(asked["page"][0])
                listed = [{"id": number, "body": body} for number, body in sorted(comments.bodies.items())]
                self.answer(listed[(page - 1) * size : page * size])

            def write(self) -> None:
                number = (
                    int(urlsplit(self.path).path.rpartition("/")[2])
                    if self.command != "POST"
                    else len(comments.bodies) + 1
                )
                comments.bodies[number] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
                self.answer({"id": number})

            do_POST = do_PUT = do_PATCH = write

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def git(where: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, charts: Path, clean_env: dict[str, str]) -> Path:
    """The fleet with its lock on main, and a branch with another version."""
    root = write(tmp_path / "repository", FILES)
    git(root, "init", "-q", "-b", "main")
    for place in (".github", ".gitlab"):
        (root / place).mkdir()
        shutil.copy(CI / "comment.py", root / place)
    shell("cmp-plugin lock", root, {**clean_env, "CMP_PLUGIN_CHART_MIRROR": str(charts)})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "The fleet")
    git(root, "checkout", "-q", "-b", "renovate/small")
    service = root / "services/web/service.yaml"
    service.write_text(service.read_text().replace("1.0.0", "1.2.0"))
    git(root, "commit", "-q", "-a", "-m", "Update small")
    return root


@pytest.fixture
def env(clean_env: dict[str, str], charts: Path, tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "ci-home"
    home.mkdir()
    return {**clean_env, "CMP_PLUGIN_CHART_MIRROR": str(charts), "HOME": str(home)}


def shell(script: str, where: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-e", "-c", script], cwd=where, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def passing(script: str, where: Path, env: dict[str, str]) -> None:
    done = shell(script, where, env)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def steps(file: str, job: str) -> list[dict[str, Any]]:
    """The steps of a GitHub job that run something."""
    workflow = yaml.safe_load((CI / "github" / file).read_text())
    return [step for step in workflow["jobs"][job]["steps"] if "run" in step]


def relocked(root: Path, env: dict[str, str]) -> None:
    passing("cmp-plugin lock", root, env)
    git(root, "commit", "-q", "-a", "-m", "Renew the locks")


def test_github_workflow(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    relocked(repository, env)
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "Merge", "renovate/small")
    summary = tmp_path / "summary.md"
    with Comments(("Authorization", "Bearer secret")) as comments:
        comments.bodies.update({number: f"comment {number}" for number in range(1, 151)})
        given = {
            **env,
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_REPOSITORY": "example/fleet",
            "GITHUB_API_URL": comments.url,
            "GITHUB_TOKEN": "secret",
            "PULL_REQUEST": "7",
        }
        wanted = {"GITHUB_TOKEN", "PULL_REQUEST"}
        for _ in range(2):
            for step in steps("fleet.yaml", "fleet"):
                assert set(step.get("env", {})) <= wanted
                passing(step["run"], repository, given)
    report = summary.read_text()
    assert "web: chart small 1.0.0 -> 1.2.0 on a" in report
    assert comments.bodies[151] + comments.bodies[151] == report and len(comments.bodies) == 151
    assert comments.asked[3] == "POST /repos/example/fleet/issues/7/comments"
    assert comments.asked[-1] == "PATCH /repos/example/fleet/issues/comments/151"


def test_lock_that_was_forgotten(repository: Path, env: dict[str, str]) -> None:
    (check,) = [step["run"] for step in steps("fleet.yaml", "fleet") if "lock" in step["run"]]
    done = shell(check, repository, env)
    assert done.returncode == 1 and "chart small 1.2.0 is not in services/web/service.lock" in done.stdout


def test_lock_workflow(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    """On the branch that Renovate made: the lock follows, once."""
    git(tmp_path, "init", "-q", "--bare", "origin")
    git(repository, "remote", "add", "origin", str(tmp_path / "origin"))
    git(repository, "push", "-q", "-u", "origin", "renovate/small")
    workflow = yaml.safe_load((CI / "github/lock.yaml").read_text())
    assert workflow[True]["push"]["branches"] == ["renovate/**"]
    for _ in range(2):
        for step in steps("lock.yaml", "lock"):
            passing(step["run"], repository, env)
    log = git(tmp_path / "origin", "log", "--format=%ae %s", "renovate/small")
    assert log.splitlines()[:2] == ["fleet-lock@example.com Renew the locks", "a@example.com Update small"]
    assert "1.2.0" in git(tmp_path / "origin", "show", "renovate/small:services/web/service.lock")
    ignored = json.loads((CI / "renovate.json").read_text())["gitIgnoredAuthors"]
    assert ignored == ["fleet-lock@example.com"]
    passing("cmp-plugin lock --check", repository, env)


def test_gitlab_pipeline(repository: Path, env: dict[str, str]) -> None:
    relocked(repository, env)
    job = yaml.safe_load((CI / "gitlab/gitlab-ci.yml").read_text())["fleet"]
    with Comments(("PRIVATE-TOKEN", "secret")) as comments:
        given = {
            **env,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(repository, "merge-base", "main", "HEAD"),
            "CI_API_V4_URL": comments.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
        }
        for token in ("", "secret", "secret"):
            passing("\n".join(job["script"]), repository, {**given, "COMMENT_TOKEN": token})
    assert comments.asked[1] == "POST /projects/3/merge_requests/7/notes"
    assert comments.asked[-1] == "PUT /projects/3/merge_requests/7/notes/1"
    assert "web: chart small 1.0.0 -> 1.2.0 on a" in comments.bodies[1]
    assert (repository / job["artifacts"]["paths"][0]).read_text() == comments.bodies[1]


# --- Renovate ---


CONFIGURATION = json.loads((CI / "renovate.json").read_text())
Found = set[tuple[str, str, str]]


def found(text: str, file: str = "services/web/service.yaml") -> Found:
    """(datasource, name, version) of what Renovate's regex manager takes out of a file, by its own engine, RE2."""
    dependencies: Found = set()
    for manager in CONFIGURATION["customManagers"]:
        if not any(re2.search(pattern.strip("/"), file) for pattern in manager["managerFilePatterns"]):
            continue
        for pattern in manager["matchStrings"]:
            for match in re2.finditer(pattern, text):
                groups = match.groupdict()
                name = f"{groups['registryUrl']} {groups['depName']}" if "registryUrl" in groups else groups["depName"]
                dependencies.add((manager["datasourceTemplate"], name, groups["currentValue"]))
    return dependencies


def test_renovate_finds_every_version_of_this_fleet() -> None:
    """Each service whose chart comes from elsewhere, and each image, as our own reader sees them."""
    wanted: Found = set()
    seen: Found = set()
    for file in sorted(Path(CHECKOUT, "services").glob("*/service.yaml")):
        text = file.read_text()
        spec = plain(load(text.encode(), str(file)))
        chart = spec.get("chart", {})
        if "repo" in chart:
            wanted.add(("helm", f"{chart['repo']} {chart['name']}", spec["version"]))
        for name, image in (spec.get("images") or {}).items():
            wanted.add(("docker", image.get("newName", name), str(image["newTag"])))
        seen |= found(text, str(file.relative_to(CHECKOUT)))
    assert seen == wanted
    assert len(wanted) > 9


HELM = {("helm", "https://charts.example.com web", "1.2.3")}
OCI = {("docker", "registry.example.com/charts/web", "1.2.3")}
DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chart: {repo: https://charts.example.com, name: web}\nversion: 1.2.3\n", HELM),
        ("chart: {name: web, repo: 'https://charts.example.com'}\nversion: '1.2.3' # why\n", HELM),
        ('chart:\n  repo: "https://charts.example.com"\n  name: web\nversion: 1.2.3\n', HELM),
        ("chart: {repo: https://charts.example.com, name: web} # why\n# and why\nversion: 1.2.3\n", HELM),
        ("services:\n  web:\n    chart: {repo: https://charts.example.com, name: web}\n    version: 1.2.3\n", HELM),
        ("services:\n  web: {chart: {repo: https://charts.example.com, name: web}}\n", set()),
        ("chart: {oci: oci://registry.example.com/charts/web}\nversion: 1.2.3\n", OCI),
        ("chart:\n  oci: 'oci://registry.example.com/charts/web'\nversion: 1.2.3\n", OCI),
        ("services:\n  web:\n    # renovate: repo=https://charts.example.com name=web\n    version: 1.2.3\n", HELM),
        ("services:\n  web:\n    # renovate: oci=oci://registry.example.com/charts/web\n    version: 1.2.3\n", OCI),
        ("services:\n  web:\n    version: 1.2.3\n", set()),
        ("chart: {path: chart}\nversion: 1.2.3\n", set()),
        ("images:\n  nginx: {newTag: '1.29'}\n", {("docker", "nginx", "1.29")}),
        (f"images:\n  reg:5000/a/b:\n    newTag: v1\n    digest: {DIGEST}\n", {("docker", "reg:5000/a/b", "v1")}),
        ("images: {a/b: {newTag: v1}, c: {newTag: v2}}\n", {("docker", "a/b", "v1"), ("docker", "c", "v2")}),
        ("images:\n  a/b: {newName: mirror/a/b, newTag: v1}\n", {("docker", "mirror/a/b", "v1")}),
        (f"images:\n  a/b: {{digest: {DIGEST}}}\n", set()),
    ],
)
def test_renovate_finds(text: str, expected: Found) -> None:
    assert found(text) == expected
    for file in ("profiles/prod.yaml", "clusters/a/cluster.yaml", "fleet/clusters/a/cluster.yaml"):
        assert found(text, file) == expected
    for file in ("services/web/values.yaml", "services/web/chart/templates/service.yaml"):
        assert found(text, file) == set()


def test_renovate_finds_digests() -> None:
    text = f"images:\n  a/b:\n    newTag: v1\n    digest: {DIGEST}\n"
    pattern = CONFIGURATION["customManagers"][2]["matchStrings"][0]
    (match,) = re2.finditer(pattern, text)
    assert match.groupdict()["currentDigest"] == DIGEST


def test_actions_are_pinned() -> None:
    for file in (CI / "github").iterdir():
        for used in re.findall(r"uses: (\S+)", file.read_text()):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used)


def test_images_are_the_same() -> None:
    images = {
        match
        for file in CI.rglob("*.y*ml")
        for match in re.findall(r"(?:image|name): (\S+/cmp-plugin:\S+)", file.read_text())
    }
    assert len(images) == 1
