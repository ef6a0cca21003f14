"""Argo CD's contract with a plugin: everything its environment says, read and checked in one place.

In: the environment of a config management plugin's process (argo-cd, "Config Management Plugins").
Out: a frozen `Call`. Nobody else reads these variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from .errors import InputError, did_you_mean

PARAMETERS = ("cluster", "service", "inputs")
TIMEOUT = 55.0  # seconds; Argo CD's own default is 60, which also covers git and tar


class Call(NamedTuple):
    """One call of `generate`. Empty strings are unset."""

    cluster: str
    service: str
    inputs: str
    revision: str
    kube_version: str
    application: str


def read_call(environment: Mapping[str, str]) -> Call:
    """The call out of Argo CD's variables. InputError: parameters that are none of ours."""
    given = _parameters(environment.get("ARGOCD_APP_PARAMETERS", ""))
    return Call(
        cluster=given.get("cluster", ""),
        service=given.get("service", ""),
        inputs=given.get("inputs", ""),
        revision=environment.get("ARGOCD_APP_REVISION", ""),
        kube_version=environment.get("KUBE_VERSION", ""),
        application=environment.get("ARGOCD_APP_NAME", ""),
    )


def _parameters(text: str) -> dict[str, str]:
    """`[{"name": ..., "string": ...}]`, or `null` when the Application names none."""
    try:
        listed = json.loads(text or "null") or []
        return dict(_parameter(entry) for entry in listed)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InputError("ARGOCD_APP_PARAMETERS is not the list of parameters Argo CD writes") from error


def _parameter(entry: Mapping[str, object]) -> tuple[str, str]:
    name = str(entry["name"])
    if name not in PARAMETERS:
        raise InputError(f'unknown parameter "{name}"', None, did_you_mean(name, PARAMETERS) or _known())
    value = entry.get("string")
    if not isinstance(value, str):
        raise InputError(f'the parameter "{name}" must be a string')
    return name, value


def _known() -> str:
    return "there are " + ", ".join(PARAMETERS)
