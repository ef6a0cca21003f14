"""Version ranges of `tools`, as npm and Helm users write them: `~4.3`, `>=4.3.1 <4.5`, `4.x`.

The library decides; it is imported only when the range is not of the everyday form `~4.3`, because
that costs more time than all else that happens here. Versions are complete: `4.3.1`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodesemver import Range

_EVERYDAY = re.compile(r"~(\d+\.\d+)")
_HIGHEST_MAJOR = 99


def satisfies(version: str, text: str) -> bool:
    """Whether `version` lies in the range. ValueError, with a sentence, when it is no range."""
    if everyday := _EVERYDAY.fullmatch(text):
        return re.fullmatch(re.escape(everyday[1]) + r"\.\d+(\+.*)?", version) is not None
    return bool(_range(text).test(version))


def majors(text: str) -> list[int]:
    """The major versions that the range admits, at most up to 99. ValueError as above."""
    if everyday := _EVERYDAY.fullmatch(text):
        return [int(everyday[1].split(".")[0])]
    wanted = _range(text)
    return [
        major for major in range(_HIGHEST_MAJOR + 1) if any(wanted.test(version) for version in _samples(text, major))
    ]


def _range(text: str) -> Range:
    from nodesemver import make_range

    message = f'"{text}" is no version range such as "~4.3" or ">=4.3.1 <4.5"'
    if not text.strip():
        raise ValueError(message)
    try:
        return make_range(text.replace(",", " "), False)
    except ValueError:
        raise ValueError(message) from None


def _samples(text: str, major: int) -> list[str]:
    """Versions of a major of which one is in the range if any is: its ends and all bounds."""
    found = [f"{major}.0.0", f"{major}.999999.999999"]
    for numbers in re.findall(r"\d+(?:\.\d+){0,2}", text):
        first, minor, patch = [*map(int, numbers.split(".")), 0, 0][:3]
        if first == major:
            found += [f"{first}.{minor}.{patch}", f"{first}.{minor}.{patch + 1}"]
    return found
