"""Kustomize's part of a render: what it has to be given, what may pass it by, what it printed.

The rules that are Kustomize's own (order, selectors, references) are held by tests against the real program.
"""
