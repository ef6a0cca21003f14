"""`init` and `new`: files for a person to start from. What exists is never overwritten."""
