"""Debian's chromium without a window, driven by selenium: what a person's browser makes of a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from program import needed
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# A browser in CI runs as root and without a network; what it would ask the world for is off.
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars"
).split()


@contextmanager
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a new, empty profile; it writes down what a page complains of."""
    needed("chromium", "chromedriver")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium and chromedriver
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(chromedriver, env={**os.environ, "SE_AVOID_STATS": "true"})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def look(driver: webdriver.Chrome, *, width: int = 1280, dark: bool = False) -> None:
    """As somebody with that screen and that taste sees it from now on."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def complaints(driver: webdriver.Chrome) -> list[str]:
    """Errors and warnings of the page's console since the last call, a broken policy's among them."""
    return [entry["message"] for entry in driver.get_log("browser")]


def contrasts(driver: webdriver.Chrome) -> list[dict[str, Any]]:
    """Every text on the page with its contrast to what is behind it, by WCAG's formula, lowest first."""
    found: list[dict[str, Any]] = driver.execute_script(CONTRASTS)
    return found


CONTRASTS = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if ((parts(colour)[3] ?? 1) > 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
const found = new Map();
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const said = own || element.matches("input, select");
  if (!said || !element.checkVisibility() || element.matches("script, option, .vh")) continue;
  const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  const key = `${element.tagName}.${element.className}`;
  if (!(found.get(key)?.ratio < ratio)) found.set(key, { key, ratio, text: element.textContent.slice(0, 40) });
}
return [...found.values()].sort((a, b) => a.ratio - b.ratio);
"""
