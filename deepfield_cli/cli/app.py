"""The application: all commands in the order in which a learner meets them, and one place where errors end."""

from __future__ import annotations

import os
import sys

import click
import typer

from deepfield_cli import __version__
from deepfield_cli.cli import dev, grade, look, past, start, watch
from deepfield_cli.errors import DeepfieldError

INTERRUPTED = 130
OUR_BUG = 3

app = typer.Typer(
    name="deepfield",
    help="Go deep in one field of machine learning: build it, have it graded, prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (start, grade, watch, look, past):
    group.register(app)
app.add_typer(dev.app, name="dev")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"deepfield {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_print_version, is_eager=True),
) -> None:
    """Go deep in one field of machine learning: build it, have it graded, prove it."""


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; whatever goes wrong ends in one clear line."""
    try:
        code = app(arguments, standalone_mode=False)
    except DeepfieldError as error:
        return _complain(str(error), error.exit_code)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        return _complain(_usage(error), 2)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("DEEPFIELD_DEBUG"):
            raise
        return _complain(
            f"this is a bug of deepfield: {type(error).__name__}: {error} (DEEPFIELD_DEBUG=1 shows it)", OUR_BUG
        )
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{text} (see: {context.command_path} --help)" if context is not None else text


def _complain(text: str, code: int) -> int:
    from deepfield_cli.render.console import escaped

    print(f"deepfield: {escaped(text)}", file=sys.stderr)
    return code
