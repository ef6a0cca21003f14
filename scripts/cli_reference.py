"""The command line's reference as Markdown, made from the grammar so that it cannot lag behind."""

from __future__ import annotations

import argparse

from cmp_plugin.commands.parser import COMMANDS, Parser

HEAD = """# Commands

`cmp-plugin VERB [words]`. Results go to stdout, everything else to stderr. Every verb takes `-C DIR` (the
fleet's directory, before or after the verb), `-v` and `--help`. CLUSTER is a cluster's name or its directory,
SERVICE a service's name on that cluster or its directory.

Exit codes: 0 done, 1 an input or a tool failed, 2 usage, 3 a bug of cmp-plugin, 4 `diff --exit-code` saw a change, 130 interrupted. `validate`,
`lock --check` and `doctor` print their findings on stdout and exit 1 when an error is among them. Every
other verb prints nothing on stdout unless it succeeded.

Environment: `CMP_PLUGIN_CACHE_DIR` (default: `cmp-plugin` in the user's cache directory), `CMP_PLUGIN_HELM` and
`CMP_PLUGIN_KUSTOMIZE` (the programs to use), `CMP_PLUGIN_CHART_MIRROR` (a directory or address with an
`index.yaml`, used instead of every chart repository), `CMP_PLUGIN_OFFLINE=1` (touch no network), `CMP_PLUGIN_TIMEOUT` (seconds that `generate`
may take for a render, default 55; other verbs give each render 600), `CMP_PLUGIN_PROCESSES` (helm and kustomize
processes at once, default the number of processors), `NO_COLOR`.
"""


def markdown() -> str:
    """The text of docs/cli.md."""
    return HEAD + "".join(_section(name) for name in COMMANDS)


def _section(name: str) -> str:
    one = Parser(prog=f"cmp-plugin {name}", add_help=False)
    command = COMMANDS[name].load()
    if hasattr(command, "arguments"):
        command.arguments(one)
    actions = [action for action in one._actions if action.help != argparse.SUPPRESS]
    usage = " ".join([f"cmp-plugin {name}", *map(_usage, actions)])
    rows = "".join(f"| `{_name(action)}` | {action.help or ', '.join(action.choices or ())} |\n" for action in actions)
    table = f"\n| word | meaning |\n|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n`{usage}`: {COMMANDS[name].help}.\n{table}{_examples(name)}"


def _examples(name: str) -> str:
    shown = "\n".join(f"# {what}\n{command}\n" for what, command in COMMANDS[name].load().EXAMPLES)
    return f"\n<!-- not-run: the tests only parse the examples of the help -->\n```sh\n{shown}```\n"


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return action.dest.upper()
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return f"{', '.join(action.option_strings)}{value}"


def _value(action: argparse.Action) -> str:
    return ",".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())


def _usage(action: argparse.Action) -> str:
    if action.option_strings:
        text = action.option_strings[-1] + ("" if action.nargs == 0 else f" {_value(action)}")
        return text if action.required else f"[{text}]"
    return f"[{action.dest.upper()}]" if action.nargs in ("?", "*") else action.dest.upper()
