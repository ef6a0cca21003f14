"""Each test here has a home and a store of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _alone(own_environment: None) -> None:
    """See support/chart_repository.py."""
