"""The hooks of .pre-commit-hooks.yaml, run by the real pre-commit in a repository that holds a fleet.

pre-commit installs a hook of `language: python` from the network; here the installed program is used (`system`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from fleets import chart, write
from program import BIN, CHECKOUT

PRE_COMMIT = os.path.join(BIN, "pre-commit")
HOOKS = ".pre-commit-hooks.yaml"
CONFIG = """\
repos:
  - repo: {repo}
    rev: {rev}
    hooks:
      - {{id: cmp-plugin-validate, language: system, additional_dependencies: [], args: [-C, {directory}, --strict]}}
      - {{id: cmp-plugin-lock, language: system, additional_dependencies: [], args: [-C, {directory}]}}
"""
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {list: {{ .Values.list | first }}}\n"
FILES = {
    "services/web/service.yaml": "namespace: web\nchart: {path: chart}\n",
    "clusters/one/cluster.yaml": 'kubernetes: {version: "1.34"}\nservices: {web: }\n',
    **chart("services/web/chart", **{"templates/values.yaml": TEMPLATE}),
}


class Repository:
    """A git repository at `root` and the environment of what runs there."""

    def __init__(self, root: Path, env: dict[str, str]) -> None:
        self.root, self.env = root, env
        root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Somebody")
        self.git("config", "user.email", "somebody@example.com")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "All")
        return self.git("rev-parse", "HEAD")

    def pre_commit(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PRE_COMMIT, *words], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def env(clean_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**clean_env, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "PRE_COMMIT_COLOR": "never"}


@pytest.fixture
def hooks(tmp_path: Path, env: dict[str, str]) -> Repository:
    """A repository with the hooks as they are in this checkout, committed or not."""
    made = Repository(tmp_path / "hooks", env)
    shutil.copy(Path(CHECKOUT, HOOKS), made.root)
    made.commit()
    return made


def test_the_manifest_is_one(env: dict[str, str]) -> None:
    done = subprocess.run(
        [PRE_COMMIT, "validate-manifest", HOOKS], cwd=CHECKOUT, env=env, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_hooks_install_what_their_commands_need() -> None:
    """`language: python` installs the core; `validate` imports packages of the extra."""
    hooks = yaml.safe_load(Path(CHECKOUT, HOOKS).read_text())
    assert {hook["id"]: hook["additional_dependencies"] for hook in hooks} == {
        "cmp-plugin-validate": [".[cli]"],
        "cmp-plugin-lock": [".[cli]"],
    }


@pytest.mark.parametrize("directory", [".", "deploy"])
def test_a_commit_to_a_fleet(directory: str, hooks: Repository, tmp_path: Path, env: dict[str, str]) -> None:
    fleet = Repository(tmp_path / "fleet", env)
    (fleet.root / directory).mkdir(exist_ok=True)
    write(fleet.root / directory, FILES)
    config = CONFIG.format(repo=hooks.root, rev=hooks.git("rev-parse", "HEAD"), directory=directory)
    (fleet.root / ".pre-commit-config.yaml").write_text(config)
    fleet.commit()
    assert passed(fleet.pre_commit("run", "--all-files")) == {"validate": "Passed", "lock --check": "Passed"}

    spec = fleet.root / directory / "clusters/one/cluster.yaml"
    spec.write_text(spec.read_text().replace("{web: }", "{web: {values: {lits: [a]}}}"))
    fleet.git("add", "-A")
    done = fleet.pre_commit("run")
    assert done.returncode == 1
    assert passed(done) == {"validate": "Failed", "lock --check": "Passed"}
    assert "clusters/one/cluster.yaml:4:27: warning: chart small knows no value lits" in done.stdout, done.stdout

    fleet.git("checkout", "-q", "HEAD", "--", ".")
    (fleet.root / "README.md").write_text("Not the fleet's\n")
    fleet.git("add", "-A")
    assert passed(fleet.pre_commit("run")) == {"validate": "Skipped", "lock --check": "Skipped"}


def passed(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Hook -> how it ended."""
    lines = [line for line in done.stdout.splitlines() if line.startswith("cmp-plugin ") and "..." in line]
    return {
        line.partition("..")[0].removeprefix("cmp-plugin ").strip(): line.rsplit(".", 1)[1].removeprefix(
            "(no files to check)"
        )
        for line in lines
    }
