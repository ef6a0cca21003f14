"""Argo CD's side: what it asks by, what it is handed, which Applications there are.

Everything that knows an Application's fields, Argo CD's environment or a plugin parameter is here. Renders nothing.
"""
