"""Our times beside the peer's, on the same documents in the same run: `make bench`, or `make bench ONLY=verify-lta-1`.

Each module `bench_*.py` offers BENCHES: name to a function that returns rows {"name", "ours", "peer", "ratio", "unit", "target", "holds"}.
`peer` is None where nothing comparable exists, `target` and `holds` where none has been set.
"""
