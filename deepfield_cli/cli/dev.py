"""Author commands."""

import typer

app = typer.Typer(help="For authors of problems.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """For authors of problems."""
