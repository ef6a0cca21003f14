"""YAML as Go's programs read and write it, with the position of every value.

Helm, Kustomize and Argo CD read YAML by rules of their own; what is read here has the types that they see.
"""
