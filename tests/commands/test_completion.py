"""Completion as people get it: real shells on a terminal, a fleet, the installed program."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest
from program import needed, run

from cmp_plugin.commands.parser import COMMANDS

SHELLS = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
START = {
    "bash": "source <(cmp-plugin completion bash)",
    "zsh": "bindkey -e; autoload -Uz compinit; compinit -u -D; source <(cmp-plugin completion zsh)",
    "fish": "cmp-plugin completion fish | source",
}
FILES = {
    "fleet.yaml": "kind: Fleet\nrepoURL: https://git.example.com/fleet.git\n",
    "services/istio/service.yaml": "kind: Service\nnamespace: mesh\nvalues: {pilot: {replicas: 2, 'a.b': 1}}\n",
    "profiles/prod.yaml": "kind: Profile\nlabels: {env: prod}\n",
    "services/prometheus/service.yaml": "kind: Service\n",
    "clusters/gke.dev/cluster.yaml": "kind: Cluster\nservices: {istio: , istio-b: {service: istio}}\n",
    "clusters/gke.prod/cluster.yaml": "kind: Cluster\nlabels: {region: eu}\nprofiles: [prod]\nservices: {prometheus: }\n",
    "clusters/wrong/cluster.yaml": "kind: Cluster\nsurprise: true\n",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("completion")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("apiVersion: cmp-plugin/v1alpha1\n" + text)
    return root


def typed(shell: str, words: str, cwd: Path, env: dict[str, str]) -> str:
    """What stands on the command line after somebody typed `words` and pressed Tab.

    Ctrl-A and `echo` then make the shell itself print the line.
    """
    if shell != "bash":  # which Debian always has
        needed(shell)
    terminal = {**env, "TERM": "xterm", "PS1": "", "fish_greeting": ""}
    child = pexpect.spawn(shell, SHELLS[shell], cwd=str(cwd), env=terminal, encoding="utf-8", timeout=60)
    child.setwinsize(24, 200)
    try:
        child.sendline(START[shell] + "; echo set''up")
        child.expect("setup")
        child.send(f"{words}\t")
        child.send("\x01echo It''is: \x05 :end\r")
        child.expect(r"Itis: (.*?) +:end")
        completed: str = child.match[1]
        return completed
    finally:
        child.close(force=True)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("cmp-plugin prev", "cmp-plugin preview"),
        ("cmp-plugin preview gke.d", "cmp-plugin preview gke.dev"),
        ("cmp-plugin preview gke.prod ", "cmp-plugin preview gke.prod prometheus"),
        ("cmp-plugin preview gke.dev istio-", "cmp-plugin preview gke.dev istio-b"),
        ("cmp-plugin preview gke.dev --keep", "cmp-plugin preview gke.dev --keep-going"),
        ("cmp-plugin completion f", "cmp-plugin completion fish"),
        ("cmp-plugin preview nosuch", "cmp-plugin preview nosuch"),
        ("cmp-plugin list --cluster gke.p", "cmp-plugin list --cluster gke.prod"),
        ("cmp-plugin list -l region=", "cmp-plugin list -l region=eu"),
        ("cmp-plugin list --service prom", "cmp-plugin list --service prometheus"),
        ("cmp-plugin list -o h", "cmp-plugin list -o html"),
        (
            "cmp-plugin explain gke.dev istio-b values.pilot.r",
            "cmp-plugin explain gke.dev istio-b values.pilot.replicas",
        ),
    ],
)
def test_tab(shell: str, words: str, completed: str, fleet: Path, clean_env: dict[str, str]) -> None:
    assert typed(shell, words, fleet, clean_env) == completed


def offered(line: str, cwd: Path, env: dict[str, str], tmp_path: Path) -> list[str]:
    """All words the program offers for a line, asked as the shells' scripts ask."""
    answers = tmp_path / "answers"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "fish",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    done = run([], str(cwd), {**env, **asked})
    assert (done.stdout, done.stderr) == (b"", b"")
    return [answer.split("\t")[0].strip() for answer in answers.read_text().splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cmp-plugin preview ", ["gke.dev", "gke.prod", "wrong"]),
        ("cmp-plugin preview gke.dev ", ["istio", "istio-b"]),
        ("cmp-plugin preview clusters/gke.dev/ ", ["istio", "istio-b"]),
        ("cmp-plugin expand gke.prod ", ["prometheus"]),
        ("cmp-plugin preview wrong ", ["istio", "prometheus"]),
        ("cmp-plugin preview absent ", ["istio", "prometheus"]),
        ("cmp-plugin completion ", ["bash", "zsh", "fish"]),
        ("cmp-plugin list --cluster ", ["gke.dev", "gke.prod", "wrong"]),
        ("cmp-plugin list --cluster gke.prod --service ", ["istio", "prometheus"]),
        ("cmp-plugin list -l ", ["env=prod", "region=eu"]),
        ("cmp-plugin list -l region=eu,e", ["region=eu,env=prod"]),
        ("cmp-plugin list -o ", ["table", "json", "html"]),
        ("cmp-plugin explain gke.dev istio ", ["namespace", "values.pilot.replicas", 'values.pilot."a.b"']),
        ("cmp-plugin explain gke.dev absent ", []),
        ("cmp-plugin new service web --cluster gke.", ["gke.dev", "gke.prod"]),
        ("cmp-plugin new service web --profile ", ["prod"]),
        ("cmp-plugin new cluster web --from gke.", ["gke.dev", "gke.prod"]),
        ("cmp-plugin new cluster ", []),
        ("cmp-plugin preview --jobs ", []),
        ("cmp-plugin diff --cluster gke.dev --service ", ["istio", "prometheus"]),
        ("cmp-plugin diff --tools ", []),
    ],
)
def test_offers(line: str, words: list[str], fleet: Path, clean_env: dict[str, str], tmp_path: Path) -> None:
    assert offered(line, fleet, clean_env, tmp_path) == words


def test_every_verb_knows_clusters_and_services(fleet: Path, clean_env: dict[str, str], tmp_path: Path) -> None:
    """Whatever verb comes, its word for a cluster or a service is completed."""
    asked = 0
    for name, command in COMMANDS.items():
        words = argparse.ArgumentParser()
        module = command.load()
        if hasattr(module, "arguments"):
            module.arguments(words)
        for action in words._actions:
            if action.dest == "cluster":
                option = f"{action.option_strings[-1]} " if action.option_strings else ""
                assert "gke.dev" in offered(f"cmp-plugin {name} {option}", fleet, clean_env, tmp_path)
                asked += 1
            if action.dest == "service":
                before = f"{action.option_strings[-1]} " if action.option_strings else "gke.dev "
                assert "istio" in offered(f"cmp-plugin {name} {before}", fleet, clean_env, tmp_path)
                asked += 1
    assert asked >= 10


def test_revisions(fleet: Path, clean_env: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(fleet, tmp_path / "fleet")
    person = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*person, "commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=tmp_path / "fleet", check=True)
    assert offered("cmp-plugin diff ", tmp_path / "fleet", clean_env, tmp_path) == ["main", "v1"]
    assert offered("cmp-plugin diff main v", tmp_path / "fleet", clean_env, tmp_path) == ["v1"]
    assert offered("cmp-plugin diff ", fleet, clean_env, tmp_path) == []


def test_another_directory(fleet: Path, clean_env: dict[str, str], tmp_path: Path) -> None:
    line = f"cmp-plugin -C {fleet} preview gke."
    assert offered(line, tmp_path, clean_env, tmp_path) == ["gke.dev", "gke.prod"]


def test_outside_a_fleet(clean_env: dict[str, str], tmp_path: Path) -> None:
    assert offered("cmp-plugin preview ", tmp_path, clean_env, tmp_path) == []
