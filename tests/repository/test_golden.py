"""Every golden case: see tests/golden/README.md."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import pytest
from program import CHECKOUT, Outcome, run

GOLDEN = Path(CHECKOUT, "tests", "golden")
EXAMPLES = Path(CHECKOUT, "examples")
FLEET = ("fleet.yaml", "profiles", "services", "clusters")


def cases() -> list[Path]:
    """The directories that hold a `command`, below tests/golden and the examples."""
    found = [*GOLDEN.glob("*/*/command"), *EXAMPLES.glob("*/golden/*/command")]
    return sorted(path.parent for path in found)


def name(case: Path) -> str:
    return str(case.relative_to(CHECKOUT)).replace("tests/golden/", "").replace("/golden/", "/")


def lay_out(case: Path, fleet: Path) -> None:
    """Copy the case's input to `fleet`, low layer first."""
    fleet.mkdir()
    if EXAMPLES in case.parents:
        example = case.parent.parent
        shutil.copytree(example, fleet, symlinks=True, dirs_exist_ok=True, ignore=without_golden(example))
        return
    if case.parent.name == "reference":
        for part in FLEET:
            copy(Path(CHECKOUT, part), fleet / part)
    for layer in (case.parent / "input", case / "input"):
        if layer.is_dir():
            shutil.copytree(layer, fleet, symlinks=True, dirs_exist_ok=True)


def without_golden(example: Path):
    return lambda directory, names: {"golden"} if Path(directory) == example else set()


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)


def read_command(case: Path) -> tuple[dict[str, str], list[str]]:
    """The variables before the arguments, and the arguments."""
    words = shlex.split((case / "command").read_text())
    variables = {}
    while words and "=" in words[0] and not words[0].startswith("-"):
        key, _, value = words.pop(0).partition("=")
        variables[key] = value
    return variables, words


def run_case(case: Path, fleet: Path, env: dict[str, str]) -> Outcome:
    lay_out(case, fleet)
    variables, words = read_command(case)
    where = fleet / variables.pop("PWD", ".")
    return run(words, str(where), {**env, **variables})


def expected(case: Path) -> Outcome:
    stdout, error, code = case / "stdout", case / "error", case / "exit"
    fails = error.exists() and not stdout.exists()
    return Outcome(
        stdout.read_bytes() if stdout.exists() else b"",
        error.read_bytes() if error.exists() else b"",
        int(code.read_text()) if code.exists() else int(fails),
    )


def write(case: Path, seen: Outcome) -> None:
    """Make `seen` what is expected, unless that turns success and failure round."""
    known = (case / "stdout").exists() or (case / "error").exists()
    assert not known or seen.code == expected(case).code, (
        f"exit code {seen.code} instead of {expected(case).code}\n{seen.stderr.decode()}"
    )
    for file, text in (("stdout", seen.stdout), ("error", seen.stderr)):
        if text:
            (case / file).write_bytes(text)
        else:
            (case / file).unlink(missing_ok=True)
    if not (case / "exit").exists() and seen.code != expected(case).code:
        (case / "exit").write_text(f"{seen.code}\n")


@pytest.mark.parametrize("case", cases(), ids=name)
def test_golden(case: Path, tmp_path: Path, clean_env: dict[str, str], request: pytest.FixtureRequest) -> None:
    seen = run_case(case, tmp_path / "fleet", clean_env)
    if request.config.getoption("--regenerate"):
        write(case, seen)
    wanted = expected(case)
    assert seen.stderr.decode() == wanted.stderr.decode()
    assert seen.stdout.decode() == wanted.stdout.decode()
    assert seen.code == wanted.code


def test_every_case_says_what_it_expects() -> None:
    """A directory with an input and no command, or a command without a result, tests nothing."""
    assert len(cases()) > 40
    inputs = {path.parent for path in GOLDEN.glob("*/*/input")}
    assert not inputs - set(cases()), "input without command"
    silent = [c for c in cases() if not (c / "stdout").exists() and not (c / "error").exists()]
    assert not silent, "neither stdout nor error: run make golden"
    assert all(os.path.getsize(file) for case in cases() for file in case.glob("*") if file.is_file())
