"""Many documents, in processes that can be killed.

`intake` goes from paths to documents, `pool` hands them to processes, `worker` is such a process, `journal` where an interrupted run
goes on. `task` is what all are judged by.

Between `pool` and `worker`: `handler` is the parent's side of one, which keeps the time by a `stopwatch`; `peer` the process and the
channel to it, forked from the `fork_server`; `wire` what is said there; `memory` the bound that the kernel keeps.
"""

__all__ = [
    "fork_server",
    "intake",
    "journal",
    "pool",
    "task",
    "worker",
]
