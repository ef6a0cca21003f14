"""Fixtures for all tests: the real tools, and a clean environment to run the program in."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest
from program import environment, required
from set_up import HELM3, HELM4, KUSTOMIZE5

pytest_plugins = ["chart_repository"]

# A job in the background of a shell starts with SIGINT ignored, and so would every program under test.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no finding.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: two more than there are cores, as a third of the time tests only wait."""
    return (os.cpu_count() or 1) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden cases' expected output anew")


@pytest.fixture(scope="session")
def helm4() -> str:
    """Path of a helm 4.3."""
    return required(*HELM4).path


@pytest.fixture(scope="session")
def helm3() -> str:
    """Path of a helm 3.22."""
    return required(*HELM3).path


@pytest.fixture(scope="session")
def kustomize() -> str:
    """Path of a kustomize 5.8."""
    return required(*KUSTOMIZE5).path


@pytest.fixture(scope="session")
def clean_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the program finds the tools and nothing else of this machine."""
    return environment(str(tmp_path_factory.mktemp("home")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """After the tests of the documentation: what of it is not run, and why."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    if any(report.nodeid.startswith("tests/repository/test_docs.py") for report in reports):
        from documents import summary

        for line in summary():
            terminalreporter.write_line(line)
