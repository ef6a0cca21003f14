"""Errors as data: a label and a hint go onto the error that is shown, not onto one that is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fleets import write

from cmp_plugin.charts.store import StoreError
from cmp_plugin.errors import Errors, InputError, Location, ToolError, hinted, labelled
from cmp_plugin.fleet.files import open_fleet


def test_a_label_once() -> None:
    error = InputError("is wrong", Location("a.yaml", 2, 3), "mend it")
    said = "a.yaml:2:3: c/web: is wrong (mend it)"
    assert str(labelled(error, "c/web")) == str(labelled(labelled(error, "c/web"), "c/web")) == said
    assert str(error) == "a.yaml:2:3: is wrong (mend it)"
    assert str(labelled(labelled(error, "c/web"), "in main")) == "a.yaml:2:3: in main: c/web: is wrong (mend it)"


def test_a_label_keeps_what_an_error_knows() -> None:
    error = StoreError("failed", argv=["helm"], exit_code=4, stderr="all of it")
    for other in (labelled(error, "c/web"), hinted(error, "try again")):
        assert isinstance(other, StoreError)
        assert (other.argv, other.tool_exit_code, other.stderr) == (("helm",), 4, "all of it")
    assert isinstance(labelled(ToolError("failed"), "a"), ToolError)


def test_each_of_several() -> None:
    errors = Errors([InputError("b", hint="x"), InputError("a")])
    assert str(labelled(errors, "c/web")) == "c/web: a\nc/web: b (x)"
    assert str(hinted(hinted(errors, "y"), "z")) == "a (y; z)\nb (x; y; z)"
    assert str(errors) == "a\nb (x)"


def test_a_kept_error_has_no_label_of_the_one_who_saw_it_first(tmp_path: Path) -> None:
    """A fleet reads each file once, and raises what is wrong with it for every cluster that needs it."""
    write(tmp_path, {"fleet.yaml": "", "services/web/service.yaml": "nonsense: 1\n"})
    fleet = open_fleet(str(tmp_path.resolve()))
    for cluster in ("dev", "prod"):
        with pytest.raises(Errors) as raised:
            fleet.spec_of("Service", "web")
        said = str(labelled(raised.value, f"{cluster}/web"))
        assert re.fullmatch(rf'services/web/service.yaml:\d:1: {cluster}/web: unknown key "nonsense".*', said), said
