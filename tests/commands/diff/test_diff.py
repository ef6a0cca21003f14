"""`diff` as a person runs it: what it tells of a change, in which form, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleets import chart, write
from markdown_it import MarkdownIt
from program import Outcome, run

PART = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: one}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    spec:
      containers: [{name: app, image: "registry.example.com/web:1.0.0"}]
"""
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: fast}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n"
FILES = {
    "fleet.yaml": "repoURL: https://git.example.com/fleet.git\nprofiles: [base]\n",
    "profiles/base.yaml": "services: {web: }\n",
    "services/web/service.yaml": "namespace: web\nresources: [web.yaml, data.yaml, secret.yaml]\n",
    "services/web/web.yaml": DEPLOYMENT,
    "services/web/data.yaml": CLAIM,
    "services/web/secret.yaml": SECRET,
    "services/notes/service.yaml": "namespace: notes\nresources: [own.yaml]\n",
    "services/notes/own.yaml": PART,
    "clusters/a/cluster.yaml": "destination: {name: a}\n",
    "clusters/b/cluster.yaml": "destination: {name: b}\nservices: {notes: }\n",
    "clusters/c/cluster.yaml": "destination: {name: c}\n",
}
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]


class Repository:
    """A repository with the fleet in a commit, and `diff` in it."""

    def __init__(self, top: Path, env: dict[str, str], files: dict[str, str], fleet: str = "") -> None:
        self.top, self.root, self.env = top, top / fleet, env
        self.root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        write(self.root, files)
        self.first = self.commit()

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *IDENTITY, *words], cwd=self.top, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"in {self.root.name}")
        return self.git("rev-parse", "HEAD")

    def edit(self, file: str, old: str, new: str) -> None:
        place = self.root / file
        text = place.read_text()
        assert old in text
        place.write_text(text.replace(old, new))

    def run(self, *words: str) -> Outcome:
        return run(["diff", *words], str(self.root), self.env)

    def diff(self, *words: str) -> str:
        done = self.run(*words)
        assert done.code == 0, done.stderr.decode()
        return done.stdout.decode()

    def json(self, *words: str) -> Any:
        return json.loads(self.diff(*words, "-o", "json"))

    def error(self, *words: str, code: int = 1) -> str:
        done = self.run(*words)
        assert (done.code, done.stdout) == (code, b"")
        return done.stderr.decode()


Make = Callable[..., Repository]


@pytest.fixture
def made(tmp_path: Path, clean_env: dict[str, str]) -> Make:
    def make(files: dict[str, str] = FILES, **more: str) -> Repository:
        (tmp_path / "repository").mkdir()
        return Repository(tmp_path / "repository", clean_env, files, **more)

    return make


@pytest.fixture
def repo(made: Make) -> Repository:
    return made()


# --- what is told ---


def test_nothing(repo: Repository) -> None:
    assert repo.diff() == "nothing changes from HEAD to the work tree\n"
    assert repo.run("--exit-code").code == 0
    assert repo.json()["services"] == {"changed": 0, "total": 4, "rendered": 0}
    repo.edit("services/web/service.yaml", "namespace", "# a comment\nnamespace")
    assert repo.diff() == "nothing changes from HEAD to the work tree\n"


def test_text(repo: Repository) -> None:
    repo.edit("services/web/web.yaml", "web:1.0.0", "web:1.1.0")
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    repo.edit("services/web/web.yaml", "{app: web}", "{app: shop}")
    repo.edit("services/web/secret.yaml", "hunter2", "hunter3")
    (repo.root / "services/web/data.yaml").write_text(PART)
    repo.edit("clusters/b/cluster.yaml", "{notes: }", "{web: {namespace: shop}}")
    told = repo.diff()
    assert (
        told
        == """\
HEAD -> the work tree: 4 of 4 services change on 3 clusters

Look at this first
  !! PersistentVolumeClaim web/data is deleted, and its data with it unless the volume is retained (web on all 3 clusters)
  ! Application notes is taken off: all its objects are deleted (notes on b)
  ! ConfigMap notes/own is deleted (notes on b)
  ! Deployment web/web cannot change spec.selector: Kubernetes refuses it, delete the object first (web on 2 clusters: a, c)
  ! Deployment web/web is deleted (web on b)
  ! Secret web/login is deleted (web on b)

Versions and images
  ~ web: image registry.example.com/web 1.0.0 -> 1.1.0 on 2 clusters: a, c

notes on b
  - Application notes
  - ConfigMap notes/own

web on all 3 clusters
  - PersistentVolumeClaim web/data

web on 2 clusters: a, c
  + ConfigMap web/own
  ~ Deployment web/web
    ~ spec.replicas: 1 -> 2
    ~ spec.selector.matchLabels.app: web -> shop
    ~ spec.template.spec.containers[app].image: registry.example.com/web:1.0.0 -> registry.example.com/web:1.1.0
  ~ Secret web/login
    ~ stringData.password: changed (hidden)

web on b
  ~ Application web
    ~ spec.destination.namespace: web -> shop
  + ConfigMap shop/own
  + Deployment shop/web
  - Deployment web/web
  + Secret shop/login
  - Secret web/login
"""
    )
    assert repo.run("--exit-code").code == 4
    for form in ("text", "json", "markdown"):
        assert "hunter" not in repo.diff("-v", "-o", form)


def test_json(repo: Repository) -> None:
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 0")
    head = repo.commit()
    found = repo.json(repo.first, "main")
    assert found["before"] == {"name": repo.first, "commit": repo.first, "clusters": 3}
    assert found["after"] == {"name": "main", "commit": head, "clusters": 3}
    assert (found["format"], found["changed"]) == (1, True)
    # Three clusters, one input, two sides.
    assert found["services"] == {"changed": 3, "total": 4, "rendered": 2}
    key = {"group": "apps", "kind": "Deployment", "namespace": "web", "name": "web"}
    assert found["changes"] == [
        {
            "service": "web",
            "clusters": ["a", "b", "c"],
            "objects": [
                {
                    **key,
                    "change": "changed",
                    "fields": [{"path": "spec.replicas", "change": "changed", "before": 1, "after": 0}],
                }
            ],
        }
    ]
    (danger,) = found["dangers"]
    assert danger == {
        "severity": "look",
        "kind": "scaled-to-zero",
        "message": "Deployment web/web is scaled to nothing",
        "service": "web",
        "object": key,
        "clusters": ["a", "b", "c"],
    }


def test_clusters_come_and_go(repo: Repository) -> None:
    (repo.root / "clusters/a/cluster.yaml").unlink()
    write(repo.root, {"fleet.yaml": FILES["fleet.yaml"], "clusters/d/cluster.yaml": "destination: {name: d}\n"})
    told = repo.diff()
    assert "  - a: 1 service: web\n  + d: 1 service: web\n" in told
    assert "what runs there stays" in told
    assert "is deleted" not in told
    assert "web on d\n  + Deployment web/web\n" in told
    found = repo.json()
    assert found["clusters"] == {"added": {"d": ["web"]}, "removed": {"a": ["web"]}}
    assert found["services"]["rendered"] == 1


def test_applications(repo: Repository) -> None:
    repo.edit("clusters/a/cluster.yaml", "name: a", "name: z")
    repo.edit("services/web/service.yaml", "namespace", "application: {project: shop, track: branch}\nnamespace")
    repo.edit("fleet.yaml", "profiles", "projects: {shop: {description: x}}\nprofiles")
    told = repo.diff()
    assert "goes to another cluster; what it made on the old one stays there (web on a)" in told
    assert "moves to another project: default -> shop (web on all 3 clusters)" in told
    assert "    ~ spec.destination.name: a -> z\n" in told
    assert "  + AppProject argocd/shop\n" in told
    assert repo.json()["services"]["rendered"] == 0


def test_applications_that_cannot_be_made(repo: Repository) -> None:
    """Argo CD would get an error for what renders well."""
    repo.edit("clusters/a/cluster.yaml", "destination: {name: a}", "labels: {a: b}")
    assert repo.error() == "clusters/a/cluster.yaml: cluster a has no `destination`\n"
    repo.commit()
    assert repo.error("HEAD~1", "HEAD") == "clusters/a/cluster.yaml: in HEAD: cluster a has no `destination`\n"
    assert repo.diff() == "nothing changes from HEAD to the work tree\n"
    assert "clusters on a\n  + Application of the cluster\n" in repo.diff("HEAD", "HEAD~1")
    repo.edit("fleet.yaml", "repoURL: https://git.example.com/fleet.git\n", "")
    assert repo.error() == "fleet.yaml: Applications need the fleet's `repoURL`\n"
    repo.commit()
    assert "clusters on all 3 clusters\n  + Application of the cluster\n" in repo.diff("HEAD", repo.first)


def test_a_chart_that_moves(made: Make) -> None:
    service = "namespace: web\nchart: {path: chart}\n"
    base = 'kubernetes: {version: "1.34"}\nservices: {web: }\n'
    repo = made(
        {**FILES, "profiles/base.yaml": base, "services/web/service.yaml": service, **chart("services/web/chart")}
    )
    repo.git("mv", "services/web/chart", "services/web/helm")
    repo.edit("services/web/service.yaml", "path: chart", "path: helm")
    assert "  ~ web: chart services/web/chart -> services/web/helm on all 3 clusters\n" in repo.diff()


def test_pruned_or_not(repo: Repository) -> None:
    repo.edit("services/web/service.yaml", "namespace", "application: {automated: {prune: false}}\nnamespace")
    repo.commit()
    repo.edit("services/web/service.yaml", ", secret.yaml", "")
    assert "Secret web/login is no longer rendered, and stays in the cluster" in repo.diff()
    repo.edit("services/web/service.yaml", "automated: {prune: false}", "finalizers: []")
    repo.commit()
    repo.edit("profiles/base.yaml", "{web: }", "{notes: }")
    assert "Application web is taken off, its objects stay" in repo.diff()


def test_many_deletions_in_a_line(repo: Repository) -> None:
    for number in range(5):
        (repo.root / f"services/notes/{number}.yaml").write_text(PART.replace("own", f"own-{number}"))
    listed = ", ".join(f"{number}.yaml" for number in range(5))
    repo.edit("services/notes/service.yaml", "own.yaml", f"own.yaml, {listed}")
    repo.commit()
    repo.edit("services/notes/service.yaml", f", {listed}", "")
    assert "  ! 5 objects (5 ConfigMap) are deleted (notes on b)\n" in repo.diff()
    assert "  ! ConfigMap notes/own-3 is deleted (notes on b)\n" in repo.diff("-v")


def test_texts_and_long_values(repo: Repository) -> None:
    lines = "".join(f"    line {number}\n" for number in range(100))
    long = "x" * 400
    data = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: own}}\ndata:\n  long: {long}\n  text: |\n{lines}"
    (repo.root / "services/notes/own.yaml").write_text(data)
    repo.commit()
    repo.edit("services/notes/own.yaml", "line 50", "line fifty")
    repo.edit("services/notes/own.yaml", long, long[:200] + "y" + long[200:])
    told = repo.diff()
    assert "      - line 50\n      + line fifty\n" in told
    assert "line 30" not in told and long not in told and "xyx" in told
    assert f"+ {long[:200]}y{long[200:]}\n" in repo.diff("-v")


def test_what_files_say_moves_no_cursor(repo: Repository) -> None:
    (repo.root / "services/notes/own.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {"a\\e[31mb": "\\e[2J", c: "x\\n\\u202Ey\\nz"}\n'
    )
    for form in ("text", "markdown"):
        told = repo.diff("-o", form)
        assert not {"\x1b", "\u202e"} & set(told)


def test_names_that_hold_a_line_of_their_own(repo: Repository) -> None:
    name = '"own\\nnothing changes\\n```"'
    (repo.root / "services/notes/own.yaml").write_text(PART.replace("name: own", f"name: {name}"))
    repo.commit()
    (repo.root / "services/notes/own.yaml").write_text(PART)
    for form in ("text", "markdown"):
        told = repo.diff("-o", form)
        assert "ConfigMap notes/own\\nnothing changes\\n```" in told
        assert "nothing changes" not in told.splitlines()


def test_random_fields_are_left_out(made: Make) -> None:
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: web}\n"
        'data: {random: {{ randAlphaNum 9 }}, value: "{{ .Values.map.a }}"}\n'
    )
    service = "namespace: web\nchart: {path: chart}\nallow: [random]\n"
    files = {"services/web/service.yaml": service, **chart("services/web/chart", **{"templates/values.yaml": template})}
    cluster = 'kubernetes: {version: "1.34"}\nservices: {web: {values: {map: {a: one}}}}\n'
    repo = made({**files, "clusters/a/cluster.yaml": cluster})
    assert repo.diff() == "nothing changes from HEAD to the work tree\n"
    repo.edit("clusters/a/cluster.yaml", "one", "two")
    told = repo.diff()
    assert "~ data.value: one -> two\n" in told
    assert "data.random" not in told
    assert "1 fields that differ at every render are left out" in told


# --- for a comment ---


def test_markdown(repo: Repository) -> None:
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 0")
    assert (
        repo.diff("-o", "markdown")
        == """\
<!-- cmp-plugin diff -->
### `HEAD -> the work tree: 3 of 4 services change on 3 clusters`

**Look at this first**

```diff
! Deployment web/web is scaled to nothing (web on all 3 clusters)
```

<details><summary><code>web on all 3 clusters</code></summary>

```diff
! Deployment web/web
~   spec.replicas: 1 -> 0
```

</details>

"""
    )


def parsed(told: str) -> tuple[str, str]:
    """What stands in code blocks, and what does not, as a reader of CommonMark takes it."""
    tokens = MarkdownIt("commonmark").parse(told)
    inside = "".join(token.content for token in tokens if token.type == "fence")
    return inside, "".join(token.content for token in tokens if token.type != "fence")


def test_nothing_gets_out_of_the_code_block(repo: Repository) -> None:
    hostile = "a\\n````\\n</details>@everyone\\n~~~~~\\n# x"
    (repo.root / "services/notes/own.yaml").write_text(
        f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: own}}\ndata: {{a: "{hostile}", "```": b}}\n'
    )
    inside, outside = parsed(repo.diff("-o", "markdown"))
    assert "@everyone" in inside and "````" in inside
    assert "@everyone" not in outside and "# x" not in outside


@pytest.mark.parametrize("objects", [3, 400])
def test_comment_has_a_limit(repo: Repository, objects: int) -> None:
    text = "".join(f"---\n{PART.replace('own', f'own-{number}')}" for number in range(objects))
    (repo.root / "services/notes/own.yaml").write_text(text)
    repo.commit()
    (repo.root / "services/notes/own.yaml").write_text(text.replace("one", "€" * 300 + "\\n```"))
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 0")
    told = repo.diff("-o", "markdown", "-v")
    assert len(told.encode()) <= 65_536
    inside, outside = parsed(told)
    assert "is scaled to nothing" in inside and "<details>" not in inside and "€" not in outside
    assert outside.count("<details>") == outside.count("</details>") > 0
    assert ("Not all is shown" in outside) is (objects > 3)


# --- which sides ---


def test_ranges(repo: Repository) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.edit("services/notes/own.yaml", "one", "topic")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    repo.commit()

    def changed(*words: str) -> list[str]:
        return [group["service"] for group in repo.json(*words)["changes"]]

    assert changed("main", "topic") == ["notes", "web"]
    assert changed("main..topic") == ["notes", "web"]
    assert changed("main...topic") == ["notes"]
    assert changed("topic...") == ["web"]
    assert changed("HEAD~1") == ["web"]
    assert changed() == []
    repo.edit("services/notes/own.yaml", "one", "dirty")
    assert changed() == ["notes"]
    assert changed("main~1", "main") == ["web"]


def test_before_the_first_commit(repo: Repository) -> None:
    repo.git("checkout", "-q", "--orphan", "fresh")
    assert repo.error() == 'git: this repository has no revision "HEAD" (nothing is committed yet)\n'


def test_filters(repo: Repository) -> None:
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    repo.edit("services/notes/own.yaml", "one", "two")
    assert [
        group["clusters"] for group in repo.json("--cluster", "a", "--cluster", "b", "--service", "web")["changes"]
    ] == [["a", "b"]]
    assert 'there is no cluster "x"' in repo.error("--cluster", "x")
    assert 'there is no service "note" (did you mean "notes"?)' in repo.error("--service", "note")


def test_unknown_revision(repo: Repository) -> None:
    assert repo.error("mian") == 'git: this repository has no revision "mian" (did you mean "main"?)\n'
    assert repo.error("main", "nope").startswith('git: this repository has no revision "nope"')
    assert repo.error("x..main").startswith('git: this repository has no revision "x"')


def test_shallow_clone(repo: Repository, tmp_path: Path) -> None:
    repo.commit()
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{repo.top}", tmp_path / "shallow"], check=True)
    for words in (["HEAD~1"], [repo.first]):
        done = run(["diff", *words], str(tmp_path / "shallow"), repo.env)
        assert done.code == 1
        assert b"this clone is shallow: `git fetch --unshallow`" in done.stderr


def test_clone_with_a_filter(repo: Repository, tmp_path: Path) -> None:
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    repo.edit("fleet.yaml", "repoURL", "# changed\nrepoURL")
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", f"file://{repo.top}", partial], check=True)
    done = run(["diff", "HEAD~1", "HEAD"], str(partial), repo.env)
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr.startswith(
        b"in HEAD~1: git: content of this commit is not on this machine (this clone has a filter"
    )


def test_work_tree_beside_another(repo: Repository, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "beside"))
    place = tmp_path / "beside/services/web/web.yaml"
    place.write_text(place.read_text().replace("replicas: 1", "replicas: 2"))
    done = run(["diff"], str(tmp_path / "beside"), repo.env)
    assert b"spec.replicas: 1 -> 2" in done.stdout


def test_another_plugin_is_wanted(repo: Repository) -> None:
    repo.edit("fleet.yaml", "repoURL", 'tools: {plugin: ">=99"}\nrepoURL')
    assert b"is outside >=99" in repo.run().stderr
    repo.edit("fleet.yaml", '99"}', '99", strict: true}')
    assert "is outside >=99" in repo.error()


def test_histories_without_a_common_commit(repo: Repository) -> None:
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("commit", "-q", "-m", "another beginning")
    assert repo.error("main...other") == "git: main and other have no commit in common\n"


def test_before_the_fleet_existed(made: Make) -> None:
    repo = made({"services/README": ""})
    (repo.root / "fleet.yaml").unlink()
    repo.commit()
    write(repo.root, FILES)
    done = repo.run()
    assert done.stderr == b"note: there is no fleet.yaml in HEAD\n"
    assert b"  + a: 1 service: web\n" in done.stdout
    repo.commit()
    assert "neither HEAD~1 nor HEAD~1 has a fleet.yaml" in repo.error("HEAD~1", "HEAD~1")


def test_fleet_below_the_top(made: Make) -> None:
    repo = made(FILES, fleet="gitops/fleet")
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    (repo.top / "other.txt").write_text("x")
    assert "spec.replicas: 1 -> 2" in repo.diff()
    done = run(["-C", "gitops/fleet/clusters/a", "diff"], str(repo.top), repo.env)
    assert done.code == 0 and b"spec.replicas: 1 -> 2" in done.stdout


def test_errors_of_a_side(repo: Repository) -> None:
    repo.edit("services/web/service.yaml", "namespace:", "nmespace:")
    assert repo.error().startswith('services/web/service.yaml:3:1: unknown key "nmespace"')
    bad = repo.commit()
    repo.edit("services/web/service.yaml", "nmespace:", "namespace:")
    assert repo.error().startswith('services/web/service.yaml:3:1: in HEAD: unknown key "nmespace"')
    assert repo.error(repo.first, bad).startswith(f"services/web/service.yaml:3:1: in {bad}: unknown")


def test_renders_that_fail(repo: Repository) -> None:
    repo.edit("services/web/web.yaml", "kind: Deployment", "king: Deployment")
    error = repo.error()
    assert error.count("\n") == 1
    assert "a/web: " in error and error.endswith("(the same on 2 more clusters)\n")
    repo.commit()
    repo.edit("services/web/web.yaml", "king: Deployment", "kind: Deployment")
    assert "in HEAD: " in repo.error()
    # What fails on both sides alike is not this change's matter.
    repo.git("checkout", "-q", ".")
    repo.edit("services/notes/own.yaml", "one", "two")
    assert [group["service"] for group in repo.json()["changes"]] == ["notes"]


def test_link_that_leaves_the_fleet(repo: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(PART)
    (repo.root / "services/notes/own.yaml").unlink()
    (repo.root / "services/notes/own.yaml").symlink_to(tmp_path / "secret.yaml")
    bad = repo.commit()
    assert "is a link that leads out of the allowed directories" in repo.error(repo.first, bad)


def test_pinned_service(made: Make) -> None:
    repo = made({**FILES, "clusters/b/cluster.yaml": "destination: {name: b}\nservices: {notes: {revision: pinned}}\n"})
    repo.git("tag", "pinned")
    repo.edit("services/notes/own.yaml", "one", "two")
    repo.edit("services/web/web.yaml", "replicas: 1", "replicas: 2")
    repo.commit()
    assert [group["service"] for group in repo.json("HEAD~1", "HEAD")["changes"]] == ["web"]
    repo.git("tag", "newer")
    repo.edit("clusters/b/cluster.yaml", "pinned", "newer")
    repo.commit()
    told = repo.diff("HEAD~1", "HEAD")
    assert "~ data.a: one -> two\n" in told
    assert "~ spec.source.targetRevision: pinned -> newer\n" in told
    repo.edit("clusters/b/cluster.yaml", "newer", "nowhere")
    assert "b/notes at revision nowhere: git: this repository has no revision" in repo.error()


def test_submodule(made: Make, tmp_path: Path, clean_env: dict[str, str]) -> None:
    (tmp_path / "base").mkdir()
    base = Repository(tmp_path / "base", clean_env, {"kustomization.yaml": "resources: [own.yaml]\n", "own.yaml": PART})
    repo = made(FILES, fleet="fleet")
    repo.git("submodule", "--quiet", "add", f"file://{base.top}", "fleet/services/notes/base")
    repo.edit("services/notes/service.yaml", "own.yaml", "base")
    first = repo.commit()
    (base.top / "own.yaml").write_text(PART.replace("one", "two"))
    base.commit()
    subprocess.run(["git", "pull", "-q"], cwd=repo.root / "services/notes/base", check=True)
    second = repo.commit()
    for words in ([first], [first, second]):
        assert "~ data.a: one -> two\n" in repo.diff(*words)
    subprocess.run(["git", "clone", "-q", f"file://{repo.top}", tmp_path / "bare"], check=True)
    done = run(["diff", first, second], str(tmp_path / "bare/fleet"), clean_env)
    assert done.code == 1 and b"services/notes/base" in done.stderr


def test_large_files(repo: Repository) -> None:
    """Pointers of Git LFS are read as what they stand for, when that is on this machine."""
    import hashlib

    content = PART.replace("one", "large").encode()
    name = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(content)}\n"
    (repo.root / ".gitattributes").write_text("own.yaml filter=lfs diff=lfs merge=lfs -text\n")
    (repo.root / "services/notes/own.yaml").write_text(pointer)
    second = repo.commit()
    missing = repo.run(repo.first, second)
    assert missing.code == 1
    store = repo.top / ".git/lfs/objects" / name[:2] / name[2:4]
    store.mkdir(parents=True)
    (store / name).write_bytes(content)
    assert "~ data.a: one -> large\n" in repo.diff(repo.first, second)


# --- rehearsals ---


VERSIONS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: web}\n"
    "data: {kubernetes: {{ .Capabilities.KubeVersion.Version }}, helm: {{ .Capabilities.HelmVersion.Version }}}\n"
)


@pytest.fixture
def versions(made: Make) -> Repository:
    return made(
        {
            "services/web/service.yaml": "namespace: web\nchart: {path: chart}\n",
            **chart("services/web/chart", **{"templates/values.yaml": VERSIONS}),
            "services/notes/service.yaml": FILES["services/notes/service.yaml"],
            "services/notes/own.yaml": PART,
            "clusters/a/cluster.yaml": 'kubernetes: {version: "1.34"}\nservices: {web: , notes: }\n',
        }
    )


def test_another_kubernetes(versions: Repository) -> None:
    told = versions.diff("--kubernetes", "1.35")
    assert told.startswith("the work tree -> the work tree with Kubernetes 1.35: 1 of 2 services change")
    assert "~ data.kubernetes: v1.34 -> v1.35\n" in told or "~ data.kubernetes: v1.34.0 -> v1.35.0\n" in told
    assert versions.json("HEAD", "--kubernetes", "1.34")["services"]["rendered"] == 0


def test_another_helm(versions: Repository) -> None:
    told = versions.diff("main", "--tools", "helm=3.22.0")
    assert told.startswith("main -> main with helm 3.22.0: 1 of 2 services change")
    assert "~ data.helm: v4.3.1 -> v3.22.0\n" in told


def test_rehearsal_without_git(versions: Repository) -> None:
    import shutil

    shutil.rmtree(versions.top / ".git")
    assert "1 of 2 services change" in versions.diff("--kubernetes", "1.35")
    assert "the fleet is not in git" in versions.error("HEAD", "--kubernetes", "1.35")
