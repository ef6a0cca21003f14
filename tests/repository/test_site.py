"""The documentation as a site: every page is on it and in its menu, every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from program import BIN, CHECKOUT

PAGES = sorted(str(path.relative_to(Path(CHECKOUT, "docs"))) for path in Path(CHECKOUT, "docs").rglob("*.md"))
CONFIGURATION = Path(CHECKOUT, "zensical.toml")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy of what it is made of; a warning is a failure."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(Path(CHECKOUT, "docs"), root / "docs")
    (root / "zensical.toml").write_text(CONFIGURATION.read_text())
    done = subprocess.run(
        [Path(BIN, "zensical"), "build", "--strict"],
        cwd=root,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "build/site"


def html_of(site: Path, page: str) -> Path:
    name = page.removesuffix(".md")
    return site / "index.html" if name == "index" else site / name / "index.html"


def menu(entries: Any) -> list[str]:
    """The pages that the configuration's `nav` names, however deep."""
    if isinstance(entries, str):
        return [entries]
    inner = entries.values() if isinstance(entries, dict) else entries
    assert not isinstance(inner, int | float | bool | None)
    return [page for each in inner for page in menu(each)]


def test_every_page_is_in_the_menu() -> None:
    named = menu(tomllib.loads(CONFIGURATION.read_text())["project"]["nav"])
    assert sorted(named) == PAGES


def test_every_page_is_there(site: Path) -> None:
    assert [page for page in PAGES if not html_of(site, page).is_file()] == []


def test_every_link_leads_somewhere(site: Path) -> None:
    lost = []
    for page in PAGES:
        html = html_of(site, page)
        for link in re.findall(r'<a [^>]*?href="([^"#?]+)', html.read_text()):
            if not re.match(r"[a-z]+:", link) and not os.path.exists(html.parent / link):
                lost.append(f"{page}: {link}")
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in PAGES:
        html = html_of(site, page).read_text()
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*? src="([^"]+)"|<link[^>]*? href="([^"]+)"', html)
        assert [each for each in loaded if re.match(r"(https?:)?//", "".join(each))] == []
