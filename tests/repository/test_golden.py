"""Every golden case: see tests/golden/README.md."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import golden
import pytest
from program import CHECKOUT, Outcome, run, run_from_start

GOLDEN = Path(CHECKOUT, "tests", "golden")
EXAMPLES = Path(CHECKOUT, "examples")
FLEET = ("fleet.yaml", "profiles", "services", "clusters")
SHARED = "_fleet.txt"
FILES = [path for path in (*GOLDEN.glob("*/**/*"), *EXAMPLES.glob("*/golden/**/*")) if path.is_file()]
CASES = {path: golden.read(path) for path in sorted(FILES) if path.name != SHARED}


def of_each_kind() -> set[Path]:
    """One case for each command with each exit code and each stream that it writes to."""
    kinds = {}
    for path, case in CASES.items():
        if case.expected:
            command = next((word for word in case.arguments if word.isalpha()), "")
            kinds[command, case.expected.code, bool(case.expected.stdout), bool(case.expected.stderr)] = path
    return set(kinds.values())


FROM_START = of_each_kind()


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT).with_suffix("")).replace("tests/golden/", "").replace("/golden/", "/")


def lay_out(path: Path, fleet: Path) -> None:
    """The case's input at `fleet`: what it shares with others, then its own."""
    if EXAMPLES in path.parents:
        example = path.parent.parent
        shutil.copytree(example, fleet, symlinks=True, ignore=without_golden(example))
        return
    fleet.mkdir()
    if path.parent.name == "reference":
        for part in FLEET:
            copy(Path(CHECKOUT, part), fleet / part)
    if (path.parent / SHARED).exists():
        golden.read(path.parent / SHARED).lay_out(fleet)
    CASES[path].lay_out(fleet)


def without_golden(example: Path) -> Callable[[str, list[str]], set[str]]:
    return lambda directory, names: {"golden"} if Path(directory) == example else set()


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)


@pytest.mark.parametrize("path", CASES, ids=name)
def test_golden(path: Path, tmp_path: Path, clean_env: dict[str, str], request: pytest.FixtureRequest) -> None:
    case = CASES[path]
    lay_out(path, tmp_path / "fleet")
    variables = {"PWD": ".", **case.variables}
    where = tmp_path / "fleet" / variables.pop("PWD")
    start = run_from_start if path in FROM_START else run
    seen = start(case.arguments, str(where), {**clean_env, **variables})
    if request.config.getoption("--regenerate"):
        golden.write(path, seen)
        return
    assert case.expected, "no result: run make golden"
    assert seen.stderr.decode() == case.expected.stderr.decode()
    assert seen.stdout.decode() == case.expected.stdout.decode()
    assert seen.code == case.expected.code


def test_every_case_says_what_it_runs_and_sees_something() -> None:
    assert len(CASES) > 40
    for path, case in CASES.items():
        assert case.arguments, f"{path} has no line with $ cmp-plugin"
        assert case.expected, f"{path} has no result: run make golden"
        assert case.expected.stdout or case.expected.stderr, f"{path} expects no output"


class TestFormat:
    """What a case's file can say, and that it is written as it is read."""

    def test_every_section(self, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_bytes(
            b"Why it is so.\n$ PWD=clusters/dev NAME='a b' cmp-plugin preview 'two words' -o json\n"
            b"-- a/b.yaml --\nfield: 1\n\n-- empty --\n-- link -> ../outside --\n"
            b"-- bytes (escaped) --\ncaf\\xe9\\n\n\\\\no end\n"
            b"== stdout ==\n== exit 0 ==\n"
        )
        case = golden.read(file)
        assert case.variables == {"PWD": "clusters/dev", "NAME": "a b"}
        assert case.arguments == ["preview", "two words", "-o", "json"]
        assert case.files == {"a/b.yaml": b"field: 1\n\n", "empty": b"", "bytes": b"caf\xe9\n\\no end"}
        assert case.links == {"link": "../outside"}
        assert case.expected == (b"", b"", 0)
        case.lay_out(tmp_path)
        assert (tmp_path / "a" / "b.yaml").read_text() == "field: 1\n\n"
        assert (tmp_path / "link").readlink() == Path("../outside")

    @pytest.mark.parametrize(
        "stdout",
        [
            b"text\n",
            b"no end",
            b"caf\xe9\n",
            b"\\n\ttab\r\n",
            b"a\n== exit 0 ==\nb\n",
            "\u2028é\n".encode(),
            b"\n\n",
            b"",
        ],
        ids=repr,
    )
    def test_what_is_written_is_what_is_read(self, stdout: bytes, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_text("$ cmp-plugin validate\n-- fleet.yaml --\n")
        seen = Outcome(stdout, b"a word\n", 2)
        golden.write(file, seen)
        assert golden.read(file).expected == seen
        assert golden.read(file).files == {"fleet.yaml": b""}
        before = file.read_bytes()
        golden.write(file, seen)
        assert file.read_bytes() == before

    def test_another_exit_code_is_not_written(self, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_text("$ cmp-plugin validate\n== exit 1 ==\n")
        with pytest.raises(AssertionError, match="exit code 0"):
            golden.write(file, Outcome(b"fine\n", b"", 0))
        assert file.read_text() == "$ cmp-plugin validate\n== exit 1 ==\n"

    @pytest.mark.parametrize("line", ["== result ==", "-- a (what) --"])
    def test_a_section_that_is_not_known(self, line: str, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_text(f"$ cmp-plugin validate\n{line}\n")
        with pytest.raises(ValueError, match=line.split()[1]):
            golden.read(file)
