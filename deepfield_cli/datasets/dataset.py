"""The frozen model of one dataset, as a file of ``curriculum/datasets/`` states it."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from deepfield_cli.content.problem import Frozen, Identifier
from deepfield_cli.datasets.shape import Shape

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# A path below the dataset's folder: no way up, no hidden parts.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s{}]+$")]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Licence(Frozen):
    """Under which terms the data may be used."""

    name: str = Field(description="its usual short name")
    url: Url = Field(description="where the terms, or the publisher's statement of them, can be read")
    verified: bool = Field(description="true: a public source shows it; false: from memory")
    note: str | None = Field(default=None, description="what else is to be known of the terms, in one sentence")


class Origin(Frozen):
    """Who publishes it, and where what is said here about its files was found."""

    title: str = Field(description="who publishes it, and what it is there")
    url: Url = Field(description="a page for people")
    facts: str = Field(min_length=20, description="where size and checksums come from, in one sentence")
    verified: bool = Field(description="true: name, size and checksum of the files stand in a public source")
    checked: date | None = Field(description="the day on which the addresses last answered; null: never tried")


class Archive(Frozen):
    """The file comes packed: what is downloaded, and which part of it is kept."""

    kind: Literal["zip", "tar.gz"] = Field(description="how it is packed")
    inside: str = Field(description="the one file or folder in it that is kept")
    bytes: int = Field(gt=0, description="size of the archive; an estimate, the content is what is verified")


class RemoteFile(Frozen):
    """One file, or one archive that becomes a file or a folder."""

    name: FileName = Field(description="its path in the dataset's folder")
    urls: tuple[Url, ...] = Field(min_length=1, description="where it is; tried in order")
    bytes: int = Field(gt=0, description="its size, unpacked")
    sha256: Sha256 | None = Field(
        default=None,
        description="of the file, unpacked; of a folder: of the lines `sha256sum` prints for its files, sorted by path",
    )
    archive: Archive | None = Field(default=None, description="how it is packed, if it is")

    @model_validator(mode="after")
    def _cannot_be_tampered_with(self) -> RemoteFile:
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme == "http" and self.sha256 is None and parts.hostname not in _LOOPBACK:
                raise ValueError(f"{url} is not https, so a sha256 is needed")
        return self


class Series(Frozen):
    """Files that differ in a number only."""

    name: str = Field(pattern=r"^[\w.{}:-]+$", description="name with the number, e.g. train_{number:06d}.bin")
    url: str = Field(pattern=r"^https://\S+$", description="address with {name}")
    first: int = Field(ge=0, description="the first number")
    last: int = Field(ge=0, description="the last number")
    bytes: int = Field(gt=0, description="size of each file")
    sha256: dict[int, Sha256] = Field(default_factory=dict, description="by number, for those that are known")

    def files(self) -> list[RemoteFile]:
        """The files, in the order of their numbers."""
        return [self._file(number) for number in range(self.first, self.last + 1)]

    def _file(self, number: int) -> RemoteFile:
        name = self.name.format(number=number)
        url = self.url.format(name=name)
        return RemoteFile(name=name, urls=(url,), bytes=self.bytes, sha256=self.sha256.get(number))


class Dataset(Frozen):
    """Something that a rung needs and that does not come with deepfield."""

    format_version: Literal[1] = Field(description="version of this format")
    id: Identifier = Field(description="the name of the file that states it; never renamed")
    title: str = Field(description="what it is, in a few words")
    summary: str = Field(min_length=40, description="what it holds and what it is used for")
    kind: Literal["file", "folder"] = Field(description="whether a grader gets one file or the folder")
    licence: Licence = Field(description="the terms of the data")
    origin: Origin = Field(description="who publishes it")
    shape: Shape = Field(description="how to tell the right thing from another")
    files: tuple[RemoteFile, ...] = Field(default=(), description="the files, the most needed first")
    series: tuple[Series, ...] = Field(default=(), description="files that differ in a number, after the others")
    enough: int | None = Field(
        default=None, ge=1, description="so many of the first files are enough for a grader; null: all of them"
    )

    @cached_property
    def all_files(self) -> tuple[RemoteFile, ...]:
        """Every file, series written out."""
        return (*self.files, *(file for series in self.series for file in series.files()))

    @property
    def needed_files(self) -> tuple[RemoteFile, ...]:
        """The files without which nothing can be graded."""
        return self.all_files[: self.enough]

    @property
    def bytes(self) -> int:
        """Size of all files, unpacked."""
        return sum(file.bytes for file in self.all_files)

    @model_validator(mode="after")
    def _is_whole(self) -> Dataset:
        names = [file.name for file in self.all_files]
        if not names:
            raise ValueError("a dataset has at least one file")
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name")
        if self.kind == "file" and len(names) != 1:
            raise ValueError(f"kind is file, but there are {len(names)} files")
        if self.enough is not None and self.enough > len(names):
            raise ValueError(f"enough: there are only {len(names)} files")
        return self
