"""Measure an Application through argocd-repo-server: with the plugin, and with Argo CD's own Helm source.

Both go through one repo-server, in turn, each at a commit it has not seen, so that git, the transfer of
files and the render all count. Writes its table in benchmarks/README.md. `make bench-argocd`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / place) for place in ("scripts", "tests/support", "tests/real_argocd")]

import commits  # noqa: E402 (found by the line above, like all that follow)
import workload  # noqa: E402
from applications import as_application  # noqa: E402
from build import ARGOCD, directory  # noqa: E402
from checkout import CHECKOUT  # noqa: E402
from cmp_server import PLUGIN, Application, CmpServer, cmp_server, put_commands  # noqa: E402
from measure import Command, once  # noqa: E402
from program import PROGRAM, environment, required  # noqa: E402
from repo_server import RepoServer, redis, repo_server  # noqa: E402
from repository import Repository  # noqa: E402
from set_up import HELM4  # noqa: E402

README = HERE / "README.md"
MARKS = ("<!-- argocd: begin -->\n", "<!-- argocd: end -->")
ROUNDS = 7
CLUSTER = Application(workload.CLUSTER, f"clusters/{workload.CLUSTER}", paths="/fleet.yaml;/profiles;/services;.")
CASES = {
    "a small chart": workload.small,
    "a chart of one second": workload.heavy,
    "a chart that prints 5 MB": workload.large,
}


class Times(NamedTuple):
    """Median seconds of one case."""

    plugin: float
    native: float
    generate: float
    helm: float


def main() -> int:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cmp-")))
        server, plugin = started(stack, scratch)
        rows = []
        for number, (what, write) in enumerate(CASES.items(), 1):
            step(number, what)
            rows.append((what, times(server, scratch / f"case-{number}", write)))
        step(len(CASES) + 1, "what is streamed")
        text = table(rows) + streams(server, scratch)
        step(len(CASES) + 2, "a commit to a fleet of 1,000 Applications")
        text += "\n" + commits.report(server, plugin, scratch / "fleet-of-applications")
    before, _, rest = README.read_text().partition(MARKS[0])
    README.write_text(before + MARKS[0] + text + MARKS[1] + rest.partition(MARKS[1])[2])
    print(text)
    return 0


def step(number: int, what: str) -> None:
    print(f"[{number}/{len(CASES) + 2}] {what}", file=sys.stderr, flush=True)


def started(stack: ExitStack, scratch: Path) -> tuple[RepoServer, CmpServer]:
    """repo-server with the settings of docs/argocd-values.yaml, and the plugin's server beside it."""
    commands, sockets = put_commands(scratch / "commands"), scratch / "sockets"
    sockets.mkdir()
    plugin = Path(CHECKOUT, "plugin.yaml").read_text()
    ours = stack.enter_context(cmp_server(scratch / "cmp-server", plugin, PLUGIN, sockets, commands))
    recording = plugin.replace("name: cmp-plugin", "name: recorder").replace("[cmp-plugin, generate]", "[record]")
    Path(commands, "record").write_text(RECORD)
    Path(commands, "record").chmod(0o755)
    stack.enter_context(cmp_server(scratch / "recorder", recording, "recorder", sockets, commands))
    port = stack.enter_context(redis(scratch / "redis"))
    flags = ("--plugin-use-manifest-generate-paths", "--plugin-tar-exclude", ".git")
    # Argo CD's own Helm source needs a helm, too: the same one.
    path = {"PATH": os.pathsep.join([commands, str(directory(ARGOCD)), os.environ["PATH"]])}
    return stack.enter_context(repo_server(scratch / "repo-server", sockets, port, path, *flags)), ours


# Instead of a render: a ConfigMap that says what was sent.
RECORD = f"""#!{sys.executable}
import json, os
root = os.getcwd()
while os.path.basename(os.path.dirname(root)) != "_cmp_server":
    root = os.path.dirname(root)
files = [os.path.join(place, name) for place, _, names in os.walk(root) for name in names]
sent = {{"files": str(len(files)), "bytes": str(sum(os.lstat(file).st_size for file in files))}}
print(json.dumps({{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "sent"}}, "data": sent}}))
"""


def times(server: RepoServer, scratch: Path, write: Callable[[str], object]) -> Times:
    fleet = Repository(scratch / "fleet")
    write(str(fleet.root))
    (generated,) = server.manifests(fleet.url, fleet.commit(), CLUSTER)
    child = as_application(json.loads(generated))
    (name,) = {path.parent.name for path in fleet.root.glob("services/*/service.yaml")}
    native = Application("native", f"services/{name}/chart", plugin="", namespace="bench")
    samples: dict[str, list[float]] = {"plugin": [], "native": [], "generate": [], "helm": []}
    for number in range(ROUNDS + 1):
        fresh = fleet.commit({"round.txt": f"plugin {number}"})
        samples["plugin"].append(timed(server, fleet, fresh, child))
        fresh = fleet.commit({"round.txt": f"native {number}"})
        samples["native"].append(timed(server, fleet, fresh, native))
        samples["generate"].append(once(generate(scratch, fleet, child)).seconds)
        samples["helm"].append(once(helm(scratch, fleet, name)).seconds)
    return Times(**{each: statistics.median(found[1:]) for each, found in samples.items()})


def timed(server: RepoServer, fleet: Repository, commit: str, application: Application) -> float:
    started = time.perf_counter()
    server.manifests(fleet.url, commit, application, seconds=300)
    return time.perf_counter() - started


def generate(scratch: Path, fleet: Repository, child: Application) -> Command:
    """What the sidecar runs, without Argo CD."""
    parameters = [{"name": name, "string": value} for name, value in child.parameters.items()]
    env = environment(str(scratch / "home")) | {"ARGOCD_APP_PARAMETERS": json.dumps(parameters)}
    return Command((PROGRAM, "generate"), str(fleet.root / child.path), env)


def helm(scratch: Path, fleet: Repository, name: str) -> Command:
    words = (
        "template",
        name,
        "chart",
        "--namespace",
        "bench",
        "--include-crds",
        "--kube-version",
        workload.KUBE_VERSION,
    )
    env = environment(str(scratch / "home"))
    return Command((required(*HELM4).path, *words), str(fleet.root / "services" / name), env)


def table(rows: list[tuple[str, Times]]) -> str:
    lines = ["| one Application, a new commit | plugin | Helm source | ratio | of it: generate | of that: helm |"]
    lines.append("|---|---|---|---|---|---|")
    for what, each in rows:
        cells = [f"{seconds:.2f} s" for seconds in (each.plugin, each.native)]
        cells.append(f"{each.plugin / each.native:.2f}")
        cells += [f"{seconds:.2f} s" for seconds in (each.generate, each.helm)]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n\n"


def streams(server: RepoServer, scratch: Path) -> str:
    lines = ["| clusters in the fleet | sent for a service's Application | sent for a cluster's |", "|---|---|---|"]
    for count in (10, 1000):
        fleet = Repository(scratch / f"fleet-{count}")
        workload.small(str(fleet.root))
        cluster = (fleet.root / CLUSTER.path / "cluster.yaml").read_text()
        for number in range(count - 1):
            workload.write(str(fleet.root / f"clusters/other-{number}/cluster.yaml"), cluster)
        fleet.commit()
        (generated,) = server.manifests(fleet.url, fleet.head, CLUSTER)
        child = as_application(json.loads(generated))
        cells = [sent(server, fleet, each) for each in (child, CLUSTER)]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def sent(server: RepoServer, fleet: Repository, application: Application) -> str:
    (recorded,) = server.manifests(fleet.url, fleet.head, application._replace(plugin="recorder"))
    data = json.loads(recorded)["data"]
    return f"{int(data['files']):,} files, {int(data['bytes']):,} bytes"


if __name__ == "__main__":
    sys.exit(main())
