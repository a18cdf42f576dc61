"""Adapters of other libraries, each imported only when it is asked for.

    kfgn-check --adapter kfgn_conformance.adapters.peers.backpack:BackPACK

An adapter hands a problem to the library in the library's own way, and what comes out to the kit as it is: its
conventions are declared, not computed away. What a library does not take is `UnsupportedError`, with the reason.
"""
