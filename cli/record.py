"""`eduseal record`: a record's life, from its opening to its revision; each command is one move."""

from __future__ import annotations

import typer

from cli import (
    _record_authorisations,
    _record_books,
    _record_certifying,
    _record_contents,
    _record_files,
    _record_moves,
    _record_signing,
    _record_sweep,
)
from cli._people import TRUSTED

app = typer.Typer(help="Records, from opening to revision.", no_args_is_help=True)

app.command("open", epilog=TRUSTED)(_record_contents.open_)
app.command("list")(_record_books.list_)
app.command("show")(_record_books.show)
app.command("log")(_record_books.log)
app.command("export")(_record_files.export)
app.command("edit", epilog=TRUSTED)(_record_contents.edit)
app.command("certify")(_record_certifying.certify)
app.command("sign")(_record_signing.sign)
app.command("authorisations")(_record_authorisations.list_)
app.command("seal")(_record_signing.seal)
app.command("write")(_record_files.write)
app.command("request-unlock", epilog=TRUSTED)(_record_moves.request_unlock)
app.command("confirm-unlock", epilog=TRUSTED)(_record_moves.confirm_unlock)
app.command("refuse-unlock", epilog=TRUSTED)(_record_moves.refuse_unlock)
app.command("relock", epilog=TRUSTED)(_record_moves.relock)
app.command("revise", epilog=TRUSTED)(_record_contents.revise)
app.command("withdraw", epilog=TRUSTED)(_record_moves.withdraw)
app.command("sweep")(_record_sweep.sweep)
