"""The package's modules import one way, without cycles, and `generate` imports little."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from program import CHECKOUT

from cmp_plugin.commands.parser import GROUPS

PACKAGE = Path(CHECKOUT, "cmp_plugin")

# Top first. A module imports from its own line or from lines below it.
ORDER = [
    "__main__ cli",
    "commands commands.*",
    "argocd argocd.*",
    "render render.*",
    "charts charts.*",
    "fleet fleet.*",
    "specs specs.*",
    "tools tools.*",
    "system system.* goyaml goyaml.*",
    "errors verbose cmp_plugin",
]

# What every command may use. Apart from these a command's room imports nothing of another command's.
SHARED = {f"commands.{name}" for name in "arguments outdir parser progress terminal warnings".split()}

# What costs milliseconds at start-up and `generate` has no use for.
TOO_SLOW = {
    "argcomplete",
    "argparse",
    "asyncio",
    "concurrent",
    "dataclasses",
    "difflib",
    "email",
    "fastjsonschema",
    "http",
    "importlib.metadata",
    "inspect",
    "logging",
    "multiprocessing",
    "pathlib",
    "jinja2",
    "pydantic",
    "rich",
    "ssl",
    "unittest",
    "urllib.request",
}


def module_name(path: Path) -> str:
    """`tools.helm`; the package itself is `cmp_plugin`, a subpackage has its own name."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or "cmp_plugin"


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def rank(module: str) -> int:
    """The module's line in ORDER, the most exact pattern deciding; -1 when it has none."""
    exact = [i for i, line in enumerate(ORDER) if module in line.split()]
    loose = [i for i, line in enumerate(ORDER) if any(fnmatchcase(module, p) for p in line.split())]
    return (exact or loose or [-1])[0]


def imports(module: str) -> set[str]:
    """Our modules that it imports, anywhere in its text."""
    path = MODULES[module]
    package = ["cmp_plugin", *path.relative_to(PACKAGE).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= ours(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            found |= {name for alias in node.names for name in ours([f"{base}.{alias.name}"]) or ours([base])}
    return found - {module}


def ours(names: Iterable[str]) -> set[str]:
    return {
        short
        for name in names
        if name.split(".")[0] == "cmp_plugin" and (short := name.removeprefix("cmp_plugin.")) in MODULES
    }


GRAPH = {module: imports(module) for module in MODULES}


def test_every_module_has_its_place() -> None:
    homeless = [module for module in MODULES if rank(module) < 0]
    assert not homeless, f"give them a line in ORDER: {homeless}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    upwards = {other for other in GRAPH[module] if rank(other) < rank(module)}
    assert not upwards, f"{module} imports {sorted(upwards)}, which are above it"


def test_commands_do_not_ask_each_other() -> None:
    """A room is a package in commands/, or a module there: what two of them need lies further down."""
    edges = {
        (module, other)
        for module, others in GRAPH.items()
        for other in others - SHARED
        if module.startswith("commands.") and other.startswith("commands.")
        if module.split(".")[1] != other.split(".")[1]
    }
    assert not edges


def test_there_is_no_cycle() -> None:
    graphlib.TopologicalSorter(GRAPH).prepare()


def test_every_module_is_used() -> None:
    """What only scripts, tests or nobody imports is not for the wheel."""
    commands = [f"commands.{command.module}" for group in GROUPS.values() for command in group.values()]
    waiting = ["__main__", "cli", *commands, *(f"commands.importing.{kind}" for kind in ("kustomize", "applications"))]
    used: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in used:
            used.add(module)
            waiting += GRAPH[module]
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert set(MODULES) - used - packages == set()


def test_processes_start_in_one_place() -> None:
    allowed = {"system.process"}
    starters = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(a.name == "subprocess" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "subprocess")
    }
    assert starters == allowed


FLEET = {
    "fleet.yaml": "kind: Fleet\nrepoURL: https://git.example.com/fleet.git\n",
    "services/notes/service.yaml": "kind: Service\nnamespace: notes\nresources: [notes.yaml]\n"
    'metadata: {labels: {team: web}}\nvariants: {dev: {when: {env: dev}, vars: {a: "b"}}}\n',
    "services/notes/notes.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\n",
    "clusters/one/cluster.yaml": "kind: Cluster\ndestination: {name: one}\nservices: {notes: }\n",
}


def lay_out(fleet: Path) -> None:
    for name, text in FLEET.items():
        path = fleet / name
        path.parent.mkdir(parents=True, exist_ok=True)
        spec = "apiVersion: v1" not in text
        path.write_text(("apiVersion: cmp-plugin/v1alpha1\n" if spec else "") + text)


def test_generate_imports_little(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """One service of one cluster as Argo CD asks for it, and every import of that process."""
    lay_out(tmp_path)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cmp_plugin", "generate"],
        cwd=tmp_path / "clusters" / "one",
        env={
            **clean_env,
            "ARGOCD_APP_NAME": "one-notes",
            "ARGOCD_APP_NAMESPACE": "notes",
            "ARGOCD_APP_PARAMETERS": '[{"name": "service", "string": "notes"}]',
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    timed = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert (done.returncode, said) == (0, [])
    assert '"kind":"ConfigMap"' in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in timed}
    assert "cmp_plugin.cli" in imported
    slow = {name for name in imported if any(name == slow or name.startswith(slow + ".") for slow in TOO_SLOW)}
    assert not slow, f"imported on the hot path: {sorted(slow)}"


PAGE = Path(CHECKOUT, "docs", "architecture.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The names in backticks of each row below a heading of docs/architecture.md, cell by cell, in order."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[name for cell in row[:2] for name in re.findall(r"`([a-z_.A-Z]+)`", cell)] for row in rows]


def test_the_page_names_the_packages_in_their_order() -> None:
    named = [name for row in table("The packages") for name in row[:2] if name in {m.split(".")[0] for m in MODULES}]
    assert [rank(name) for name in named] == sorted(rank(name) for name in named)
    assert set(named) == {module.split(".")[0] for module in MODULES} - {"cmp_plugin", "__main__"}


def steps() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in table("One render")]


@pytest.mark.parametrize(("caller", "called"), steps(), ids=str)
def test_each_step_of_the_render_is_an_import(caller: str, called: str) -> None:
    """The function exists, and the module that calls it imports it."""
    parts = called.split(".")
    module = max((".".join(parts[:end]) for end in range(1, len(parts)) if ".".join(parts[:end]) in MODULES), key=len)
    tree: ast.AST = ast.parse(MODULES[module].read_text())
    for name in called.removeprefix(module + ".").split("."):
        inner = [node for node in ast.iter_child_nodes(tree) if getattr(node, "name", "") == name]
        assert inner, f"{module} has no {name}"
        tree = inner[0]
    assert module in GRAPH[caller] or module == caller


def test_the_steps_of_the_render_are_connected() -> None:
    """A step starts where an earlier one has led to, or in a module that such a one imports."""
    reached = {"cli"}
    for caller, called in steps():
        assert caller in reached or any(caller in GRAPH[module] for module in reached), caller
        reached |= {module for module in MODULES if called.startswith(f"{module}.")}


def test_owners_on_the_page_exist() -> None:
    owners = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", PAGE.partition("## Where a question is answered")[2])
    assert len(owners) >= 10
    assert not [owner for owner in owners if owner not in MODULES]
