"""The programs that a render calls: found, checked for their version, called, their errors in one line."""
