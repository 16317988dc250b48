"""The application: all commands in the order in which a learner meets them, and one place where errors end."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any

import typer

from deepfield_cli import __version__
from deepfield_cli.errors import DeepfieldError, WorkspaceError

INTERRUPTED = 130
OUR_BUG = 3
# What typer raises for a command line that it does not understand: click's class, or in newer versions its own copy.
_UsageError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

# The modules of this folder, in the order in which a learner meets their commands. Only the module of the command that
# is asked for is loaded: building all the others takes longer than most answers.
MODULES = {
    "start": ("init", "start", "reset"),
    "grade": ("grade",),
    "watch": ("watch",),
    "attach": ("attach",),
    "look": ("status", "list", "show", "hint", "doctor"),
    "road": ("plan",),
    "library": ("resources", "done", "open", "search"),
    "choose": ("pick-field", "commit", "season", "enjoy"),
    "past": ("history", "diff", "restore", "solution", "repro", "verify"),
    "practice": ("review", "drill"),
    "proof": ("attest", "gap"),
    "summit": ("confirm",),
    "record": ("portfolio", "export", "import"),
    "data": ("data",),
    "dev": ("dev",),
}
_MODULE_OF = {command: module for module, commands in MODULES.items() for command in commands}


def make_app(module: str | None = None) -> typer.Typer:
    """The application with all its commands, or with those of one module."""
    app = typer.Typer(
        name="deepfield",
        help="Go deep in one field of machine learning: build it, have it graded, prove it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in (module,) if module else MODULES:
        importlib.import_module(f"deepfield_cli.cli.{name}").register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"deepfield {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_print_version, is_eager=True),
) -> None:
    """Go deep in one field of machine learning: build it, have it graded, prove it."""
    try:
        os.getcwd()
    except OSError as error:
        raise WorkspaceError("the current folder is gone", fix="cd to a folder that exists") from error


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; whatever goes wrong ends in one clear line."""
    _show_every_character()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    return code


def _show_every_character() -> None:
    """A terminal that knows only ASCII gets the number of what it cannot show, never an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(arguments: list[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = make_app(_MODULE_OF.get(words[0]) if words else None)(words, standalone_mode=False)
    except DeepfieldError as error:
        return _complain(str(error), error.exit_code)
    except typer.Abort as abort:
        by_signal = isinstance(abort.__cause__, KeyboardInterrupt)
        return _complain("interrupted" if by_signal else "nothing was changed", INTERRUPTED)
    except _UsageError as error:
        return _explain_usage(error)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("DEEPFIELD_DEBUG"):
            raise
        return _complain(
            f"this is a bug of deepfield: {type(error).__name__}: {error} (DEEPFIELD_DEBUG=1 shows it)", OUR_BUG
        )
    if code == INTERRUPTED:  # as newer versions of typer tell of Ctrl-C
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _explain_usage(error: Any) -> int:
    text, context = error.format_message(), getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        print(text)
        return 2
    return _complain(f"{text} (see: {context.command_path} --help)" if context is not None else text, 2)


def _complain(text: str, code: int) -> int:
    from deepfield_cli.render.console import escaped

    print(f"deepfield: {escaped(text)}", file=sys.stderr)
    return code
