"""Many documents, in processes that can be killed.

`intake` goes from paths to documents, `pool` hands them to processes, `worker` is such a process, `grant` what one document may cost,
`journal` where an interrupted run goes on.
"""

__all__ = [
    "grant",
    "intake",
    "journal",
    "pool",
    "worker",
]
