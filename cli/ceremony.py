"""`eduseal ceremony`: CA certificates made by one file and several people. docs/ceremony.md walks through one."""

from __future__ import annotations

import typer

from cli import _ceremony_look, _ceremony_online, _ceremony_root

app = typer.Typer(
    name="ceremony",
    help="Make roots and issuing authorities, offline and by several people; docs/ceremony.md walks through it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("example")(_ceremony_look.example)
app.command("show")(_ceremony_look.show)
app.command("begin")(_ceremony_root.begin_home)
app.command("officer")(_ceremony_root.officer)
app.command("ask")(_ceremony_root.ask)
app.command("approve")(_ceremony_root.approve)
app.command("request")(_ceremony_online.request_certificate)
app.command("run")(_ceremony_root.run)
app.command("install")(_ceremony_online.install_certificate)
app.command("crl")(_ceremony_root.crl)
app.command("take-crl")(_ceremony_online.take_crl)
app.command("check")(_ceremony_look.check)
