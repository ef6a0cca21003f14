"""An existing tree as a fleet: one module per kind of tree, and the proof that nothing changes.

A kind's module turns a source into a `Conversion` (conversion): the fleet's files, and what each service on
each cluster was before. `owner` renders the source as its owner would, `proof` compares that with the fleet.
"""
