"""docs/argocd.md: its Application becomes Synced, its commands do what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cmp_server import CmpServer
from documented import REASON, command, run_block
from documents import blocks
from live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repository import Repository

DOCUMENT = "docs/argocd.md"
NAME = "kind.local-web"


@pytest.fixture
def documented(live: Live, fleet: Repository) -> Iterator[str]:
    """The Application of the document, on this test's repository; its commit."""
    (block,) = [each for each in blocks(DOCUMENT) if each.kind == "yaml" and "kind: Application" in each.text]
    application = yaml.safe_load(block.text)
    application["spec"]["source"]["repoURL"] = fleet.url
    with live.lent():
        live.cluster.apply(application)
        live.synced(NAME, fleet.head)
        yield fleet.head


def test_every_command_for_a_cluster_is_run_here() -> None:
    assert len([b for b in blocks(DOCUMENT) if b.reason == REASON]) == 3


def refresh_asked(live: Live) -> bool:
    """Whether the annotation is still there: the controller takes it away when it has compared."""
    return "argocd.argoproj.io/refresh" in live.application(NAME)["metadata"]["annotations"]


def test_a_hard_refresh_renders_again(live: Live, cmp: CmpServer, documented: str) -> None:
    for block in (command(DOCUMENT, "refresh=hard", NAME), command(DOCUMENT, "refresh=hard", "--all")):
        before = cmp.calls(NAME)
        run_block(live.cluster, block)
        live.until(NAME, lambda: not refresh_asked(live))
        assert cmp.calls(NAME) > before


def test_an_upgrade_alone_shows_nothing_new(live: Live, cmp: CmpServer, documented: str) -> None:
    """The cache has no plugin version: the same commit is not rendered again."""
    before = cmp.calls(NAME)
    reconciled = live.status(NAME)["reconciledAt"]
    live.refresh(NAME)
    live.eventually(NAME, lambda: live.status(NAME)["reconciledAt"] != reconciled)
    assert cmp.calls(NAME) == before


def test_uninstalling_leaves_what_runs(
    live: Live, documented: str, fleet: Repository, preview: Callable[..., list[Any]]
) -> None:
    run_block(live.cluster, command(DOCUMENT, "kubectl delete application"))
    assert live.application(NAME) is None
    for wanted in preview(fleet.root, "kind.local", "web"):
        kind, name = wanted["kind"], wanted["metadata"]["name"]
        assert live.cluster.get(kind, name, wanted["metadata"].get("namespace", "web")), (kind, name)
