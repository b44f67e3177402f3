"""The `eduseal` command: `cli/some_thing.py` is the command `eduseal some-thing`, found by `main`; files that begin with `_` are shared."""
