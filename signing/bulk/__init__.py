"""Many documents, in processes that can be killed.

`intake` goes from paths to documents, `pool` hands them to processes, `worker` is such a process, `journal` where an interrupted run
goes on.
"""

__all__ = [
    "intake",
    "journal",
    "pool",
    "worker",
]
