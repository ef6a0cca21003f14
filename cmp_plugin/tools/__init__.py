"""The programs that do the work: helm, kustomize, git. Every process starts in `process`."""
