"""Charts and kustomize bases that lie elsewhere: what is requested, locked, mirrored, fetched and kept.

request (what a spec asks for) -> lockfile (what exactly that is) -> mirrors (where it really comes
from) -> fetch (helm gets it) -> archive (looked at) -> store (kept by its digest).
"""
