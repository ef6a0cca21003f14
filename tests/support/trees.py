"""The trees to import: copies of what lies in trees/, or a few lines each; and the fleets made of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

from program import CHECKOUT, Outcome, run

HERE = Path(CHECKOUT, "tests", "commands", "importing")


def copied(name: str, into: Path) -> Path:
    """A copy of trees/<name>."""
    return Path(shutil.copytree(HERE / "trees" / name, into / name))


def lay_out(root: Path, files: dict[str, str]) -> Path:
    """A tree of a few files."""
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))
    return root


def is_as_expected(fleet: Path, name: str, regenerate: bool) -> None:
    """Compares a fleet, but for the schemas, with fleets/<name>; `--regenerate` writes that anew."""
    wanted = HERE / "fleets" / name
    if regenerate:
        shutil.rmtree(wanted, ignore_errors=True)
        shutil.copytree(fleet, wanted, ignore=shutil.ignore_patterns("schemas", "service.lock"))
    seen = {path: text for path, text in texts(fleet).items() if not path.startswith("schemas/")}
    assert {path: text for path, text in seen.items() if not path.endswith(".lock")} == texts(wanted)


def texts(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def previewed(fleet: Path, cluster: str, service: str, env: dict[str, str]) -> list[dict[str, Any]]:
    """What the fleet gives, as a person would look."""
    done = run(["preview", cluster, service, "-o", "json"], str(fleet), env)
    assert done.code == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Equal as sets of objects."""
    return sorted(json.dumps(each, sort_keys=True) for each in one) == sorted(
        json.dumps(each, sort_keys=True) for each in other
    )


def said(done: Outcome) -> tuple[int, str, list[str]]:
    return done.code, done.stdout.decode(), done.stderr.decode().splitlines()


def tool(*words: str) -> str:
    """What a tool prints, asked as its user asks it."""
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True, timeout=120).stdout
