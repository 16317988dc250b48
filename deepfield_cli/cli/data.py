"""``deepfield data``: the datasets that some rungs need, fetched once for all workspaces."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepfield_cli.cli.shared import JsonOption, print_json
from deepfield_cli.cli.tokenize import tokenize

if TYPE_CHECKING:
    from deepfield_cli.datasets.dataset import Dataset

app = typer.Typer(no_args_is_help=True, help="Datasets that some rungs need: list, fetch, point at, verify.")

_NOT_HERE = 1
_NOT_RIGHT = 1


def complete_dataset(incomplete: str) -> list[str]:
    """Names of datasets for the shell's completion."""
    from deepfield_cli.datasets.catalogue import dataset_names

    return [name for name in dataset_names() if name.startswith(incomplete)]


NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The dataset, e.g. hellaswag.", autocompletion=complete_dataset)
]
CacheOption = Annotated[
    Path | None,
    typer.Option("--cache", metavar="FOLDER", help="Where datasets are kept. Default: DEEPFIELD_DATA, else the cache."),
]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="data")


@app.command(name="list")
def list_datasets(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Everything about this one. Default: all.", autocompletion=complete_dataset
        ),
    ] = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """The datasets: size, licence, source, checksum, and what of them is on this machine."""
    from deepfield_cli.datasets.catalogue import all_datasets
    from deepfield_cli.datasets.holding import look
    from deepfield_cli.datasets.place import data_folder
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.datasets import datasets_document, show_dataset, show_datasets

    datasets = all_datasets() if name is None else (_dataset(name),)
    holdings = [look(dataset, cache) for dataset in datasets]
    if as_json:
        return print_json(datasets_document(holdings, data_folder(cache)))
    if name is None:
        show_datasets(make_console(), holdings, data_folder(cache))
    else:
        from deepfield_cli.datasets.users import needed_by

        show_dataset(make_console(), holdings[0], needed_by(name))
    return None


@app.command()
def get(
    name: NameArgument,
    files: Annotated[
        int | None,
        typer.Option("--files", "-n", min=1, metavar="N", help="Only the first N files; more can follow later."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read what is here through, and fetch again what has changed.")
    ] = False,
    cache: CacheOption = None,
) -> None:
    """Fetch a dataset, or go on where it stopped. Each file is verified before it takes its name."""
    from deepfield_cli.datasets.getting import get as fetch
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.fetched import show_fetched
    from deepfield_cli.render.transfer import TransferProgress

    dataset = _dataset(name)
    with _told_what_is_kept(name), TransferProgress() as progress:
        fetched = fetch(dataset, cache=cache, first=files, check=check, listener=progress.listener())
    show_fetched(make_console(), fetched)


@app.command()
def add(
    name: NameArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder that is there already.")],
    cache: CacheOption = None,
) -> None:
    """Point at a copy that you have. It is looked into, and stays where and as it is."""
    from deepfield_cli.datasets.adding import add as point_at
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.fetched import show_added

    show_added(make_console(), point_at(_dataset(name), path, cache=cache))


@app.command()
def where(name: NameArgument, cache: CacheOption = None) -> None:
    """Print the path of a dataset, for scripts. Exit code 1, and nothing on standard output, if it is not here."""
    from deepfield_cli.datasets import locate, missing

    path = locate(name, cache=cache)
    if path is None:
        print(f"deepfield: {missing(name, cache=cache)}", file=sys.stderr)
        raise typer.Exit(_NOT_HERE)
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(path) + b"\n")  # the very bytes, whatever the terminal can show


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Only this one. Default: all that is here.", autocompletion=complete_dataset
        ),
    ] = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the files through again and compare them with their checksums. Exit code 1 if one has changed."""
    from deepfield_cli.datasets.catalogue import all_datasets
    from deepfield_cli.datasets.verifying import verify as read_through
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.fetched import show_verified, verified_document
    from deepfield_cli.render.transfer import TransferProgress

    with TransferProgress() as progress:
        listener = progress.listener()
        datasets = all_datasets() if name is None else (_dataset(name),)
        found = [one for dataset in datasets for one in read_through(dataset, cache=cache, listener=listener)]
    if as_json:
        print_json(verified_document(found))
    else:
        show_verified(make_console(), found)
    if not all(one.is_right for one in found):
        raise typer.Exit(_NOT_RIGHT)


@app.command()
def remove(
    name: NameArgument,
    forget: Annotated[
        bool, typer.Option("--forget", help="Also what was measured when it came, so that another one is accepted.")
    ] = False,
    cache: CacheOption = None,
) -> None:
    """Remove a dataset from the cache. A copy that was added is forgotten and left alone."""
    from deepfield_cli.datasets.removing import remove as take_away
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.fetched import show_removed

    show_removed(make_console(), name, take_away(_dataset(name), cache=cache, forget=forget))


def _dataset(name: str) -> Dataset:
    from deepfield_cli.datasets.catalogue import find_dataset

    return find_dataset(name)


@contextmanager
def _told_what_is_kept(name: str) -> Iterator[None]:
    """Whoever interrupts a download learns that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"what was fetched is kept; deepfield data get {name} goes on from there", file=sys.stderr)
        raise


app.command()(tokenize)
