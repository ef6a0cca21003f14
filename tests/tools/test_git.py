"""Git, read only: commits, changes, files of another commit; a hostile repository runs nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cmp_plugin.errors import ToolError
from cmp_plugin.system.process import Deadline
from cmp_plugin.tools import git

SOON = Deadline(3600)
AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false"]


class Work:
    """A repository with the fleet in `fleet/` and two commits."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fleet = root / "fleet"
        self.run("init", "-q", "-b", "main", ".")
        self.write("fleet/a.yaml", "one\n")
        self.write("fleet/dir/b.yaml", "b\n")
        self.write("outside.yaml", "x\n")
        os.symlink("a.yaml", self.fleet / "link")
        self.first = self.commit()
        self.write("fleet/a.yaml", "two\n")
        self.second = self.commit()

    def run(self, *arguments: str) -> str:
        env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent"}
        argv = ["git", *AUTHOR, *arguments]
        done = subprocess.run(argv, cwd=self.root, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def commit(self) -> str:
        self.run("add", "-A")
        self.run("commit", "-q", "-m", "x")
        return self.run("rev-parse", "HEAD")

    @property
    def found(self) -> git.Repository:
        repo = git.repository(str(self.fleet), SOON)
        assert repo
        return repo


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "repository").mkdir()
    return Work(tmp_path / "repository")


def contents(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_commits(work: Work) -> None:
    assert work.found.prefix == "fleet/"
    assert git.commit(work.found, "HEAD", SOON) == work.second
    assert git.commit(work.found, "HEAD~1", SOON) == work.first
    assert git.commit(work.found, work.first[:8], SOON) == work.first
    work.run("tag", "-a", "-m", "t", "v1", work.first)
    assert git.commit(work.found, "v1", SOON) == work.first


@pytest.mark.parametrize("revision", ["nope", "--help", "-h", "", "HEAD:fleet/a.yaml", "a\nb", "@{99}"])
def test_no_such_revision(work: Work, revision: str) -> None:
    with pytest.raises(ToolError) as caught:
        git.commit(work.found, revision, SOON)
    assert caught.value.message == f'git: this repository has no revision "{revision}"'


def test_without_a_repository_or_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git.repository(str(tmp_path), SOON) is None
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert git.repository(str(tmp_path), SOON) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.repository(str(tmp_path), SOON) is None
    with pytest.raises(ToolError, match="^git is not on PATH$"):
        git.find()


def test_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMP_PLUGIN_CACHE_DIR", str(tmp_path))
    said = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    assert git.find().version in said


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    repo = git.repository(str(tmp_path), SOON)
    assert repo
    with pytest.raises(ToolError, match="has no revision"):
        git.commit(repo, "HEAD", SOON)


def test_changes_are_those_of_the_directory(work: Work) -> None:
    assert not git.is_dirty(work.found, SOON)
    work.write("outside.yaml", "changed\n")
    assert not git.is_dirty(work.found, SOON)
    work.write("fleet/new.yaml", "new\n")
    assert git.is_dirty(work.found, SOON)
    work.write("fleet/.gitignore", "*.yaml\n.gitignore\n")
    assert not git.is_dirty(work.found, SOON)
    work.write("fleet/a.yaml", "changed\n")
    assert git.is_dirty(work.found, SOON)


def test_files_of_a_commit(work: Work) -> None:
    assert git.read_file(work.found, work.first, "a.yaml", SOON) == b"one\n"
    assert git.read_file(work.found, work.second, "a.yaml", SOON) == b"two\n"
    for path in ("nope.yaml", "../outside.yaml", "dir"):
        with pytest.raises(ToolError, match=f"^git: commit {work.first[:12]} has no file"):
            git.read_file(work.found, work.first, path, SOON)


@pytest.mark.parametrize("where", ["fleet", ""])
def test_extracting_a_commit(work: Work, tmp_path: Path, where: str) -> None:
    repo = git.repository(str(work.root / where), SOON)
    assert repo
    index = (work.root / ".git/index").read_bytes()
    git.extract(repo, work.first, str(tmp_path / "out"), str(tmp_path), SOON)
    expected = {"a.yaml": "one\n", "dir/b.yaml": "b\n", "link": "-> a.yaml"}
    if not where:
        expected = {f"fleet/{name}": text for name, text in expected.items()} | {"outside.yaml": "x\n"}
    assert contents(tmp_path / "out") == expected
    assert (work.root / ".git/index").read_bytes() == index
    assert (work.fleet / "a.yaml").read_text() == "two\n"


def test_extracting_some_directories(work: Work, tmp_path: Path) -> None:
    work.write("fleet/dir/deep/c.yaml", "c\n")
    work.write("fleet/other/d.yaml", "d\n")
    third = work.commit()
    git.extract(work.found, third, str(tmp_path / "out"), str(tmp_path), SOON, ["dir", "nowhere"])
    assert contents(tmp_path / "out") == {"dir/b.yaml": "b\n", "dir/deep/c.yaml": "c\n"}
    git.extract(work.found, third, str(tmp_path / "all"), str(tmp_path), SOON, ["dir", "link"])
    assert set(contents(tmp_path / "all")) == {"a.yaml", "dir/b.yaml", "dir/deep/c.yaml", "link", "other/d.yaml"}


def test_extracting_what_is_not_there(work: Work, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="^git: "):
        git.extract(work.found, "0" * 40, str(tmp_path / "out"), str(tmp_path), SOON)


def hostile(work: Work, trace: Path) -> None:
    """Everything in a repository's own files that can name a program."""
    program = f"touch {trace}/$0; cat"
    evil = work.root / ".git/evil"
    evil.mkdir()
    for hook in ("post-index-change", "pre-auto-gc", "post-checkout", "fsmonitor-watchman"):
        (evil / hook).write_text(f"#!/bin/sh\ntouch {trace}/{hook}\n")
        (evil / hook).chmod(0o755)
    work.write("fleet/.gitattributes", "* filter=evil diff=evil text eol=crlf\n")
    for name, value in {
        "core.fsmonitor": str(evil / "fsmonitor-watchman"),
        "core.hooksPath": str(evil),
        "core.pager": f"touch {trace}/pager",
        "core.sshCommand": f"touch {trace}/ssh",
        "filter.evil.clean": f"touch {trace}/clean; cat",
        "filter.evil.smudge": f"touch {trace}/smudge; cat",
        "filter.evil.required": "true",
        "diff.evil.textconv": f"touch {trace}/textconv; cat",
        "diff.external": f"touch {trace}/diff",
        "alias.status": f"!touch {trace}/alias",
        "alias.read-tree": f"!touch {trace}/alias",
        "tar.tar.command": program,
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c 'touch {trace}/remote'",
        "protocol.ext.allow": "always",
    }.items():
        work.run("config", name, value)


def test_a_hostile_repository_runs_nothing(work: Work, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.mkdir()
    work.write("fleet/.gitattributes", "* filter=evil diff=evil\n")
    third = work.commit()
    hostile(work, trace)
    # As long as before: what has another size counts as changed without a look at the content, and no filter runs.
    work.write("fleet/a.yaml", "six\n")
    work.run("status", "--porcelain")
    assert {path.name for path in trace.iterdir()} >= {
        "fsmonitor-watchman",
        "clean",
    }  # they do work
    for path in trace.iterdir():
        path.unlink()
    repo = work.found
    assert git.commit(repo, "HEAD", SOON) == third
    assert git.is_dirty(repo, SOON)
    assert git.read_file(repo, third, "a.yaml", SOON) == b"two\n"
    git.extract(repo, third, str(tmp_path / "out"), str(tmp_path), SOON)
    with pytest.raises(ToolError):
        git.commit(repo, "1" * 40, SOON)  # would be fetched
    with pytest.raises(ToolError):
        git.extract(repo, "1" * 40, str(tmp_path / "out2"), str(tmp_path), SOON)
    assert list(trace.iterdir()) == []


def test_a_users_own_settings_have_no_say(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[core]\n\tbare = true\n[status]\n\tshowUntrackedFiles = no\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    work.write("fleet/new.yaml", "new\n")
    assert git.is_dirty(work.found, SOON)


def test_a_link_in_a_commit_leads_nowhere_while_it_is_written(work: Work, tmp_path: Path) -> None:
    """A commit that holds `d -> elsewhere` and, in another commit, `d/file`."""
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", work.fleet / "d")
    linked = work.commit()
    git.extract(work.found, linked, str(tmp_path / "out"), str(tmp_path), SOON)
    assert os.path.islink(tmp_path / "out" / "d")
    assert list((tmp_path / "elsewhere").iterdir()) == []
