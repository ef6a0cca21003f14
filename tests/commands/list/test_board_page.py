"""The page of `list -o html` in a real browser: what is seen, found, pressed, and what is never run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import boards
import pytest
from browser import browser, complaints, contrasts, look
from fleets import write
from program import CHECKOUT, run
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

HOSTILE = '</script><img src=x onerror="document.title=1">{{7*7}}\u202e\x1b[2J'
FLEETS = ("reference", "forty", "hostile", "thousand")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, clean_env: dict[str, str]) -> dict[str, Path]:
    """The page of each fleet."""
    root = tmp_path_factory.mktemp("pages")
    places = {
        "reference": Path(CHECKOUT),
        "forty": boards.fleet(root / "forty", 40, pins=12),
        "hostile": hostile(root / "hostile"),
        "thousand": boards.fleet(root / "thousand", 1000),
    }
    for name, place in places.items():
        done = run(["list", "-o", "html"], str(place), clean_env)
        assert (done.code, done.stderr) == (0, b"")
        (root / f"{name}.html").write_bytes(done.stdout)
    return {name: root / f"{name}.html" for name in places}


def hostile(root: Path) -> Path:
    """A fleet that says markup wherever a text of one's own may stand."""
    text = json.dumps(HOSTILE, ensure_ascii=True)
    files = {
        "services/web/service.yaml": f"chart: {{oci: {text}}}\nversion: 1.0.0\n",
        "clusters/a/cluster.yaml": f"labels: {{{text}: {text}, env: {text}}}\ndestination: {{name: {text}}}\n"
        f"services: {{web: {{revision: {text}}}}}\n",
        "clusters/b/cluster.yaml": "labels: {env: b, __proto__: b}\nservices: {web: {version: 0.9.0}}\n",
    }
    return write(root, files)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def opened(chrome: Chrome, page: Path, *, width: int = 1280, dark: bool = False) -> None:
    look(chrome, width=width, dark=dark)
    chrome.get(page.as_uri())


def seen(chrome: Chrome, selector: str) -> list[str]:
    """The texts of what a selector finds and a person can see."""
    found = chrome.find_elements(By.CSS_SELECTOR, selector)
    return [element.text for element in found if element.is_displayed()]


def type_into(chrome: Chrome, field: str, text: str) -> None:
    element = chrome.find_element(By.ID, field)
    element.clear()
    element.send_keys(text)


# --- what it says ---


def test_the_reference_fleet(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["reference"])
    assert seen(chrome, ".board tbody th") == ["gke.dev", "gke.prod", "kind.local", "management"]
    head = [text.split("\n")[0] for text in seen(chrome, ".board thead th")]
    prod = seen(chrome, ".board tbody tr:nth-child(2) > *")
    assert dict(zip(head, prod, strict=True)) | {"gateway": "1.30.3 ×2", "metrics-server": "off", "web": "dir"} == dict(
        zip(head, prod, strict=True)
    )
    assert prod[head.index("prometheus")].startswith("88.2.0 ↓")
    (lag,) = seen(chrome, "#behind li")
    assert "prometheus 88.2.0 ↓ behind 88.5.3" in lag and "profiles/prod.yaml:" in lag and "gke.prod, management" in lag
    assert any("nobody uses it" in card for card in seen(chrome, "#s-metrics-server"))
    assert "env=prod" in seen(chrome, "#c-gke\\.prod")[0]


def test_many_clusters_share_rows(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["thousand"])
    rows = seen(chrome, ".board tbody th")
    assert 3 <= len(rows) <= 20
    assert sum(int(row.split()[0]) for row in rows) == 1000
    chrome.find_element(By.CSS_SELECTOR, ".board summary").click()
    assert seen(chrome, ".board .names")[0].count(", ") + 1 == int(rows[0].split()[0])


# --- finding ---


def test_search_and_labels(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["forty"])
    assert len(seen(chrome, ".board tbody tr")) == 40
    type_into(chrome, "clusters-wanted", "PROD asia")
    assert len(seen(chrome, ".board tbody tr")) == 6
    assert seen(chrome, "#shown") == ["6 of 40 clusters, 20 of 20 services"]
    type_into(chrome, "clusters-wanted", "env=dev region=europe-west1")
    assert seen(chrome, ".board tbody th") == ["dev-europe-west1-0000", "dev-europe-west1-0020"]
    assert [text.replace("\n", " ") for text in seen(chrome, "#s-velero li")] == [
        "off profiles/dev.yaml:5:21 2 clusters"
    ]
    type_into(chrome, "clusters-wanted", "")
    Select(chrome.find_element(By.CSS_SELECTOR, "select[data-key=env]")).select_by_visible_text("staging")
    assert len(seen(chrome, ".board tbody tr")) == 8
    type_into(chrome, "services-wanted", "istio")
    assert [text.split("\n")[0] for text in seen(chrome, ".board thead th")] == [
        "Cluster",
        "istio-base",
        "istio-cni",
        "istiod",
    ]
    assert len(seen(chrome, "article")) == 3
    chrome.find_element(By.CSS_SELECTOR, "[type=reset]").click()
    chrome.execute_async_script("setTimeout(arguments[0])")
    assert len(seen(chrome, ".board tbody tr")) == 40 and len(seen(chrome, "article")) == 20


def test_pins_that_are_not_shown_are_counted_again(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["forty"])
    assert seen(chrome, "#more summary") == ["1 more"] and len(seen(chrome, "#behind > ul > li")) == 12
    type_into(chrome, "services-wanted", "loki")
    assert len(seen(chrome, "#behind > ul > li")) == 10
    type_into(chrome, "clusters-wanted", "-0001")
    assert (len(seen(chrome, "#behind > ul > li")), seen(chrome, "#more summary")) == (0, ["1 more"])
    type_into(chrome, "clusters-wanted", "-0000")
    assert seen(chrome, "#behind") == []


def test_only_what_lags(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["forty"])
    chrome.find_element(By.ID, "lagging").click()
    assert len(seen(chrome, "article")) == 3
    rows = chrome.find_elements(By.CSS_SELECTOR, ".board tbody tr:not([hidden])")
    assert 24 < len(rows) < 40
    assert all(row.find_elements(By.CSS_SELECTOR, "td.b:not([hidden])") for row in rows)


def test_search_in_a_thousand_is_quick(chrome: Chrome, pages: dict[str, Path]) -> None:
    assert pages["thousand"].stat().st_size < 1_500_000
    opened(chrome, pages["thousand"])
    type_into(chrome, "clusters-wanted", "-0004")
    chrome.execute_script("narrow()")
    taken = chrome.execute_script("const start = performance.now(); narrow(); return performance.now() - start")
    assert taken < 2000
    assert seen(chrome, "#shown") == ["1 of 1000 clusters, 20 of 20 services"]
    assert [text.split()[0] for text in seen(chrome, ".board tbody th")] == ["1"]


# --- keyboard ---


def pressed(chrome: Chrome, *keys: str) -> str:
    """What has the focus after these keys, as its id, class or text."""
    ActionChains(chrome).send_keys(*keys).perform()
    script = "const at = document.activeElement; return at.id || at.className || at.textContent.trim()"
    text: str = chrome.execute_script(script)
    return text


def test_everything_is_reached_by_keyboard(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["reference"])
    assert pressed(chrome, Keys.TAB) == "skip"
    assert pressed(chrome, Keys.ENTER) is not None and chrome.current_url.endswith("#board")
    opened(chrome, pages["reference"])
    assert pressed(chrome, "/") == "clusters-wanted"
    assert pressed(chrome, "gke.prod") == "clusters-wanted"
    assert seen(chrome, ".board tbody th") == ["gke.prod"]
    assert pressed(chrome, "/") == "clusters-wanted", "in a field, / is a letter"
    reached = [pressed(chrome, Keys.TAB) for _ in range(12)]
    assert reached[:5] == ["services-wanted", "label-1", "label-2", "lagging", "Show all"]
    assert "scroll" in reached, "the table scrolls by arrow keys"


def test_the_focus_is_seen(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["reference"])
    pressed(chrome, Keys.TAB, Keys.TAB)
    style = "const style = getComputedStyle(document.activeElement); return style.outlineStyle + style.outlineWidth"
    assert chrome.execute_script(style) == "solid3px"


# --- every screen ---


@pytest.mark.parametrize("fleet", FLEETS)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_itself_never_scrolls_sideways(fleet: str, width: int, chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages[fleet], width=width)
    for details in chrome.find_elements(By.CSS_SELECTOR, "#services details")[:2]:
        chrome.execute_script("arguments[0].open = true", details)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    assert chrome.execute_script("return innerWidth") == width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("fleet", ["reference", "forty"])
def test_contrast(fleet: str, dark: bool, chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages[fleet], dark=dark)
    ground = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 22, 27)" if dark else "rgb(255, 255, 255)")
    texts = contrasts(chrome)
    assert len(texts) > 15
    assert texts[0]["ratio"] >= 4.5, texts[0]


def test_what_a_screen_reader_is_told(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["forty"])
    tree = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert {"main", "banner", "search", "table", "columnheader", "rowheader", "heading", "status"} <= set(roles)
    nameless = [
        node["role"]["value"]
        for node in tree
        if not node["ignored"]
        and node["role"]["value"]
        in {"searchbox", "combobox", "checkbox", "button", "link", "table", "region", "heading"}
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    levels = chrome.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = chrome.execute_script("return [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))


# --- nothing gets in, nothing gets out ---


@pytest.mark.parametrize("fleet", FLEETS)
def test_no_request_and_no_complaint(fleet: str, chrome: Chrome, pages: dict[str, Path]) -> None:
    chrome.get("about:blank")
    complaints(chrome)
    chrome.get_log("performance")
    opened(chrome, pages[fleet])
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert asked == [pages[fleet].as_uri()]
    assert complaints(chrome) == []


def test_what_files_say_is_text(chrome: Chrome, pages: dict[str, Path]) -> None:
    opened(chrome, pages["hostile"])
    shown = '</script><img src=x onerror="document.title=1">{{7*7}}\\u202e\\x1b[2J'
    assert chrome.title == "Version board"
    assert chrome.find_elements(By.TAG_NAME, "img") == []
    assert f"@{shown}" in seen(chrome, ".board td")
    assert shown in seen(chrome, "#c-a")[0] and shown in seen(chrome, ".chart")[0]
    type_into(chrome, "clusters-wanted", "onerror")
    assert seen(chrome, ".board tbody th") == ["a"]
    type_into(chrome, "clusters-wanted", "")
    Select(chrome.find_element(By.CSS_SELECTOR, "select[data-key=env]")).select_by_index(2)
    assert len(seen(chrome, ".board tbody th")) == 1


def test_the_policy_runs_nothing_else(chrome: Chrome, pages: dict[str, Path], tmp_path: Path) -> None:
    """The same page with what an injection would add: the browser itself refuses it."""
    text = pages["reference"].read_text()
    added = "<script>document.title = 'run'</script><p onclick=\"x()\" style='color: red'>x<img src='https://example.com/x'>"
    changed = tmp_path / "changed.html"
    changed.write_text(text.replace("<main>", f"<main>{added}"))
    opened(chrome, changed)
    assert chrome.title == "Version board"
    refused = " ".join(complaints(chrome))
    assert all(word in refused for word in ("script-src", "style-src", "default-src"))


# --- without a browser ---


class Outline(HTMLParser):
    """Tags and texts, as a program without JavaScript reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("fleet", FLEETS)
def test_one_file_and_nothing_hidden_without_scripts(fleet: str, pages: dict[str, Path]) -> None:
    outline = Outline()
    outline.feed(pages[fleet].read_text())
    assert not [attrs for _, attrs in outline.tags if "src" in attrs or "style" in attrs or "onclick" in attrs]
    assert all(str(attrs["href"]).startswith("#") for _, attrs in outline.tags if "href" in attrs)
    assert [tag for tag, attrs in outline.tags if "hidden" in attrs] == ["form"]
    assert outline.tags[0] == ("html", {"lang": "en"})


def test_the_same_board_is_the_same_page(pages: dict[str, Path], clean_env: dict[str, str]) -> None:
    again = run(["list", "-o", "html"], CHECKOUT, {**clean_env, "TERM": "dumb", "COLUMNS": "20"})
    assert again.stdout == pages["reference"].read_bytes()
