"""GitOps for many clusters with Argo CD: one readable file per cluster, one per service.

One pipeline of plain functions from frozen values to frozen values:
read specs (specs, fleet) -> merge layers and resolve (fleet) -> locate the chart (charts) -> helm, kustomize, checks
(render) -> Applications or objects for Argo CD (argocd). commands/ are thin; tools/, system/ and goyaml/ are the edges.
docs/architecture.md follows one render through it.
"""

__version__ = "0.1.0"
