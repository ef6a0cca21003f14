"""Where upstream charts and what helm prints of them are on this machine, if they are."""

from __future__ import annotations

import os
from pathlib import Path

from program import CHECKOUT

VARIABLE = "CMP_PLUGIN_TEST_CHARTS"
_CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
CHARTS = Path(os.environ.get(VARIABLE) or os.path.join(_CACHE, "cmp-plugin", "test-charts"))
PRINTED = Path(CHECKOUT).parent / "shared" / "real"
