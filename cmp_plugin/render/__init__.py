"""One resolved service -> its checked objects, by the real helm and kustomize."""
