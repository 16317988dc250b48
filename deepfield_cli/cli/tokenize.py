"""``deepfield data tokenize``: text into token shards, with GPT-2's tokenizer or the learner's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deepfield_cli.datasets.encoder import Encoder


def tokenize(
    texts: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Text, JSON lines or Parquet; or folders of such files.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the shards go.", show_default=False)],
    merges: Annotated[
        Path | None,
        typer.Option("--merges", metavar="FILE", help="Merges in GPT-2's form. Default: the dataset gpt2-merges."),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="With your own tokenizer, the llm/bpe of this workspace; it takes longer.")
    ] = False,
    field: Annotated[str, typer.Option("--field", help="Key or column that holds the text.")] = "text",
    lines: Annotated[bool, typer.Option("--lines", help="Each line of a text file is a document.")] = False,
    shard_tokens: Annotated[
        int, typer.Option("--shard-tokens", min=2, metavar="N", help="Tokens of a shard.")
    ] = 100_000_000,
    validation_tokens: Annotated[
        int | None,
        typer.Option("--validation-tokens", min=2, metavar="N", help="Tokens of the first shard. Default: as others."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What the shards' names begin with.")] = "tokens",
) -> None:
    """Turn text into token shards, the first for validation. The same command again goes on where it stopped."""
    from deepfield_cli.datasets.texts import TextSource, text_files
    from deepfield_cli.datasets.tokenizing import ShardPlan, require_name
    from deepfield_cli.datasets.tokenizing import tokenize as write_shards
    from deepfield_cli.render.console import make_console
    from deepfield_cli.render.fetched import show_shards
    from deepfield_cli.render.transfer import TransferProgress

    plan = ShardPlan(require_name(name), shard_tokens, validation_tokens or shard_tokens)
    source = TextSource(text_files(texts), field=field, lines=lines)
    with _encoder(merges, own=own) as encoder, TransferProgress(unit="tokens") as progress:
        shards = write_shards(source, encoder, out, plan, progress.listener())
    show_shards(make_console(), shards, out)


@contextmanager
def _encoder(merges: Path | None, *, own: bool) -> Iterator[Encoder]:
    """GPT-2's encoder or the learner's, with these merges or the published ones."""
    from deepfield_cli.datasets import locate, missing

    path = merges or locate("gpt2-merges")
    if path is None:
        raise missing("gpt2-merges")
    if not own:
        from deepfield_cli.datasets.encoder import MergesEncoder

        yield MergesEncoder(path)
        return
    from deepfield_cli.journey.own_tokenizer import own_tokenizer
    from deepfield_cli.journey.workspace import require_workspace

    with own_tokenizer(require_workspace(), path) as tokenizer:
        yield tokenizer
