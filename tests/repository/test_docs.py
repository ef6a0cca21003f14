"""Every code block of the documentation runs, or is checked, or says why it cannot be.

`sh` runs as it is. `console` runs what follows `$ ` and compares what is printed with the lines below
it, where `...` alone stands for any lines. `yaml` and `json` must load, specs must be right, and a block
whose first line names a file of the repository (`# services/x/service.yaml`) must be an excerpt of it.
`text` is no code. A comment `<!-- not-run: why -->` above a block says why it is left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from documents import KINDS, Block, blocks, documents
from program import CHECKOUT

from cmp_plugin.goyaml.load import load, load_values
from cmp_plugin.specs.check import check
from cmp_plugin.specs.rules import rules

DOCUMENTS = documents()
ALL = [block for file in DOCUMENTS for block in blocks(file)]
SPEC = re.compile(r"^apiVersion: cmp-plugin/", re.MULTILINE)
NAMED = re.compile(r"# ([\w./-]+\.(?:yaml|yml|json))\n")
END = "\x1e"


def place(block: Block) -> str:
    return block.place


def test_there_are_blocks_of_every_kind() -> None:
    assert {"sh", "console", "yaml"} <= {block.kind for block in ALL if not block.reason}


@pytest.mark.parametrize("block", ALL, ids=place)
def test_kind_is_known(block: Block) -> None:
    assert block.kind in KINDS, "every code block names its kind, see the top of this file"


# --- data ---


@pytest.mark.parametrize("block", [b for b in ALL if b.kind in ("yaml", "json")], ids=place)
def test_data(block: Block) -> None:
    if block.kind == "json":
        json.loads(block.text)
        return
    for part in re.split(r"^---\n", block.text, flags=re.MULTILINE):
        check_named(part, block)
        if SPEC.search(part):
            check_spec(part, block)
        else:
            load_values(part.encode(), block.place)


def check_spec(text: str, block: Block) -> None:
    node = load(text.encode(), block.place)
    kind = node.text("kind")
    assert kind is not None
    wrong = check(node, kind) or rules(node, kind)
    assert not wrong, "\n".join(map(str, wrong))


def check_named(text: str, block: Block) -> None:
    """A text that says which file it is from: its lines stand in that file, in that order."""
    named = NAMED.match(text)
    if not named:
        return
    for directory in (CHECKOUT, os.path.dirname(os.path.join(CHECKOUT, block.file))):
        path = Path(directory, named[1])
        if path.is_file():
            there = iter(path.read_text().splitlines())
            wanted = [line for line in text.splitlines()[1:] if line.strip() not in ("", "# ...")]
            gone = [line for line in wanted if line not in there]
            assert not gone, f"{block.place}: not in {named[1]}, or not in this order: {gone[0]!r}"


# --- commands ---


def runs(block: Block) -> bool:
    return block.kind in ("sh", "console") and not block.reason


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout as its next commit would hold it, with the same .venv."""
    target = tmp_path_factory.mktemp("copy") / "cmp-plugin"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = Path(CHECKOUT, name)
        if source.is_symlink() or source.exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    (target / ".venv").symlink_to(Path(CHECKOUT, ".venv"))
    commit(target)
    return target


def commit(directory: Path) -> None:
    identity = ["-c", "user.name=Docs", "-c", "user.email=docs@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "All"]):
        subprocess.run(["git", *identity, *words], cwd=directory, check=True)


def shell(script: str, cwd: Path, env: dict[str, str]) -> tuple[str, int]:
    """Both outputs of a script, as a person sees them, and its exit code."""
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


@pytest.fixture(scope="module")
def env(clean_env: dict[str, str], kustomize: str, helm4: str) -> dict[str, str]:
    """As a person has it: helm and kustomize can be typed."""
    tools = [os.path.dirname(kustomize), os.path.dirname(helm4)]
    return {**clean_env, "PATH": os.pathsep.join([clean_env["PATH"], *tools])}


@pytest.mark.parametrize("file", [f for f in DOCUMENTS if any(map(runs, blocks(f)))])
def test_commands(file: str, copy: Path, tmp_path: Path, env: dict[str, str]) -> None:
    """All commands of one document, in order, in the document's own copy of the checkout."""
    shutil.copytree(copy, tmp_path / "repo", symlinks=True)
    inside = os.path.dirname(file) if file.startswith("examples/") else ""
    for block in filter(runs, blocks(file)):
        run = run_sh if block.kind == "sh" else run_console
        run(block, tmp_path / "repo" / inside, env)


def run_sh(block: Block, cwd: Path, env: dict[str, str]) -> None:
    printed, code = shell("set -euo pipefail\n" + block.text, cwd, env)
    assert code == 0, f"{block.place}: exit code {code}\n{printed}"


def run_console(block: Block, cwd: Path, env: dict[str, str]) -> None:
    """One shell for the block; END and the exit code after each command part the outputs."""
    commands = sessions(block)
    script = "".join(f"{command}\necho '{END}'$?\n" for command, _ in commands)
    printed, _ = shell(script, cwd, env)
    outputs = re.findall(rf"(.*?){END}(\d+)\n", printed, re.DOTALL)
    assert len(outputs) == len(commands), f"{block.place}: the shell stopped\n{printed}"
    for (command, wanted), (seen, code) in zip(commands, outputs, strict=True):
        assert wanted or code == "0", f"{block.place}: $ {command}: exit code {code}\n{seen}"
        assert not wanted or matches(wanted, seen), f"{block.place}: $ {command} printed\n{seen}"


def sessions(block: Block) -> list[tuple[str, list[str]]]:
    """Commands (a `> ` line continues one) with the lines expected after each."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line[2:], [])
        else:
            assert found, f"{block.place}: a console block starts with a command after `$ `"
            found[-1][1].append(line)
    return found


def matches(wanted: list[str], seen: str) -> bool:
    """Line by line, blanks at a line's end aside; `...` stands for any lines, also none."""
    pattern = "".join("(?:.*\n)?" if line == "..." else re.escape(line.rstrip() + "\n") for line in wanted)
    printed = "".join(line.rstrip() + "\n" for line in seen.rstrip("\n").split("\n"))
    return bool(re.fullmatch(pattern, printed, re.DOTALL))


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        (["a"], "a\n", True),
        (["a"], "b\n", False),
        (["a", "..."], "a\nb\nc\n", True),
        (["a", "..."], "a\n", True),
        (["a", "..."], "ab\n", False),
        (["...", "c"], "a\nb\nc\n", True),
        (["...", "c"], "a\nbc\n", False),
        (["a", "...", "c"], "a\nb\nc\n", True),
        (["a", "...", "c"], "a\nb\n", False),
        (["a.c"], "abc\n", False),
    ],
)
def test_matches(wanted: list[str], seen: str, same: bool) -> None:
    assert matches(wanted, seen) is same
