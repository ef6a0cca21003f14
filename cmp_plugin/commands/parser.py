"""The command line's grammar: the table of commands, and what they have in common.

In: words. Out: an argparse namespace. A command's module has `run`, `EXAMPLES` and, where it takes any, its
`arguments`; it is imported only when its name is among the words, so that help and completion stay quick.
"""

from __future__ import annotations

import argparse
import importlib
import re
import shutil
import sys
import textwrap
from collections.abc import Container
from typing import Any, NamedTuple, NoReturn

from .. import __version__
from ..errors import UsageError, did_you_mean, there_is


class Command(NamedTuple):
    """A line of the top help, and the command's module in this package."""

    module: str
    help: str

    def load(self) -> Any:
        """The command's module."""
        return importlib.import_module(f"{__package__}.{self.module}")


# The commands by what they are for, in the order of the help.
GROUPS = {
    "Begin": {
        "tools": Command(
            "tools", "helm and kustomize in the versions that fleet.yaml asks for, built where they are missing"
        ),
        "init": Command("scaffold.init", "a first fleet that renders at once"),
        "new": Command("scaffold.new", "a new cluster or service that renders at once"),
        "import": Command("importing", "an existing tree as a fleet, with proof that nothing changes"),
    },
    "See what a fleet is": {
        "list": Command("list", "the version board: services x clusters, and the pins that lag"),
        "preview": Command("preview", "exactly what Argo CD would apply"),
        "explain": Command("explain", "where each value comes from: who set it, whom that went over, file and line"),
        "diff": Command("diff", "what a change does to the manifests of every cluster"),
    },
    "Find what is wrong": {
        "validate": Command("validate", "every error of the fleet at once, sorted"),
        "doctor": Command("doctor", "versions and places of the tools, and what is wrong with them"),
    },
    "Write files": {
        "lock": Command("lock", "write services/*/service.lock: address and digest of every chart in use"),
        "vendor": Command("vendor", "put locked charts beside their service"),
        "expand": Command("expand", "one service's kustomize overlay and helm values as files"),
    },
    "For editors and shells": {
        "schema": Command("schema", "JSON Schema of the files people write"),
        "completion": Command("completion", "shell completion"),
    },
    "Called by Argo CD": {
        "generate": Command(
            "generate", "what Argo CD calls: the current directory's manifests, one JSON document a line"
        ),
        "parameters": Command("parameters", "what Argo CD shows of an Application's parameters"),
        "healthcheck": Command("healthcheck", "for the sidecar's probe: silent when it can render"),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are ours, so that there is one place that prints them."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError with what argparse says, and what was perhaps meant."""
        choice = re.search(r"^argument (.*): invalid choice: '(.*?)' \(choose from (.*)\)$", message, re.DOTALL)
        if choice is None:
            raise UsageError(message, hint=f"see {self.prog} --help")
        name, word, known = choice[1], choice[2], re.findall(r"[\w.-]+", choice[3])
        if name == "VERB":
            hint = did_you_mean(word, known) or f"see {self.prog} --help"
            raise UsageError(f'there is no verb "{word}"', hint=hint)
        raise UsageError(f'{name}: there is no "{word}"', hint=there_is(word, known) or f"see {self.prog} --help")

    def refuse(self, words: list[str]) -> NoReturn:
        """What no parser knew: the first option of them, or the first word."""
        word = next((each for each in words if each.startswith("-")), words[0]).partition("=")[0]
        if not word.startswith("-"):
            raise UsageError(f'"{word}" is one word too many', hint=f"see {self.prog} --help")
        known = [name for action in self._actions for name in action.option_strings]
        raise UsageError(f'there is no option "{word}"', hint=did_you_mean(word, known) or f"see {self.prog} --help")


class Top(Parser):
    """The parser of everything, whose help is the commands by what they are for."""

    def format_help(self) -> str:
        """The commands by what they are for, then the options."""
        width = max(shutil.get_terminal_size().columns - 2, 40)
        lines = [f"{self.description}\n\nusage: {self.prog} VERB [words]\n"]
        for title, group in GROUPS.items():
            lines += [f"\n{title}\n", *(_row(name, command.help, width) for name, command in group.items())]
        options = [_row(_spelt(action), str(action.help), width) for action in self._actions if action.option_strings]
        lines += ["\nOptions, before or after the verb\n", *options]
        return "".join([*lines, f"\n{self.prog} VERB --help tells more, with examples.\n"])


def _row(name: str, text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15) + "\n"


def _spelt(option: argparse.Action) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    return ", ".join(option.option_strings) + value


def parser(words: Container[str] = tuple(COMMANDS)) -> Parser:
    """The whole grammar; `-C` and `-v` may stand before or after the command.

    Commands that are not among `words`, a list or the text of a line, cannot be meant: they get no arguments.
    """
    top = Top(prog="cmp-plugin", description="GitOps for many clusters with Argo CD.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"cmp-plugin {__version__}", help="the version")
    _common(top)
    commands = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for name, command in COMMANDS.items():
        parser = commands.add_parser(
            name,
            help=command.help,
            description=command.help,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.set_defaults(parser=parser)
        _common(parser)
        if name in words:
            module = command.load()
            if hasattr(module, "arguments"):
                module.arguments(parser)
            shown = "".join(f"\n  # {purpose}\n  {line}\n" for purpose, line in module.EXAMPLES)
            parser.epilog = f"examples:{shown}"
        for action in parser._actions:
            if not action.option_strings and action.choices is None:
                action.metavar = action.dest.upper()
    return top


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-C", dest="directory", metavar="DIR", default=argparse.SUPPRESS, help="the fleet's directory")
    parser.add_argument("-v", dest="verbose", action="store_true", default=argparse.SUPPRESS, help="say more")


def parse(words: list[str]) -> argparse.Namespace:
    """The words as a namespace: `verb`, `directory`, `verbose`, and the command's own. UsageError: they are wrong.

    `in_directory` is whether -C was given; without it `directory` is the current one.
    """
    grammar = parser(words)
    if not words:
        grammar.print_help(sys.stderr)
        grammar.exit(UsageError.exit_code)
    args, unknown = grammar.parse_known_args(words)
    if unknown:
        args.parser.refuse(unknown)
    args.in_directory = hasattr(args, "directory")
    args.directory = getattr(args, "directory", ".")
    args.verbose = getattr(args, "verbose", False)
    return args
