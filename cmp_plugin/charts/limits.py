"""How much of what comes from elsewhere is taken, packed or not: one set of bounds, whoever reads it."""

from __future__ import annotations

# Where no source is given, a number is chosen, not measured: far above what a chart needs, and little enough
# that reading it neither fills the memory nor keeps a render waiting.
MAX_ARCHIVE = 64 << 20  # bytes of a chart's archive
MAX_BYTES = 100 << 20  # unpacked, over all charts inside: Helm's own bound for an archive (pkg/chart/loader/archive)
MAX_FILES = 20_000
# An archive of more than MIN_RATIO_BYTES unpacks to at most so many times its size; upstream CRDs reach 30.
MAX_RATIO = 200
MIN_RATIO_BYTES = 16 << 20
MAX_DEPTH = 5  # charts inside each other, or that name each other by `file://`
