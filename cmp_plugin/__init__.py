"""GitOps for many clusters with Argo CD: one readable file per cluster, one per service.

Read specs (yamlfile, specs, fleet) -> merge layers (layers) -> resolve (interpolate, resolve)
-> render (charts, chart, overlay, transform) -> check (checks) -> emit (emit).
Edges: argocd (Argo CD's environment), tree (files), tools/ (helm, kustomize, git), cli (terminal).
Every stage is a plain function from frozen values to frozen values.
"""

__version__ = "0.1.0"
