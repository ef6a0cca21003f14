"""Every golden case: see tests/golden/README.md."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import golden
import pytest
from program import CHECKOUT, Outcome, run, run_from_start

GOLDEN = Path(CHECKOUT, "tests", "golden")
EXAMPLES = Path(CHECKOUT, "examples")
FLEET = ("fleet.yaml", "profiles", "services", "clusters")
FILES = [path for path in (*GOLDEN.glob("*/**/*"), *EXAMPLES.glob("*/golden/**/*")) if path.is_file()]
CASES = sorted(path for path in FILES if path.name != golden.SHARED)


def of_each_kind() -> set[Path]:
    """One case for each command with each exit code and each stream that it writes to."""
    kinds = {}
    for path in CASES:
        try:
            case = golden.read(path)
        except ValueError:
            continue  # The case's own test says so: it is no reason to run none of the others.
        if case.expected:
            command = next((word for word in case.arguments if word.isalpha()), "")
            kinds[command, case.expected.code, bool(case.expected.stdout), bool(case.expected.stderr)] = path
    return set(kinds.values())


FROM_START = of_each_kind()


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT).with_suffix("")).replace("tests/golden/", "").replace("/golden/", "/")


def read(path: Path) -> golden.Case:
    """The case or shared file; what is not in the format fails the test that asks, in one line."""
    try:
        return golden.read(path)
    except ValueError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


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
    if (path.parent / golden.SHARED).exists():
        read(path.parent / golden.SHARED).lay_out(fleet)
    read(path).lay_out(fleet)


def without_golden(example: Path) -> Callable[[str, list[str]], set[str]]:
    return lambda directory, names: {"golden"} if Path(directory) == example else set()


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)


@pytest.mark.parametrize("path", CASES, ids=name)
def test_golden(path: Path, tmp_path: Path, clean_env: dict[str, str], request: pytest.FixtureRequest) -> None:
    case = read(path)
    lay_out(path, tmp_path / "fleet")
    variables = {"PWD": ".", **case.variables}
    where = tmp_path / "fleet" / variables.pop("PWD")
    start = run_from_start if path in FROM_START else run
    seen = start(case.arguments, str(where), {**clean_env, **variables})
    if request.config.getoption("--regenerate"):
        golden.write(path, seen)
    expected = read(path).expected
    assert expected, "no result: run make golden"
    assert expected.stdout or expected.stderr, "expects no output"
    assert seen.stderr.decode() == expected.stderr.decode()
    assert seen.stdout.decode() == expected.stdout.decode()
    assert seen.code == expected.code


def test_there_are_cases() -> None:
    assert len(CASES) > 40


NO_SECTION = "neither a section nor content: content that begins so is (escaped)"
NO_COMMAND = "not of the form $ NAME=value cmp-plugin arguments"
ORDER = "not in order: files, then stdout and stderr, and exit at the end"
ESCAPES = r"(there is \xff, \n, \r, \t, \\)"
RUN = b"$ cmp-plugin validate\n"
REFUSED = [
    (b"", 1, "no newline at the end of the file"),
    (RUN + b"-- a --\nb", 3, "no newline at the end of the file"),
    (RUN + b"-- a --\ncaf\xe9\n", 3, "not UTF-8: only a section that is (escaped) can say such bytes"),
    (b"Why.\n-- a --\n$ cmp-plugin validate\n", 1, "no line with $ cmp-plugin ..."),
    (b"Why.\n" + RUN + RUN, 3, "a $ line too many: one case, one command"),
    (b"Why.\n$ cmp-plugni validate\n", 2, NO_COMMAND),
    (b"$ cmp-plugin\n", 1, NO_COMMAND),
    (b"$ sudo cmp-plugin validate\n", 1, NO_COMMAND),
    (b"$cmp-plugin cmp-plugin validate\n", 1, NO_COMMAND),
    (b"\n$ cmp-plugin 'validate\n", 2, "not quoted as for a shell: No closing quotation"),
    (RUN + b"-- clusters/dev/cluster.yaml\n", 2, NO_SECTION),
    (RUN + b"-- a ==\n", 2, NO_SECTION),
    (RUN + b"-- a --\r\n", 2, NO_SECTION),
    (RUN + b"-- a --\ntext\n-- text\n", 4, NO_SECTION),
    (RUN + b"== stdout ==\n== text\n", 3, NO_SECTION),
    (RUN + b"-- a --\n-- b --\n-- a --\n", 4, "-- a -- a second time"),
    (RUN + b"-- a --\n-- a -> b --\n", 3, "-- a -- a second time"),
    (RUN + b"-- a -> b --\n-- a --\n", 3, "-- a -- a second time"),
    (RUN + b"== stdout ==\n== stdout ==\n", 3, "== stdout == a second time"),
    (RUN + b"== stdout ==\n-- a --\n", 3, ORDER),
    (RUN + b"== exit 0 ==\n== stdout ==\n", 3, ORDER),
    (RUN + b"== exit 0 ==\n== exit 0 ==\n", 3, ORDER),
    (RUN + b"== exit 0 ==\n\n", 2, "text after the exit code"),
    (RUN + b"== exit zero ==\n", 2, 'exit "zero" is not a number'),
    (RUN + b"== exit ==\n", 2, 'exit "" is not a number'),
    (RUN + b"-- a --\nb\n== stdot ==\n", 4, 'no section "stdot" (there is stdout, stderr, exit)'),
    (RUN + b"== stdout -> a ==\n", 2, '"-> a" after "stdout" (there is (escaped))'),
    (RUN + b"-- a (what) --\n", 2, '"(what)" after "a" (there is (escaped), -> target)'),
    (RUN + b"-- a -> b --\ntext\n", 2, "a link with content"),
    (RUN + b"-- a (escaped) --\nb\n" + rb"c\xff\q" + b"\n", 4, rf'no escape "\q" {ESCAPES}'),
    (RUN + b"== stdout (escaped) ==\n" + rb"\u20ac" + b"\n", 3, rf'no escape "\u" {ESCAPES}'),
    (RUN + b"-- a (escaped) --\n" + rb"\x4" + b"\n", 3, rf'no escape "\x" {ESCAPES}'),
    (RUN + b"-- a (escaped) --\n\\\nn\n", 3, f'no escape "\\" {ESCAPES}'),
    *(
        (RUN + f"-- {path} --\n".encode(), 2, f'"{path}" is not a path inside of the fleet, in its shortest form')
        for path in ("/etc/a", "//a", "..", "../../x", "a/../../x", "a/../b", "./a", "a//b", "a/", ".")
    ),
    (b"$ PWD=../x cmp-plugin validate\n", 1, '"../x" is not a path inside of the fleet, in its shortest form'),
    (RUN + b"-- ../x -> y --\n", 2, '"../x" is not a path inside of the fleet, in its shortest form'),
]


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
            b"== \n-- a\n\n-- a --\n",
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

    @pytest.mark.parametrize(("text", "line", "why"), REFUSED, ids=[f"{row[2]}-{n}" for n, row in enumerate(REFUSED)])
    def test_what_is_refused(self, text: bytes, line: int, why: str, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_bytes(text)
        with pytest.raises(ValueError) as refusal:
            golden.read(file)
        assert str(refusal.value) == f"{os.path.relpath(file, CHECKOUT)}:{line}: {why}"

    def test_a_shared_file_has_no_command_and_no_result(self, tmp_path: Path) -> None:
        file = tmp_path / golden.SHARED
        file.write_text("Any text.\n-- a --\n$ text of the file\n")
        assert golden.read(file).files == {"a": b"$ text of the file\n"}
        file.write_text("$ cmp-plugin validate\n-- a --\n")
        with pytest.raises(ValueError, match=":1: a \\$ line too many: a shared file has none$"):
            golden.read(file)
        file.write_text("-- a --\n== exit 0 ==\n")
        with pytest.raises(ValueError, match=":2: a shared file expects nothing$"):
            golden.read(file)

    def test_a_refusal_is_one_line_of_its_case(self, tmp_path: Path) -> None:
        file = tmp_path / "case.txt"
        file.write_text("$ cmp-plugin validate\n== stdot ==\n")
        with pytest.raises(pytest.fail.Exception) as failure:
            read(file)
        assert not failure.value.pytrace
        assert str(failure.value).endswith('case.txt:2: no section "stdot" (there is stdout, stderr, exit)')
