"""Adapters of other libraries. Each is imported only when it is used.

    kfgn-check --adapter kfgn_conformance.adapters.peers.backpack:BackPACK

An adapter passes a problem to its library in the library's own way and returns the result unchanged. It declares the
conventions of the library and converts nothing. It raises `UnsupportedError`, with the reason, for a problem that the
library does not support.
"""
