"""A Markdown post, read: its blocks in order, with what each shows, its headings, links, images and words."""

from __future__ import annotations

import doctest
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_PYTHON, _CONSOLE, _OUTPUT = ("python", "py", "python3"), ("pycon", "python-console"), "output"
# A block with this word beside its language is only shown.
_SHOWN_ONLY = "no-run"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of code to be run.

    Attributes:
        line: its first line in the post, from 1.
        source: the code.
        mode: exec, or single for an example at a prompt, whose value is shown.
        shown: the output that the post shows for it; None if it shows none.

    """

    line: int
    source: str
    mode: str
    shown: str | None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level, its text, and the name under which a link finds it."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image: where it is, and the words for those who do not see it."""

    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Post:
    """What a post holds.

    Attributes:
        blocks: code to be run, in order.
        passed_over: languages of the blocks that are only shown, one for each block.
        stray_outputs: lines of output blocks that follow no code.
        headings: in order.
        links: addresses, each once.
        images: in order.
        words: words outside of code.

    """

    blocks: tuple[Block, ...]
    passed_over: tuple[str, ...]
    stray_outputs: tuple[int, ...]
    headings: tuple[Heading, ...]
    links: tuple[str, ...]
    images: tuple[Image, ...]
    words: int

    def code(self) -> str:
        """All its code, each line where it stands in the post, and nothing else: a file that can be compiled."""
        lines: dict[int, str] = {}
        for block in self.blocks:
            lines.update(enumerate(block.source.splitlines(), start=block.line))
        return "\n".join(lines.get(number, "") for number in range(1, max(lines, default=0) + 1)) + "\n"


def read_post(text: str) -> Post:
    """Read a post; any text is one."""
    from markdown_it import MarkdownIt

    matter = _FRONT_MATTER.match(text)
    # what stands before the post stays as blank lines, so that lines keep their numbers
    plain = "\n" * matter.group().count("\n") + text[matter.end() :] if matter else text
    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(plain)
    blocks, passed_over, stray = _code(tokens)
    inline = [child for token in tokens for child in token.children or ()]
    return Post(
        blocks=tuple(blocks),
        passed_over=tuple(passed_over),
        stray_outputs=tuple(stray),
        headings=tuple(_headings(tokens)),
        links=tuple(dict.fromkeys(str(one.attrs["href"]) for one in inline if one.type == "link_open")),
        images=tuple(Image(str(one.attrs["src"]), one.content) for one in inline if one.type == "image"),
        words=sum(len(one.content.split()) for one in inline if one.type == "text"),
    )


def _code(tokens: Sequence[Token]) -> tuple[list[Block], list[str], list[int]]:
    blocks: list[Block] = []
    passed_over: list[str] = []
    stray: list[int] = []
    takes_output = False
    for token in tokens:
        if token.type != "fence":
            takes_output = takes_output and token.level > 0
            continue
        language, *words = token.info.lower().split() or [""]
        line = (token.map or [0])[0] + 2
        if language == _OUTPUT and takes_output:
            last = blocks.pop()
            blocks.append(Block(last.line, last.source, last.mode, token.content))
        elif language == _OUTPUT:
            stray.append(line - 1)
        elif language in _CONSOLE and _SHOWN_ONLY not in words:
            blocks += _examples(token.content, line)
        elif language in _PYTHON and _SHOWN_ONLY not in words:
            blocks.append(Block(line, token.content, "exec", None))
        else:
            passed_over.append(language or "plain")
        takes_output = language in _PYTHON and _SHOWN_ONLY not in words
    return blocks, passed_over, stray


def _examples(text: str, line: int) -> Iterator[Block]:
    """Each example of a session at the prompt; what cannot be told apart is one block that cannot be compiled."""
    try:
        for example in doctest.DocTestParser().get_examples(text):
            yield Block(line + example.lineno, example.source, "single", example.want)
    except ValueError:
        yield Block(line, text, "exec", None)


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    seen: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            children = tokens[place + 1].children or ()
            text = "".join(one.content for one in children if one.type in ("text", "code_inline"))
            name = _anchor(text)
            number = seen.get(name, 0)
            seen[name] = number + 1
            yield Heading(int(token.tag[1:]), text, f"{name}-{number}" if number else name)


def _anchor(text: str) -> str:
    """The name that most sites give a heading: letters, digits and hyphens."""
    kept = (one for one in text.lower() if one in " -_" or unicodedata.category(one)[0] in "LN")
    return "".join(kept).strip().replace(" ", "-")
