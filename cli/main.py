"""The `eduseal` command: a registry of command modules, each imported only when it is asked for.

The command `eduseal some-thing` is the module `cli/some_thing.py`. It offers either `command`, a function annotated for typer, or `app`, a
:class:`typer.Typer` of subcommands; `EPILOG` ends its help. Exit status 64 and above is for usage and I/O errors (sysexits.h); below it
belongs to the commands.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

USAGE, DATA, NO_INPUT, INTERNAL, IO = 64, 65, 66, 70, 74
INTERRUPTED = 130
_NOT_COMMANDS = frozenset({"main"})
_JUDGING = frozenset({"verify"})  # commands whose worker processes load the verifier while they themselves are loaded


class UsageError(Exception):
    """A command was called in a way that cannot be carried out; `status` is its exit status."""

    def __init__(self, message: str, *, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status. Errors of ours are one line on stderr, never a traceback."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _open_standard_streams()
    # `cryptography` counts octets where X.520 counts characters, and warns whenever it reads a long Vietnamese name
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
    names = _commands()
    asked = argv[0] if argv else ""
    try:
        if asked in _JUDGING and "--help" not in argv:
            from signing.bulk.fork_server import warm

            warm()
        app = build([asked] if asked in names else names)
        return _run(app, argv)
    except UsageError as exc:
        return _fail(str(exc), exc.status)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what reads us has gone: nothing left to say
        return IO
    except OSError as exc:
        advice = "; free some space and run the command again" if exc.errno == errno.ENOSPC else ""
        return _fail((f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror or exc)) + advice, IO)
    except Exception as exc:
        if os.environ.get("EDUSEAL_DEBUG"):
            raise
        if _is_ours(exc):
            return _fail(str(exc), DATA)
        # the text of a foreign error may hold anything, so only its kind is shown
        return _fail(f"internal error ({type(exc).__name__}); set EDUSEAL_DEBUG=1 to see where, and please report it", INTERNAL)


def build(names: Sequence[str]) -> typer.Typer:
    """A typer application of the commands in `names`."""
    import typer

    app = typer.Typer(
        name="eduseal",
        help="Digital signatures for education records.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def root(home: str | None = typer.Option(None, metavar="DIR", help="The authority's home, for any command.")) -> None:
        """Digital signatures for education records."""
        if home is not None:
            os.environ["EDUSEAL_HOME"] = home  # where every command looks for it; a --home after the command still wins

    for name in names:
        module = importlib.import_module(f"cli.{name.replace('-', '_')}")
        if hasattr(module, "command"):
            app.command(name, context_settings=getattr(module, "CONTEXT", None), epilog=getattr(module, "EPILOG", None))(module.command)
        elif hasattr(module, "app"):
            app.add_typer(module.app, name=name)
    return app


def _run(app: typer.Typer, argv: list[str]) -> int:
    import typer
    from typer.exceptions import TyperException

    try:
        result = app(argv or ["--help"], standalone_mode=False, prog_name="eduseal")
    except typer.Exit as exc:
        return exc.exit_code
    except typer.Abort as exc:
        raise KeyboardInterrupt from exc
    except TyperException as exc:
        raise UsageError(f"{exc.format_message()} (eduseal --help shows what there is)") from exc
    if not argv:
        return USAGE  # the help has been shown
    if result == INTERRUPTED:
        raise KeyboardInterrupt  # which typer has caught, and ends without a word
    return result if isinstance(result, int) else 0


def _commands() -> list[str]:
    import cli

    found = (module.name for module in pkgutil.iter_modules(cli.__path__))
    return sorted(name.replace("_", "-") for name in found if name not in _NOT_COMMANDS and not name.startswith("_"))


def _is_ours(exc: Exception) -> bool:
    return type(exc).__module__.split(".")[0] in {"pki", "signing", "records", "db", "config", "cli"}


def _open_standard_streams() -> None:
    """Puts the null device where the caller closed one: the next file opened would take its number, and be printed into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
            setattr(sys, name, open(number, "r+" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _fail(message: str, status: int) -> int:
    print(f"eduseal: {' '.join(message.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
