"""`eduseal log`: the append-only log: what stands in it, and proof that nobody changed it."""

from __future__ import annotations

import typer

from cli import _log_show, _log_verify

app = typer.Typer(help="The log that nobody can quietly edit.", no_args_is_help=True)

app.command("verify")(_log_verify.verify)
app.command("prove")(_log_show.prove)
app.command("checkpoint")(_log_show.checkpoint)
app.command("list")(_log_show.list_)
