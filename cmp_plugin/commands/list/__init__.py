"""`list`: which cluster has which version of which service, as a table, JSON or a page."""
