"""What fleet.yaml says about tools, mirrors and lock, with the defaults where it says nothing.

In: fleet.yaml's node, checked. Out: `Settings`. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from ..goyaml.load import Node
from ..specs import defaults


class Settings(NamedTuple):
    """What a render needs of fleet.yaml."""

    helm: str = defaults.HELM
    kustomize: str = defaults.KUSTOMIZE
    plugin: str = ""
    strict: bool = False
    mirrors: tuple[tuple[str, str], ...] = ()
    lock_optional: bool = False


def settings_of(fleet: Node) -> Settings:
    """What fleet.yaml says about tools, mirrors and lock."""
    tools = {key: child.value for key, child in fleet.entries("tools").items() if child.value is not None}
    mirrors = tuple((key, str(child.value)) for key, child in fleet.entries("mirrors").items() if child.value)
    lock = fleet.get("lock")
    return Settings(
        helm=str(tools.get("helm", defaults.HELM)),
        kustomize=str(tools.get("kustomize", defaults.KUSTOMIZE)),
        plugin=str(tools.get("plugin", "")),
        strict=tools.get("strict") is True,
        mirrors=mirrors,
        lock_optional=lock is not None and lock.value == "optional",
    )
