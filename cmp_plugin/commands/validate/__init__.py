"""What can be known to be wrong with a fleet: one module for each kind of thing that is looked at.

`inspection` puts them together without rendering anything, `rendered` is for finished objects. Every
check takes planned services or clusters and gives `Finding`s; none prints, none fetches.
"""
