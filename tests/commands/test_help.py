"""Help that teaches: every verb with examples that are true, and a hint for every slip of the keyboard."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import CHECKOUT, run

from cmp_plugin.commands.parser import COMMANDS, GROUPS, parse, parser
from cmp_plugin.errors import UsageError
from cmp_plugin.fleet.files import open_fleet

EXAMPLES = {name: command.load().EXAMPLES for name, command in COMMANDS.items()}
SHOWN = [(verb, command) for verb, shown in EXAMPLES.items() for _, command in shown]
REFERENCE = open_fleet(CHECKOUT)
TAKE_JOBS = ("preview", "diff", "validate", "import kustomize a b")


def test_every_verb_is_taught() -> None:
    assert {verb: 1 <= len(shown) <= 3 for verb, shown in EXAMPLES.items()} == dict.fromkeys(COMMANDS, True)
    assert sum(map(len, GROUPS.values())) == len(COMMANDS)


def calls(command: str) -> Iterator[list[str]]:
    """The words of every call of cmp-plugin in a shell's command line."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    words: list[str] | None = None
    for token in [*lexer, ";"]:
        if set(token) <= set("();<>|&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token == "cmp-plugin":
            words = []


@pytest.mark.parametrize(("verb", "command"), SHOWN)
def test_an_example_is_right(verb: str, command: str) -> None:
    """It is about its verb, the parser takes it, and what it names is there."""
    seen = [parse(words) for words in calls(command)]
    assert verb in [args.verb for args in seen]
    for args in seen:
        assert named(args, "cluster") <= set(REFERENCE.names("Cluster"))
        assert named(args, "service") <= set(REFERENCE.names("Service"))


def named(args: Namespace, word: str) -> set[str]:
    found = getattr(args, word, None) or []
    return {found} if isinstance(found, str) else set(found)


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_ends_with_the_examples(verb: str, tmp_path: Path, clean_env: dict[str, str]) -> None:
    done = run([verb, "--help"], str(tmp_path), clean_env)
    assert (done.code, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert text.endswith(f"  {EXAMPLES[verb][-1][1]}\n")
    assert all(command in text for _, command in EXAMPLES[verb])


def test_without_a_word(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """What there is, by what it is for; but nothing was done, and a script must notice."""
    done = run([], str(tmp_path), clean_env)
    asked = run(["--help"], str(tmp_path), clean_env)
    assert (done.code, done.stdout, done.stderr) == (2, b"", asked.stdout)
    lines = asked.stdout.decode().splitlines()
    assert all(any(line.startswith(f"  {verb} ") for line in lines) for verb in COMMANDS)
    narrow = run(["--help"], str(tmp_path), {**clean_env, "COLUMNS": "50"}).stdout.decode().splitlines()
    assert max(map(len, narrow)) <= 50 and len(narrow) > len(lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("prevew", 'there is no verb "prevew" (did you mean "preview"?)'),
        ("xyz", 'there is no verb "xyz" (see cmp-plugin --help)'),
        ("preview --outt=x", 'there is no option "--outt" (did you mean "--out"?)'),
        ("preview a b --keep-goin", 'there is no option "--keep-goin" (did you mean "--keep-going"?)'),
        ("preview --keep", 'there is no option "--keep" (did you mean "--keep-going"?)'),
        ("--verbos preview", 'there is no option "--verbos" (see cmp-plugin preview --help)'),
        ("preview -x", 'there is no option "-x" (see cmp-plugin preview --help)'),
        ("preview a b c", '"c" is one word too many (see cmp-plugin preview --help)'),
        ("preview -o yml", '-o/--output: there is no "yml" (did you mean "yaml"?)'),
        ("preview -o xml", '-o/--output: there is no "xml" (there is yaml, json)'),
        *((f"{command} --jobs 0", "--jobs must be 1 or more") for command in TAKE_JOBS),
        ("schema clster", 'kind: there is no "clster" (did you mean "cluster"?)'),
        ("expand a", "the following arguments are required: SERVICE, --out (see cmp-plugin expand --help)"),
    ],
)
def test_a_slip_gets_a_hint(words: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(words.split())
    assert str(error.value) == said


def test_all_help_is_text_of_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A percent sign in a help text would end argparse."""
    for width in ("20", "200"):
        monkeypatch.setenv("COLUMNS", width)
        top = parser()
        assert "usage: cmp-plugin" in top.format_help()
        for verb in COMMANDS:
            assert "examples:" in top.parse_args([verb, *required(verb)]).parser.format_help()


def required(verb: str) -> list[str]:
    """Words that a verb cannot be without, taken from its first example."""
    return next(words[1:] for words in calls(EXAMPLES[verb][0][1]) if words[0] == verb)


@pytest.mark.parametrize(
    "words",
    [
        "list --cluster gke.prd",
        "preview gke.prd",
        "preview clusters/gke.prd",
        "expand gke.prd istiod --out there",
        "explain gke.prd",
        "diff --cluster gke.prd",
        "new cluster mine --from gke.prd",
        "new service mine --cluster gke.prd --path services/web",
    ],
)
def test_every_verb_knows_which_cluster_was_meant(words: str, clean_env: dict[str, str]) -> None:
    done = run(words.split(), CHECKOUT, clean_env)
    assert (done.code, done.stdout) == (1, b"")
    said = done.stderr.decode()
    assert said.startswith("there is no cluster ") and said.endswith('(did you mean "gke.prod"?)\n')


@pytest.mark.parametrize(
    "words",
    [
        "list --service istoid",
        "preview gke.prod istoid",
        "expand gke.prod istoid --out there",
        "explain gke.prod istoid",
        "diff --service istoid",
    ],
)
def test_every_verb_knows_which_service_was_meant(words: str, clean_env: dict[str, str]) -> None:
    done = run(words.split(), CHECKOUT, clean_env)
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr.decode().endswith('(did you mean "istiod"?)\n')
