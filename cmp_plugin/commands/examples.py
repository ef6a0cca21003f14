"""What the help teaches: every verb in its group, with one to three commands to start from.

Data only. The names are those of the fleet in this repository; the tests parse every command.
"""

from __future__ import annotations

GROUPS = {
    "Begin": ("tools", "init", "new", "import"),
    "See what a fleet is": ("list", "preview", "explain", "diff"),
    "Find what is wrong": ("validate", "doctor"),
    "Write files": ("lock", "vendor", "expand"),
    "For editors and shells": ("schema", "completion"),
    "Called by Argo CD": ("generate", "parameters", "healthcheck"),
}

# Verb -> (what it is for, command).
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "tools": (("helm and kustomize that fit this fleet, from their Go modules", "cmp-plugin tools install"),),
    "init": (
        (
            "a fleet to begin with, and that it is right",
            "cmp-plugin init fleet && cmp-plugin -C fleet validate --render",
        ),
    ),
    "new": (
        ("another cluster, or one like one that is there", "cmp-plugin new cluster prod-eu --from gke.prod"),
        (
            "a service by a chart, in its newest version",
            "cmp-plugin new service loki --chart grafana/loki --cluster gke.dev",
        ),
        ("a service of plain manifests, on what has a profile", "cmp-plugin new service status-page --profile shop"),
    ),
    "import": (
        (
            "bases and overlays: a service for each base, a cluster for each environment",
            "cmp-plugin import kustomize deploy fleet",
        ),
        ("Argo CD's Applications, with the charts that they name", "cmp-plugin import applications argocd/apps fleet"),
        ("after a change by hand: is it still the same?", "cmp-plugin import kustomize deploy fleet --check"),
    ),
    "generate": (("what Argo CD gets for a cluster: its Applications", "cd clusters/gke.dev && cmp-plugin generate"),),
    "parameters": (("what Argo CD shows beside an Application", "cd clusters/gke.dev && cmp-plugin parameters"),),
    "list": (
        ("which version runs where, and what lags", "cmp-plugin list"),
        ("one service, with the line that sets its version", "cmp-plugin list --service prometheus -l env=prod"),
        ("a page for everybody", "cmp-plugin list -o html > board.html"),
    ),
    "preview": (
        ("everything on a cluster", "cmp-plugin preview kind.local"),
        ("one service, one object a line", "cmp-plugin preview gke.prod istiod -o json"),
        ("the whole fleet as files, to compare before and after", "cmp-plugin preview --out /tmp/before"),
    ),
    "expand": (
        ("the kustomization that gives the same objects", "cmp-plugin expand gke.prod istiod --out /tmp/istiod"),
    ),
    "explain": (
        ("where each value of a service comes from", "cmp-plugin explain gke.prod prometheus"),
        ("who decides one value", "cmp-plugin explain gke.prod prometheus prometheus.prometheusSpec.retention"),
        (
            "what made a field of a finished object",
            "cmp-plugin explain gke.prod web Deployment/web spec.template.spec.dnsConfig",
        ),
    ),
    "diff": (
        ("what is not committed yet, on every cluster", "cmp-plugin diff"),
        ("a branch, as a comment on its pull request", "cmp-plugin diff main...HEAD -o markdown"),
        ("before the clusters get a new Kubernetes", "cmp-plugin diff --kubernetes 1.35"),
    ),
    "validate": (
        ("every file, in seconds", "cmp-plugin validate"),
        ("every render too, as comments on a pull request", "cmp-plugin validate --render -o github"),
    ),
    "lock": (
        ("after a new chart or version", "cmp-plugin lock"),
        ("in CI", "cmp-plugin lock --check"),
    ),
    "vendor": (("renders without a network from now on", "cmp-plugin lock && cmp-plugin vendor"),),
    "schema": (
        ("for an editor that completes cluster.yaml", "cmp-plugin schema cluster > cluster.schema.json"),
        ("with the values of a service's chart inside", "cmp-plugin schema cluster --service web"),
        ("all that an editor can use, the values of every chart inside", "cmp-plugin schema --out schemas"),
    ),
    "completion": (
        ("in ~/.bashrc", "source <(cmp-plugin completion bash)"),
        ("in config.fish", "cmp-plugin completion fish | source"),
    ),
    "doctor": (
        ("before you ask somebody else", "cmp-plugin doctor"),
        ("when the disk is full", "cmp-plugin doctor --clean-cache"),
    ),
    "healthcheck": (("the sidecar's probe, by hand", "cmp-plugin healthcheck && echo it renders"),),
}
