"""Public data: certificate profiles, verification policies, workflows, and one loader. Read by `config` (and tests) alone."""
