"""The edges of the operating system: confined reads, processes, locks, private directories."""
