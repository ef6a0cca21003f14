"""What `explain` prints on terminals of several widths, and in a pipe."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from program import CHECKOUT

from cmp_plugin.charts.contents import ChartFiles, chart_files
from cmp_plugin.commands.explain.cluster import Condition
from cmp_plugin.commands.explain.settings import Explanation
from cmp_plugin.commands.explain.text import values, variants, why
from cmp_plugin.commands.explain.trails import Trail
from cmp_plugin.fleet.cluster import open_cluster
from cmp_plugin.fleet.files import open_fleet
from cmp_plugin.fleet.plan import planned_service
from cmp_plugin.fleet.value_path import parsed

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def web() -> Explanation:
    cluster = open_cluster(open_fleet(CHECKOUT), "gke.prod")
    request, resolved = planned_service(cluster, "web")
    chart = chart_files(resolved.service, request.tree)
    assert isinstance(chart, ChartFiles)
    return Explanation(cluster, request, chart)


@contextmanager
def screen(width: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with open(theirs, "w") as stream:
        yield stream
    os.close(ours)


def places(text: str) -> set[str]:
    """Every `file:line` that can be copied out of a text."""
    return set(re.findall(r"[\w./-]+\.yaml:\d+(?=\s|$)", text))


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_terminal(width: int, web: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never wider than it is; who set a value and where are whole as long as there is room for them."""
    found = web.overview()
    whole = values(found, web.explainer, io.StringIO())
    with screen(width, monkeypatch) as stream:
        coloured = values(found, web.explainer, stream) + variants(web.variants, stream)
    text = COLOURS.sub("", coloured)
    assert max(map(len, text.splitlines())) <= width
    assert text != coloured
    if width >= 100:
        assert places(text) >= places(whole)
    if width >= 120:
        assert "service web, variant prod" in text
    assert "\x1b[2m" in coloured.partition("over 10")[0].rpartition("\n")[2]


def test_one_value_is_there_in_full(web: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    found = web.at(parsed("images[docker.io/valkey/valkey].digest"))
    digest = str(found[0].value)
    assert len(digest) > 60
    assert values(found, web.explainer, io.StringIO()).endswith(f"\n\n{digest}\n")
    with screen(80, monkeypatch) as stream:
        assert values(found, web.explainer, stream).endswith(f"\n\n{digest}\n")
    short = web.at(("namespace",))
    assert values(short, web.explainer, io.StringIO()).count("\n") == 2
    with screen(80, monkeypatch) as stream:
        assert "\n\n" not in values(short, web.explainer, stream)


def test_what_files_say_is_no_command_to_the_terminal(tmp_path: object, web: Explanation) -> None:
    (one,) = web.at(("namespace",))
    odd = one._replace(value="red \x1b[31m and\u202e more")
    assert "\x1b" not in values([odd], web.explainer, io.StringIO())


@pytest.mark.parametrize(
    ("actual", "wanted", "holds", "text"),
    [
        ("dev", ("dev",), True, "env is dev"),
        ("dev", ("prod", "stage"), False, "env is dev, wanted: prod or stage"),
        ("dev", ("!dev",), False, "env is dev, wanted: !dev"),
        (None, ("dev",), False, "there is no label env, wanted: dev"),
        (None, ("!dev",), True, "there is no label env"),
    ],
)
def test_why(actual: str | None, wanted: tuple[str, ...], holds: bool, text: str) -> None:
    assert why(Condition("env", wanted, actual, holds, Trail((), ()))) == text
