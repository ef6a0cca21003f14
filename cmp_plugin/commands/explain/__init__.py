"""`explain`: which layer, file and line set a value, and which inputs made a field of a rendered object."""
