"""The frozen models of what a dataset looks like from inside: enough to tell the right thing from another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deepfield_cli.content.problem import Frozen


class TokenShards(Frozen):
    """Token ids of two bytes, in files with a header (llm.c's .bin) or as numpy's .npy."""

    kind: Literal["token-shards"] = Field(description="how it is examined")
    vocabulary: int = Field(gt=0, le=65_536, description="every id is below this")


class JsonLines(Frozen):
    """One JSON object on each line."""

    kind: Literal["json-lines"] = Field(description="how it is examined")
    items: int = Field(gt=0, description="how many lines")
    keys: tuple[str, ...] = Field(description="keys that every object has")


class TextLines(Frozen):
    """A text whose first line and number of lines are known."""

    kind: Literal["text-lines"] = Field(description="how it is examined")
    first: str = Field(description="its first line")
    lines: int = Field(gt=0, description="how many lines, the first included")


class PlainText(Frozen):
    """Any text in UTF-8, if there is enough of it."""

    kind: Literal["plain-text"] = Field(description="how it is examined")
    minimum_bytes: int = Field(gt=0, description="a smaller file is refused")


class Signed(Frozen):
    """Files of a format that begins and ends with known bytes."""

    kind: Literal["signed"] = Field(description="how it is examined")
    suffix: str = Field(pattern=r"^\.\w+$", description="how the files' names end")
    begins: str = Field(default="", description="the first bytes, as ASCII")
    ends: str = Field(default="", description="the last bytes, as ASCII")


class Safetensors(Frozen):
    """A file of named tensors."""

    kind: Literal["safetensors"] = Field(description="how it is examined")
    tensors: tuple[str, ...] = Field(min_length=1, description="names that must be in it")


class TaskFolders(Frozen):
    """Folders of Python files that define certain names at their top level."""

    kind: Literal["task-folders"] = Field(description="how it is examined")
    folders: dict[str, int] = Field(min_length=1, description="folder and how many files it has")
    defines: tuple[str, ...] = Field(min_length=1, description="names that each file defines")


Shape = Annotated[
    TokenShards | JsonLines | TextLines | PlainText | Signed | Safetensors | TaskFolders,
    Field(discriminator="kind"),
]
