"""The command line's grammar: every verb, its words and options.

In: words. Out: an argparse namespace. A verb's module is not imported here.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from .. import __version__
from ..errors import UsageError, did_you_mean, there_is
from .examples import EXAMPLES, GROUPS

SHELLS = ("bash", "zsh", "fish")
KINDS = ("fleet", "profile", "service", "cluster")


class Verb(NamedTuple):
    """One line of help, and what adds the verb's own words to its parser."""

    help: str
    words: Callable[[argparse.ArgumentParser], None]


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are ours, so that there is one place that prints them."""

    def error(self, message: str) -> NoReturn:
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
    """The parser of everything, whose help is the verbs by what they are for."""

    def format_help(self) -> str:
        width = max(shutil.get_terminal_size().columns - 2, 40)
        lines = [f"{self.description}\n\nusage: {self.prog} VERB [words]\n"]
        for title, names in GROUPS.items():
            rows = [_row(name, VERBS[name].help, width) for name in names if name in VERBS]
            lines += [f"\n{title}\n", *rows] if rows else []
        options = [_row(_spelt(one), str(one.help), width) for one in self._actions if one.option_strings]
        lines += ["\nOptions, before or after the verb\n", *options]
        return "".join([*lines, f"\n{self.prog} VERB --help tells more, with examples.\n"])


def _row(name: str, text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15) + "\n"


def _spelt(option: argparse.Action) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    return ", ".join(option.option_strings) + value


def examples(verb: str) -> str:
    """A verb's examples as they stand below its help."""
    shown = "".join(f"\n  # {what}\n  {command}\n" for what, command in EXAMPLES.get(verb, ()))
    return f"examples:{shown}" if shown else ""


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


def _preview(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cluster", nargs="?", help="a cluster's name or directory")
    parser.add_argument("service", nargs="?", help="a service's name on that cluster, or its directory")
    parser.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="default: yaml")
    parser.add_argument("--out", metavar="DIR", help="write DIR/<cluster>/<service>.yaml instead")
    parser.add_argument("--applications", action="store_true", help="the Argo CD Applications themselves")
    parser.add_argument("--keep-going", action="store_true", help="with --out: write what works, exit 1")
    _jobs(parser)


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, metavar="N", help="renders at once; default: number of cores")


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cluster", action="append", default=[], metavar="CLUSTER", help="this cluster only; can be repeated"
    )
    parser.add_argument(
        "--service", action="append", default=[], metavar="SERVICE", help="this service only; can be repeated"
    )
    parser.add_argument(
        "-l", "--selector", metavar="SELECTOR", help="clusters with these labels, as in env=prod,region!=eu"
    )
    parser.add_argument("-o", "--output", choices=("table", "json", "html"), default="table", help="default: table")


def _expand(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cluster", help="a cluster's name or directory")
    parser.add_argument("service", help="a service's name on that cluster")
    parser.add_argument("--out", metavar="DIR", required=True, help="a directory that is absent or empty")
    parser.add_argument("--rendered", action="store_true", help="the chart's output instead of helmCharts")


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cluster", help="a cluster's name or directory")
    parser.add_argument("service", nargs="?", help="a service's name on that cluster; none: the cluster's own facts")
    parser.add_argument(
        "path",
        nargs="*",
        help="`values.a.b[0]`, `a.b`, `namespace`, or `Deployment/web spec.replicas`; none: every value",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", nargs="?", metavar="BASE", help="a revision of git, or A..B, or A...B; default: HEAD")
    parser.add_argument("head", nargs="?", metavar="HEAD", help="another one; default: the work tree")
    parser.add_argument("-o", "--output", choices=("text", "markdown", "json"), default="text", help="default: text")
    parser.add_argument("--exit-code", action="store_true", help="exit with 4 when anything changes")
    parser.add_argument("--kubernetes", metavar="VERSION", help="BASE with itself under another Kubernetes")
    parser.add_argument(
        "--tools", action="append", metavar="TOOL=VERSION", help="BASE with itself under another helm or kustomize"
    )
    parser.add_argument("--cluster", action="append", metavar="CLUSTER", help="only this cluster; may be repeated")
    parser.add_argument("--service", action="append", metavar="SERVICE", help="only this service; may be repeated")
    _jobs(parser)


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--render", action="store_true", help="render everything too, twice")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    parser.add_argument("-o", "--output", choices=("text", "json", "github"), default="text")
    _jobs(parser)


def _schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=KINDS, help="default: all four, by kind")
    parser.add_argument(
        "--service", metavar="SERVICE", action="append", default=[],
        help="with the values of its chart inside, in service.yaml or the kind named; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="DIR", help="write DIR/<kind>.json and DIR/services/<name>.json, all charts inside"
    )


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def _lock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing, fail when out of date")


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clean-cache", action="store_true", help="empty the cache")


def _tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("install",), help="install")


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", help="a directory that is absent or empty")


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("cluster", "service"), help="cluster or service")
    parser.add_argument("name", help="its name: small letters, digits, - and .")
    parser.add_argument("--from", dest="copy", metavar="CLUSTER", help="a cluster: copy this one's files")
    parser.add_argument(
        "--chart", help="a service: NAME with --repo, REPO/NAME as `helm repo list` has it, or oci://..."
    )
    parser.add_argument("--repo", metavar="URL", help="a service: the chart's repository")
    parser.add_argument("--version", help="a service: the chart's version; default: the newest")
    parser.add_argument("--path", metavar="PLACE", help="a service: a chart or kustomization in this repository")
    parser.add_argument(
        "--cluster",
        dest="clusters",
        action="append",
        default=[],
        metavar="CLUSTER",
        help="a service: put it on this cluster; may be repeated",
    )
    parser.add_argument(
        "--profile",
        dest="profiles",
        action="append",
        default=[],
        metavar="PROFILE",
        help="a service: put it into this profile; may be repeated",
    )


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", choices=("kustomize", "applications"), help="what the source is: kustomize or applications"
    )
    parser.add_argument("source", help="the directory to import")
    parser.add_argument("dir", help="the new fleet: a directory that is absent or empty")
    parser.add_argument("--kubernetes", metavar="VERSION", help="what charts are told; default: 1.34")
    parser.add_argument("--keep-going", action="store_true", help="write the fleet although something differs, exit 1")
    parser.add_argument("--check", action="store_true", help="write nothing: compare the source with the fleet in DIR")
    _jobs(parser)


VERBS = {
    "generate": Verb("what Argo CD calls: the current directory's manifests, one JSON document a line", _nothing),
    "parameters": Verb("what Argo CD shows of an Application's parameters", _nothing),
    "list": Verb("the version board: services x clusters, and the pins that lag", _list),
    "preview": Verb("exactly what Argo CD would apply", _preview),
    "expand": Verb("one service's kustomize overlay and helm values as files", _expand),
    "explain": Verb("where each value comes from: who set it, whom that went over, file and line", _explain),
    "diff": Verb("what a change does to the manifests of every cluster", _diff),
    "validate": Verb("every error of the fleet at once, sorted", _validate),
    "lock": Verb("write services/*/service.lock: address and digest of every chart in use", _lock),
    "vendor": Verb("put locked charts beside their service", _nothing),
    "schema": Verb("JSON Schema of the files people write", _schema),
    "init": Verb("a first fleet that renders at once", _init),
    "new": Verb("a new cluster or service that renders at once", _new),
    "import": Verb("an existing tree as a fleet, with proof that nothing changes", _import),
    "completion": Verb("shell completion", _completion),
    "doctor": Verb("versions and places of the tools, and what is wrong with them", _doctor),
    "tools": Verb("helm and kustomize in the versions that fleet.yaml asks for, built where they are missing", _tools),
    "healthcheck": Verb("for the sidecar's probe: silent when it can render", _nothing),
}


def parser() -> Parser:
    """The whole grammar; `-C` and `-v` may stand before or after the verb."""
    top = Top(prog="cmp-plugin", description="GitOps for many clusters with Argo CD.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"cmp-plugin {__version__}", help="the version")
    _common(top)
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for name, verb in VERBS.items():
        one = verbs.add_parser(
            name,
            help=verb.help,
            description=verb.help,
            epilog=examples(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        one.set_defaults(parser=one)
        _common(one)
        verb.words(one)
        for action in one._actions:
            if not action.option_strings and action.choices is None:
                action.metavar = action.dest.upper()
    return top


def _common(one: argparse.ArgumentParser) -> None:
    one.add_argument("-C", dest="directory", metavar="DIR", default=argparse.SUPPRESS, help="the fleet's directory")
    one.add_argument("-v", dest="verbose", action="store_true", default=argparse.SUPPRESS, help="say more")


def parse(words: list[str]) -> argparse.Namespace:
    """The words as a namespace: `verb`, `directory`, `verbose`, and the verb's own. UsageError when they are wrong."""
    grammar = parser()
    if "_ARGCOMPLETE" in os.environ:
        from .completion import answer

        answer(grammar)
    if not words:
        grammar.print_help(sys.stderr)
        grammar.exit(UsageError.exit_code)
    args, unknown = grammar.parse_known_args(words)
    if unknown:
        args.parser.refuse(unknown)
    args.directory = getattr(args, "directory", ".")
    args.verbose = getattr(args, "verbose", False)
    return args
