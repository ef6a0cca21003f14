"""From the files of a fleet to resolved services: read, merge layers, interpolate, resolve, order.

Out come frozen values with the origin of each part. Starts no process, reads no chart and no environment.
"""
