"""`diff [BASE [HEAD]]`: what a change does to the whole fleet.

The manifests of two revisions are compared, or of a revision and the work tree; only what can differ is
rendered. Nothing reaches stdout before every render has succeeded.
"""

from __future__ import annotations

import sys
from argparse import Namespace

from ..terminal import painter, visible
from ..warnings import warn_about_plugin
from .report import Report, report
from .sections import headline, manner, sections
from .sides import opened_sides

CHANGED = 4  # the exit code of --exit-code; 1 to 3 are errors (docs/cli.md)
_ROLES = {"+": "added", "-": "removed", "~": "changed", "!": "warning", "!!": "error", "": "note"}


def run(args: Namespace) -> int:
    """Prints what changes. Returns 4 with --exit-code when anything does, else 0."""
    with opened_sides(args) as sides:
        if fleet := sides.after.fleet:
            warn_about_plugin(fleet.settings, fleet.spec.at)
        result = report(sides, args.jobs, whole=not (args.cluster or args.service))
    for note in result.notes:
        print(visible(f"note: {note}"), file=sys.stderr)
    sys.stdout.write(_formatted(result, args))
    sys.stdout.flush()
    return CHANGED if args.exit_code and not result.is_empty else 0


def _formatted(report: Report, args: Namespace) -> str:
    """The report as JSON, as Markdown, or as coloured text for the terminal."""
    if args.output == "json":
        from .json import as_json

        return as_json(report)
    if args.output == "markdown":
        from .markdown import as_markdown

        return as_markdown(report, args.verbose)
    paint = painter(sys.stdout)
    parts = [paint(headline(report), "head") + "\n"]
    for title, lines in sections(report, manner(report, args.verbose)):
        parts.append(f"\n{paint(title, 'head')}\n")
        for line in lines:
            text = f"{line.sign or ' '} {line.text}".rstrip().replace("\n", "\\n")
            parts.append(f"{'  ' * line.depth}{paint(text, _ROLES[line.sign])}\n")
    return "".join(parts)
