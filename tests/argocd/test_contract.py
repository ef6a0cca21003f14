"""Argo CD's contract, as far as it needs no Argo CD: parameters, time, plugin.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from program import CHECKOUT

from cmp_plugin.argocd.contract import TIMEOUT, announcement, plugin_yaml, read_call, render_seconds
from cmp_plugin.errors import InputError


def environment(*parameters: dict[str, Any]) -> dict[str, str]:
    return {"ARGOCD_APP_PARAMETERS": json.dumps(parameters)}


@pytest.mark.parametrize("text", ["", "null", "[]"])
def test_no_parameters(text: str) -> None:
    call = read_call({"ARGOCD_APP_PARAMETERS": text})
    assert (call.cluster, call.service, call.inputs) == ("", "", "")


def test_strings_are_taken() -> None:
    call = read_call(environment({"name": "cluster", "string": "a"}, {"name": "service", "string": "b"}))
    assert (call.cluster, call.service) == ("a", "b")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ([{"name": "servcie", "string": "x"}], r'unknown parameter "servcie" \(did you mean "service"\?\)'),
        ([{"name": "zzz", "string": "x"}], r"there are cluster, service, inputs"),
        ([{"name": "service", "array": ["x"]}], r'"service" must be a string'),
        ([{"name": "service", "map": {"a": "x"}}], r'"service" must be a string'),
        ([{"name": "service"}], r'"service" must be a string'),
        ([{"string": "x"}], r"is not the list of parameters"),
        (["service"], r"is not the list of parameters"),
    ],
)
def test_wrong_parameters(parameters: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_call({"ARGOCD_APP_PARAMETERS": json.dumps(parameters)})


def test_text_that_is_no_json() -> None:
    with pytest.raises(InputError, match="is not the list of parameters"):
        read_call({"ARGOCD_APP_PARAMETERS": "{"})


def test_the_time_for_a_render() -> None:
    assert render_seconds({}) == TIMEOUT
    assert render_seconds({"CMP_PLUGIN_TIMEOUT": "170"}) == 170
    with pytest.raises(InputError, match="must be a whole number of seconds"):
        render_seconds({"CMP_PLUGIN_TIMEOUT": "3m"})


def test_plugin_yaml_is_the_file_in_the_repository() -> None:
    assert Path(CHECKOUT, "plugin.yaml").read_text() == plugin_yaml()
    spec = yaml.safe_load(plugin_yaml())["spec"]
    assert set(spec) == {"generate", "parameters"}, "discover and init cost a stream for each Application"


def test_every_parameter_is_announced_as_a_string() -> None:
    announced = announcement(read_call(environment({"name": "service", "string": "web"})))
    assert [each["string"] for each in announced] == ["", "web", "", ""]
    assert all(each["title"] and each["tooltip"] and each["collectionType"] == "string" for each in announced)
