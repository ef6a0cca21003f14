"""What counts where no layer says anything: the defaults of docs/spec.md, each written once.

Constants only, as the hot path imports them. What an Application gets by default is in argocd/applications.
"""

from __future__ import annotations

# One minor series of each tool: the ones that the golden cases are made with, as newer ones may print other bytes.
HELM = "~4.3"
KUSTOMIZE = "~5.8"
# There is no default version of Kubernetes; this is what a new fleet begins with, and what hints show.
KUBERNETES = "1.34"
# Fields of a service block that are true or false.
FLAGS = {"enabled": True, "includeCRDs": True, "skipTests": True}
