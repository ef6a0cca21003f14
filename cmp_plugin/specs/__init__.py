"""The language of fleet.yaml, cluster.yaml, profiles and service.yaml: its models, rules and algebra.

Pure functions of values: nothing is read, started or printed.
"""
