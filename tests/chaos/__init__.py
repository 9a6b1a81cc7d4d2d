"""A campaign against the product: kills, outages, faults, tampering, hostile specs, full disks.

``make chaos`` runs it whole and writes ``benchmarks/RELIABILITY.md``; CI runs a small part of each. A figure
is the number of right outcomes among all; the test fails unless all are right.
"""
