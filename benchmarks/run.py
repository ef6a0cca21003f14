"""Measure cmp-plugin against the bare tools and write the table in benchmarks/README.md.

Every figure compares commands of one run, in turn, by their medians: the machine's own speed, and
what else it does meanwhile, weighs on both sides. `make bench`.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import boards
import elsewhere
import scale
import workload
import yaml
from checkout import CHECKOUT
from measure import Command, Measured, interleaved, once
from program import PROGRAM, environment, required
from set_up import HELM4, KUSTOMIZE5

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "README.md")
MARKS = ("<!-- figures: begin -->\n", "<!-- figures: end -->")
# Runs the program and, at its end, writes its own peak memory in KiB, its children's left out.
OWN_PEAK = (
    "import os,resource,sys; from cmp_plugin.cli import main; code = main(sys.argv[2:]);"
    "open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss));"
    "sys.exit(code)"
)


class Row(NamedTuple):
    """One line of the table; `met` compares with the limit before rounding."""

    what: str
    ours: str
    bare: str
    figure: str
    limit: str
    met: bool

    def __str__(self) -> str:
        cells = [
            self.what,
            self.ours,
            self.bare,
            self.figure,
            self.limit,
            "yes" if self.met else "no",
        ]
        return f"| {' | '.join(cells)} |"


class Bench:
    """A private directory, a clean environment, and how the commands look there."""

    def __init__(self, scratch: str) -> None:
        self.scratch = scratch
        self.env = environment(os.path.join(scratch, "home"))
        self.helm = required(*HELM4).path
        self.kustomize = required(*KUSTOMIZE5).path

    def place(self, name: str) -> str:
        return os.path.join(self.scratch, name)

    def generate(self, fleet: str, service: str) -> Command:
        """What Argo CD runs for one service."""
        return Command((PROGRAM, "generate"), *self.asked(fleet, service))

    def asked(self, fleet: str, service: str) -> tuple[str, dict[str, str]]:
        parameters = json.dumps([{"name": "service", "string": service}])
        env = {
            **self.env,
            "ARGOCD_APP_NAME": f"{workload.CLUSTER}-{service}",
            "ARGOCD_APP_PARAMETERS": parameters,
        }
        return os.path.join(fleet, "clusters", workload.CLUSTER), env

    def helm_words(self, service: str) -> tuple[str, ...]:
        """Bare helm with the same settings, in the service's directory."""
        fixed = (
            "--namespace",
            "bench",
            "--include-crds",
            "--skip-tests",
            "--kube-version",
            workload.KUBE_VERSION,
        )
        return (self.helm, "template", service, "chart", *fixed)

    def bare(self, fleet: str, service: str) -> Command:
        return Command(self.helm_words(service), os.path.join(fleet, "services", service), self.env)

    def loop(self, name: str, lines: list[str]) -> Command:
        """Two shell commands at a time, as a person would do it with xargs."""
        path = self.place(name)
        with open(path, "w") as file:
            file.writelines(f"{line} >/dev/null\n" for line in lines)
        words = ("sh", "-c", f"xargs -P 2 -d '\\n' -n 1 sh -c < {shlex.quote(path)}")
        return Command(words, self.scratch, self.env)


def seconds(measured: Measured) -> str:
    value = measured.seconds
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def ratio_row(what: str, found: dict[str, Measured], limit: float) -> Row:
    ours, bare = found["ours"], found["bare"]
    ratio = ours.seconds / bare.seconds
    return Row(what, seconds(ours), seconds(bare), f"{ratio:.2f} x", f"{limit} x", ratio <= limit)


def heavy_chart(bench: Bench) -> list[Row]:
    fleet = bench.place("heavy")
    workload.heavy(fleet)
    commands = {"ours": bench.generate(fleet, "web"), "bare": bench.bare(fleet, "web")}
    return [
        ratio_row(
            "a chart that keeps helm busy: `generate` / `helm template`",
            interleaved(commands, 9),
            1.2,
        )
    ]


def small_chart(bench: Bench) -> list[Row]:
    fleet = bench.place("small")
    workload.small(fleet)
    commands = {
        "ours": bench.generate(fleet, "web"),
        "bare": bench.bare(fleet, "web"),
        "python": Command((sys.executable, "-c", "pass"), fleet, bench.env),
    }
    found = interleaved(commands, 31)
    extra = (found["ours"].seconds - found["bare"].seconds - found["python"].seconds) * 1000
    bare = f"{seconds(found['bare'])} + {seconds(found['python'])}"
    what = "a small chart: `generate` - (`helm template` + `python -c pass`)"
    return [Row(what, seconds(found["ours"]), bare, f"{extra:.0f} ms", "80 ms", extra <= 80)]


def large_output(bench: Bench) -> list[Row]:
    fleet, overlay = bench.place("large"), bench.place("overlay")
    workload.large(fleet)
    workload.large_kustomization(overlay, fleet)
    words = (bench.kustomize, "build", "--enable-helm", "--helm-command", bench.helm, ".")
    commands = {
        "ours": bench.generate(fleet, "prometheus"),
        "bare": Command(words, overlay, bench.env),
    }
    found = interleaved(commands, 5)
    source = "kube-prometheus-stack's" if workload.has_real_output() else "made"
    what = f"5 MB of output ({source}), one strategic merge patch: `generate` / `kustomize build --enable-helm`"
    peak = own_peak(bench, fleet)
    whole = f"{found['bare'].peak:.0f} MiB"
    memory = Row(
        "the same, peak memory of our process",
        f"{peak:.0f} MiB",
        whole,
        f"{peak:.0f} MiB",
        "250 MB",
        peak * 1.048576 <= 250,
    )
    return [ratio_row(what, found, 0.7), memory]


def own_peak(bench: Bench, fleet: str) -> float:
    """MiB that our process itself held at most, its tools left out."""
    report = bench.place("peak")
    cwd, env = bench.asked(fleet, "prometheus")
    once(Command((sys.executable, "-c", OWN_PEAK, report, "generate"), cwd, env))
    with open(report) as file:
        return int(file.read()) / 1024


def laptop_cluster(bench: Bench) -> list[Row]:
    """The reference fleet's kind.local against helm for its charts and kustomize for the rest."""
    names = expanded(bench)
    ours = (PROGRAM, "preview", "kind.local", "--jobs", "2", "-o", "json")
    build = (bench.kustomize, "build", "--enable-helm", "--helm-command", bench.helm)
    whole = [shlex.join((*build, bench.place(f"laptop-{name}"))) for name in names]
    commands = {
        "ours": Command(ours, CHECKOUT, bench.env),
        "bare": bench.loop("laptop", [bare_line(bench, name) for name in names]),
        "whole": bench.loop("laptop-whole", whole),
    }
    found = interleaved(commands, 9)
    what = f"the laptop cluster, {len(names)} services: `preview --jobs 2` / `xargs -P 2` over"
    same = {"ours": found["ours"], "bare": found["whole"]}
    return [
        ratio_row(f"{what} the bare tools, without patches and images", found, 1.3),
        ratio_row(f"{what} `kustomize build --enable-helm` of what `expand` writes", same, 1.3),
    ]


def generated_fleet(bench: Bench) -> list[Row]:
    fleet = bench.place("many")
    names = workload.many(fleet, 200)
    lines = [
        f"cd {shlex.quote(os.path.join(fleet, 'services', name))} && {shlex.join(bench.helm_words(name))}"
        for name in names
    ]
    ours = (PROGRAM, "preview", workload.CLUSTER, "--jobs", "2", "-o", "json")
    commands = {"ours": Command(ours, fleet, bench.env), "bare": bench.loop("loop", lines)}
    what = "200 small charts: `preview --jobs 2` / `xargs -P 2 helm template`"
    return [ratio_row(what, interleaved(commands, 3), 1.3)]


def chart_from_elsewhere(bench: Bench) -> list[Row]:
    """Locked and in the cache, or vendored, against the same chart as a directory of the fleet."""
    fleet, mirror = bench.place("elsewhere"), bench.place("mirror")
    elsewhere.one_chart(fleet, mirror, bench.helm)
    for verb in ("lock", "vendor"):
        once(Command((PROGRAM, verb), fleet, {**bench.env, "CMP_PLUGIN_CHART_MIRROR": mirror}))
    shutil.rmtree(os.path.join(fleet, "services", "stored", "charts"))
    found = interleaved({way: bench.generate(fleet, way) for way in elsewhere.WAYS}, 31)
    rows = []
    for way in ("stored", "vendored"):
        extra = (found[way].seconds - found["directory"].seconds) * 1000
        what = f"a locked chart, {way}: `generate` - `generate` with the chart as a directory"
        ours, bare = seconds(found[way]), seconds(found["directory"])
        rows.append(Row(what, ours, bare, f"{extra:.0f} ms", "15 ms", extra <= 15))
    return rows


def lock_check(bench: Bench) -> list[Row]:
    fleet = bench.place("thousand")
    elsewhere.thousand(fleet)
    found = interleaved({"ours": Command((PROGRAM, "lock", "--check"), fleet, bench.env)}, 5)["ours"]
    what = "`lock --check` of 1,000 clusters with 20 services each"
    return [Row(what, seconds(found), "", seconds(found), "3 s", found.seconds <= 3)]


def version_board(bench: Bench) -> list[Row]:
    """`list` of 100 and 1,000 clusters, nearly every one with a pin of its own; and the page of the larger."""
    fleets = {size: str(boards.fleet(Path(bench.place(f"board-{size}")), size, pins=size)) for size in (100, 1000)}
    commands = {str(size): Command((PROGRAM, "list"), fleet, bench.env) for size, fleet in fleets.items()}
    commands["page"] = Command((PROGRAM, "list", "-o", "html"), fleets[1000], bench.env)
    found = interleaved(commands, 3)
    exponent = math.log10(found["1000"].seconds / found["100"].seconds)
    listed = f"{seconds(found['100'])} / {seconds(found['1000'])}"
    page = found["page"]
    return [
        Row(
            "`list` of 100 / 1,000 clusters, 20 services each: growth exponent",
            listed,
            "",
            f"{exponent:.2f}",
            "1.05",
            exponent <= 1.05,
        ),
        Row("`list -o html` of the 1,000", seconds(page), "", seconds(page), "5 s", page.seconds <= 5),
    ]


def one_line(bench: Bench) -> list[Row]:
    """`diff` of commits of one line in a fleet of 2,000 renders, less the bare renders that it cannot do without."""
    fleet = bench.place("diffed")
    scale.fleet(fleet, 100)
    commits = [commit(fleet, bench)]
    for file, old, new in (
        ("clusters/c0003/cluster.yaml", "size: 3", "size: 30"),
        ("services/s04/service.yaml", "size: 3", "size: 4"),
    ):
        path = os.path.join(fleet, file)
        with open(path) as opened:
            text = opened.read()
        with open(path, "w") as opened:
            opened.write(text.replace(old, new))
        commits.append(commit(fleet, bench))
    helm = f"cd {shlex.quote(os.path.join(fleet, 'services', 's04'))} && {shlex.join(bench.helm_words('s04'))}"
    few = {"ours": diff(fleet, bench, commits[0], commits[1]), "bare": bench.loop("two", [helm] * 2)}
    many = {"ours": diff(fleet, bench, commits[1], commits[2]), "bare": bench.loop("two-hundred", [helm] * 200)}
    return [
        extra_row("a line of a cluster, 2 renders: `diff` - 2 x `helm template`", interleaved(few, 9)),
        extra_row("a line of a service, 200 renders: `diff` - `xargs -P 2 helm template`", interleaved(many, 3)),
    ]


def diff(fleet: str, bench: Bench, base: str, head: str) -> Command:
    return Command((PROGRAM, "diff", base, head, "--jobs", "2"), fleet, bench.env)


def extra_row(what: str, found: dict[str, Measured]) -> Row:
    extra = found["ours"].seconds - found["bare"].seconds
    figure = f"{extra * 1000:.0f} ms"
    return Row(
        f"100 clusters, 20 services each; {what}",
        seconds(found["ours"]),
        seconds(found["bare"]),
        figure,
        "1 s",
        extra <= 1,
    )


def commit(directory: str, bench: Bench) -> str:
    """Everything in `directory` as a commit, whose name this is."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "x")):
        once(Command(("git", *identity, *words), directory, bench.env))
    asked = subprocess.run(
        ("git", "rev-parse", "HEAD"), cwd=directory, env=bench.env, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def growth(bench: Bench) -> list[Row]:
    """Applications of one cluster and of the root, in fleets of 10, 100 and 1,000 clusters."""
    one, whole = {}, {}
    for size in scale.SIZES:
        fleet = bench.place(f"scale-{size}")
        one[str(size)] = Command((PROGRAM, "generate"), scale.fleet(fleet, size), bench.env)
        whole[str(size)] = Command((PROGRAM, "generate"), fleet, bench.env)
    return [*flat_row(interleaved(one, 9)), *growth_rows(interleaved(whole, 3))]


def flat_row(found: dict[str, Measured]) -> list[Row]:
    times = [found[str(size)].seconds for size in scale.SIZES]
    most = max(abs(time / times[0] - 1) for time in times)
    listed = " / ".join(seconds(found[str(size)]) for size in scale.SIZES)
    what = "Applications of one cluster of 10 / 100 / 1,000, 20 services each"
    return [Row(what, listed, "", f"{most * 100:+.0f} %", "±10 %", most <= 0.1)]


def growth_rows(found: dict[str, Measured]) -> list[Row]:
    listed = " / ".join(seconds(found[str(size)]) for size in scale.SIZES)
    ratio = found["1000"].seconds / found["100"].seconds
    exponent = math.log10(ratio)
    what = "the root of 10 / 100 / 1,000 clusters: growth exponent from 100 to 1,000"
    peak = f"{found['1000'].peak:.0f} MiB"
    return [
        Row(what, listed, "", f"{exponent:.2f}", "1.05", exponent <= 1.05),
        Row("the root of 1,000 clusters, peak memory", peak, "", peak, "250 MB", found["1000"].peak <= 238),
    ]


def validation(bench: Bench) -> list[Row]:
    """Everything that can be known without a render, of fleets of 100 and 1,000 clusters with real work in charts."""
    commands = {}
    for size in scale.SIZES[1:]:
        fleet = bench.place(f"validate-{size}")
        scale.fleet(fleet, size)
        scale.describe_values(fleet)
        commands[str(size)] = Command((PROGRAM, "validate"), fleet, bench.env)
    found = interleaved(commands, 3)
    few, many = (found[str(size)] for size in scale.SIZES[1:])
    exponent = math.log10(many.seconds / few.seconds)
    listed = f"{seconds(few)} / {seconds(many)}"
    what = "`validate` of 100 / 1,000 clusters, 20 services each, every chart with a schema"
    return [
        Row(what, listed, "", seconds(many), "10 s", many.seconds <= 10),
        Row("the same: growth exponent", listed, "", f"{exponent:.2f}", "1.05", exponent <= 1.05),
        Row(
            "the same of 1,000, peak memory",
            f"{many.peak:.0f} MiB",
            "",
            f"{many.peak:.0f} MiB",
            "500 MB",
            many.peak <= 476,
        ),
    ]


def explained(bench: Bench) -> list[Row]:
    """Where one value comes from, on the reference fleet and in a fleet of 1,000 clusters."""
    fleet = bench.place("scale-1000")
    if not os.path.isdir(fleet):
        scale.fleet(fleet, 1000)
    commands = {
        "reference": Command((PROGRAM, "explain", "gke.prod", "web"), CHECKOUT, bench.env),
        "many": Command((PROGRAM, "explain", "c0003", "s03", "size"), fleet, bench.env),
    }
    found = interleaved(commands, 15)
    texts = {
        "reference": "`explain` every value of a service of the reference fleet",
        "many": "`explain` one value in a fleet of 1,000 clusters with 20 services each",
    }
    return [
        Row(texts[name], seconds(one), "", seconds(one), "300 ms", one.seconds <= 0.3) for name, one in found.items()
    ]


def expanded(bench: Bench) -> list[str]:
    """The laptop cluster's services, each written out as a kustomization of its own."""
    out = bench.place("laptop-out")
    once(Command((PROGRAM, "preview", "kind.local", "--out", out), CHECKOUT, bench.env))
    names = sorted(name.removesuffix(".yaml") for name in os.listdir(os.path.join(out, "kind.local")))
    for name in names:
        words = (PROGRAM, "expand", "kind.local", name, "--out", bench.place(f"laptop-{name}"))
        once(Command(words, CHECKOUT, bench.env))
    return names


def bare_line(bench: Bench, service: str) -> str:
    """One helm command where there is a chart, else one kustomize command; for a shell."""
    place = bench.place(f"laptop-{service}")
    with open(os.path.join(place, "kustomization.yaml")) as file:
        kustomization = yaml.safe_load(file)
    if not kustomization.get("helmCharts"):
        return shlex.join((bench.kustomize, "build", "--load-restrictor", "LoadRestrictionsNone", place))
    chart = kustomization["helmCharts"][0]
    home = kustomization.get("helmGlobals", {}).get("chartHome", "charts")
    words = (bench.helm, "template", chart["releaseName"], os.path.join(place, home, chart["name"]))
    values = ("--values", os.path.join(place, chart["valuesFile"])) if "valuesFile" in chart else ()
    fixed = (
        "--namespace",
        chart["namespace"],
        "--include-crds",
        "--kube-version",
        chart["kubeVersion"],
    )
    return shlex.join((*words, *values, *fixed))


CASES = (
    heavy_chart,
    small_chart,
    large_output,
    laptop_cluster,
    generated_fleet,
    chart_from_elsewhere,
    lock_check,
    validation,
    version_board,
    one_line,
    growth,
    explained,
)


def imports(bench: Bench) -> str:
    """What `generate` imports, by its own time: the ten dearest modules, from the best of five."""
    cwd, env = bench.asked(bench.place("small"), "web")
    words = (sys.executable, "-X", "importtime", "-m", "cmp_plugin", "generate")
    best = min((import_times(words, cwd, env) for _ in range(5)), key=lambda times: sum(times.values()))
    dearest = sorted(best.items(), key=lambda item: -item[1])[:10]
    bare = min(
        (import_times((*words[:3], "-c", "pass"), cwd, env) for _ in range(5)),
        key=lambda times: sum(times.values()),
    )
    lines = [f"{module:<32}{micros / 1000:6.1f} ms" for module, micros in dearest]
    total, least = sum(best.values()) / 1000, sum(bare.values()) / 1000
    return "\n".join(
        [
            f"{len(best)} modules, {total:.0f} ms; a Python that does nothing: {len(bare)} modules, {least:.0f} ms",
            "",
            *lines,
        ]
    )


def import_times(words: tuple[str, ...], cwd: str, env: dict[str, str]) -> dict[str, int]:
    """Module -> microseconds of its own."""
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", done.stderr, re.MULTILINE)
    return {module: int(micros) for micros, module in found}


def machine(bench: Bench) -> str:
    tools = ", ".join(
        f"{recipe.kind.name} {required(recipe, wanted).version}" for recipe, wanted in (HELM4, KUSTOMIZE5)
    )
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {tools}."


def report(rows: list[Row], bench: Bench) -> str:
    head = "| case | cmp-plugin | the bare tools | figure | limit | met |\n|---|---|---|---|---|---|\n"
    table = head + "".join(f"{row}\n" for row in rows)
    own = f"Imports of `generate`, each module's own time:\n\n```text\n{imports(bench)}\n```\n"
    return f"{machine(bench)}\n\n{table}\n{own}"


def main() -> int:
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-cmp-plugin-") as scratch:
        bench = Bench(scratch)
        for number, case in enumerate(CASES, start=1):
            print(
                f"[{number}/{len(CASES)}] {case.__name__.replace('_', ' ')}",
                file=sys.stderr,
                flush=True,
            )
            rows += case(bench)
        text = report(rows, bench)
    with open(README) as file:
        before, _, rest = file.read().partition(MARKS[0])
    with open(README, "w") as file:
        file.write(before + MARKS[0] + text + MARKS[1] + rest.partition(MARKS[1])[2])
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
