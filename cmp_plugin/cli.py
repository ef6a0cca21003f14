"""The one place where errors become text and an exit code.

In: the command line. Out: an exit code; stdout carries results, stderr everything else. `generate`
without further words takes the short way, past the parser: Argo CD calls it thousands of times.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys

from . import verbose
from .errors import CmpError, ToolError, flatten

INTERNAL_ERROR = 3
# A run makes many objects and hardly a cycle: Python's own pace costs a fifth of a large fleet's time.
SELDOM = (100_000, 50, 100)
INTERRUPTED = 130
# The packages of the extra `cli`, by the names they are imported under; what comes with them is among them.
EXTRA = frozenset({"argcomplete", "jinja2", "jsonschema_rs", "markupsafe", "rich"})


def main(argv: list[str] | None = None) -> int:
    """Runs one command. Exit codes: 0 done, 1 input or tool failed, 2 usage, 3 our bug, 130 interrupted."""
    words = sys.argv[1:] if argv is None else argv
    gc.set_threshold(*SELDOM)
    try:
        _prepare()
        if words == ["generate"]:
            from .commands.generate import generate

            return generate()
        return _parsed(words)
    except CmpError as error:
        print(error, file=sys.stderr)
        _details(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        name = os.path.basename(str(error.filename or ""))
        print(f"{name + ': ' if name else ''}{os.strerror(error.errno or 0)}", file=sys.stderr)
        _traceback()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA:
            return _bug(error)
        print(f"this needs the package {package}: install cmp-plugin[cli]", file=sys.stderr)
        return 1
    except Exception as bug:
        return _bug(bug)


def _prepare() -> None:
    """A polite end on SIGTERM and SIGHUP, as on Ctrl-C: children killed, private directories removed."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    if sys.stdout is None:
        raise CmpError("there is no standard output to write to")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _parsed(words: list[str]) -> int:
    from .commands.parser import COMMANDS, parse, parser

    _any_character()
    if "-v" in words:
        # Before a command's module is imported: that may be what fails.
        verbose.show()
    if "_ARGCOMPLETE" in os.environ:
        from .commands.completion import answer

        answer(parser(os.environ.get("COMP_LINE", "")))
    args = parse(words)
    if args.verbose:
        verbose.show()
    return int(COMMANDS[args.verb].load().run(args))


def _any_character() -> None:
    """Results are UTF-8, as the files are; a terminal of another encoding gets escapes for what it does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _details(error: CmpError) -> None:
    """With -v: what the tool was called with and what it said, in full."""
    for tool in (each for each in flatten([error]) if isinstance(each, ToolError)):
        verbose.note(" ".join(tool.argv))
        if tool.stderr:
            verbose.note(tool.stderr.rstrip())


def _traceback() -> None:
    if verbose.is_shown():
        import traceback

        traceback.print_exc()


def _bug(bug: Exception) -> int:
    """One line for Argo CD's condition; the traceback only for who asked with -v."""
    _traceback()
    innermost = bug.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    where = f"{os.path.basename(innermost.tb_frame.f_code.co_filename)}:{innermost.tb_lineno}" if innermost else "?"
    print(f"a bug in cmp-plugin at {where}: {type(bug).__name__}: run it again with -v for details", file=sys.stderr)
    return INTERNAL_ERROR
