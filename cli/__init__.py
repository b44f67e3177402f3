"""The `eduseal` command. `cli/some_thing.py` is the command `eduseal some-thing`; `main` finds it; files that begin with `_` are shared parts."""
