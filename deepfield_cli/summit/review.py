"""What is asked of a post, check by check."""

from __future__ import annotations

import ast
import doctest
import os
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from deepfield_cli.content.packs import packs
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.leftovers import make_held_folder
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles
from deepfield_cli.sandbox.submission import Submission
from deepfield_cli.summit.course import Metrics, Station
from deepfield_cli.summit.link_check import LinkReport, Manners, Offline, check_links
from deepfield_cli.summit.linked import Link, Source
from deepfield_cli.summit.post import Block, Post

# Judgements: fewer words name an idea and do not explain it, more are a book; 230 words a minute is how adults read.
FEWEST_WORDS, MOST_WORDS, WORDS_PER_MINUTE = 600, 8000, 230
_FEWEST_SECTIONS = 3
_FEWEST_LINKS = 2
_MEMORY_MB = 4096
_HEAVY = ("torch", "numpy")
_RUNNER = "deepfield_block_runner.py"
_SHOWN_LINES = 12


@dataclass
class Review:
    """One post under review.

    Attributes:
        name: its file's name.
        files: the post and what lies beside it.
        post: the post, read.
        seconds: how long all its code may take.
        manners: how its links are asked for.
        isolation: what held its code in.
        printed: what each block printed.
        unsure: links that gave no clear answer.
        offline: whether there was no network to ask for the links.

    """

    name: str
    files: SubmissionFiles
    post: Post
    seconds: float
    manners: Manners
    isolation: str = ""
    printed: list[str] = field(default_factory=list)
    unsure: list[LinkReport] = field(default_factory=list)
    offline: bool = False

    def stations(self) -> Iterator[Station]:
        """What is asked of a post."""
        yield Station(
            "structure_guides_the_reader",
            f"One title, at least {_FEWEST_SECTIONS} sections, and no level of headings left out.",
            self._structure,
        )
        yield Station(
            "length_is_readable",
            f"Between {FEWEST_WORDS} and {MOST_WORDS} words beside the code.",
            self._length,
        )
        yield Station("code_runs_in_order", "Every block of Python runs, one after the other.", self._code, (), 3)
        yield Station(
            "output_shown_is_output_produced",
            "What the post shows as output is what its code prints.",
            self._outputs,
            ("code_runs_in_order",),
            2,
        )
        yield Station("images_and_files_exist", "What it points at beside itself is there.", self._beside)
        yield Station(
            "links_resolve",
            f"At least {_FEWEST_LINKS} addresses are named, and none of them is dead.",
            self._links,
        )

    def _structure(self) -> Metrics:
        levels = [heading.level for heading in self.post.headings]
        titles = levels.count(1)
        if titles != 1:
            raise CheckFailed(f"The post has {titles} titles (# …) instead of one.", diagnosis="no-single-title")
        if levels.count(2) < _FEWEST_SECTIONS:
            words = f"The post has {levels.count(2)} of at least {_FEWEST_SECTIONS} sections (## …)."
            raise CheckFailed(words, diagnosis="too-few-sections")
        for before, after in pairwise(levels):
            if after > before + 1:
                raise CheckFailed(
                    f"A heading of level {after} follows one of level {before}.", diagnosis="level-left-out"
                )
        return {"sections": float(levels.count(2))}

    def _length(self) -> Metrics:
        words = self.post.words
        if not FEWEST_WORDS <= words <= MOST_WORDS:
            raise CheckFailed(
                f"The post has {words} words; {FEWEST_WORDS} to {MOST_WORDS} are asked for.",
                diagnosis="too-short" if words < FEWEST_WORDS else "too-long",
            )
        return {"words": float(words), "reading_minutes": round(words / WORDS_PER_MINUTE, 1)}

    def _code(self) -> Metrics:
        if not self.post.blocks:
            raise CheckFailed(
                "The post has no code that runs.",
                help="Blocks marked python are run; so are the examples of blocks marked pycon.",
                diagnosis="no-code",
            )
        root, lock = make_held_folder()
        try:
            with WarmPool() as pool:
                submission = Submission(pool, self._blueprint(root), call_seconds=self.seconds)
                try:
                    self._run_blocks(submission)
                finally:
                    self.isolation = submission.isolation or ""
                    submission.close()
        finally:
            remove_tree(root)
            os.close(lock)
        return {"blocks": float(len(self.post.blocks))}

    def _blueprint(self, root: Path) -> Blueprint:
        for name in ("post", "scratch"):
            (root / name).mkdir()
        self.files.write_to(root / "post")
        (root / "post" / _RUNNER).write_bytes(Path(__file__).with_name("block_runner.py").read_bytes())
        return Blueprint(
            folder=root / "post",
            entry=_RUNNER,
            scratch=root / "scratch",
            limits=Limits(memory_mb=_MEMORY_MB).with_seconds(self.seconds),
            preload=[name for name in _HEAVY if name in _imported(self.post.blocks)],
            hidden=[str(pack.root / "graders") for pack in packs()],
        )

    def _run_blocks(self, submission: Submission) -> None:
        name = self.name
        for path, content in self.files.files.items():  # a reader runs it where these files are
            submission.write_file(path, content)
        submission.call("begin", name, self.post.code())
        for block in self.post.blocks:
            answer = submission.call("run", name, block.source, block.line, block.mode)
            if answer["fault"]:
                raise CheckFailed(
                    f"The block at line {block.line} does not run.",
                    help="A reader starts with nothing: what does it need that no block before it made?",
                    actual=_end_of(str(answer["fault"])),
                    diagnosis="block-fails",
                )
            self.printed.append(str(answer["printed"]))

    def _outputs(self) -> Metrics:
        if self.post.stray_outputs:
            line = self.post.stray_outputs[0]
            words = f"The output at line {line} follows no block that runs."
            raise CheckFailed(words, help="It stands right behind its code.", diagnosis="output-without-code")
        shown = [(block, printed) for block, printed in zip(self.post.blocks, self.printed, strict=True) if block.shown]
        if not shown:
            raise CheckFailed(
                "The post shows no output.",
                help="A block marked output, right behind its code, shows what that prints.",
                diagnosis="no-output",
            )
        for block, printed in shown:
            if not _matches(block.shown or "", printed):
                raise CheckFailed(
                    f"The block at line {block.line} prints something else than the post shows.",
                    help="Three dots stand for anything, such as a time that is never the same.",
                    expected=_end_of(block.shown or ""),
                    actual=_end_of(printed) or "nothing",
                    diagnosis="output-differs",
                )
        return {"outputs": float(len(shown))}

    def _beside(self) -> Metrics:
        for image in self.post.images:
            if not image.words.strip():
                raise CheckFailed(
                    f"The image {image.source} has no words for those who do not see it.",
                    diagnosis="image-without-words",
                )
        anchors = {heading.anchor for heading in self.post.headings}
        for target in (*(image.source for image in self.post.images), *self.post.links):
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            if parts.path and not self._is_there(urllib.parse.unquote(parts.path)):
                raise CheckFailed(f"{parts.path} is not there.", diagnosis="file-missing")
            if not parts.path and parts.fragment and urllib.parse.unquote(parts.fragment) not in anchors:
                raise CheckFailed(f"No heading is found under #{parts.fragment}.", diagnosis="heading-missing")
        return {"images": float(len(self.post.images))}

    def _is_there(self, path: str) -> bool:
        name = os.path.normpath(path.removeprefix("./"))
        return name in self.files.files or any(one.startswith(f"{name}/") for one in self.files.files)

    def _links(self) -> Metrics:
        addresses = [url for url in self._addresses() if url.startswith(("http://", "https://"))]
        if len(addresses) < _FEWEST_LINKS:
            raise CheckFailed(
                f"The post names {len(addresses)} of at least {_FEWEST_LINKS} sources by their address.",
                diagnosis="too-few-links",
            )
        links = [Link(url.partition("#")[0], (Source(self.name, "post", ""),)) for url in addresses]
        try:
            reports = check_links(dict.fromkeys(links), self.manners)
        except Offline:
            self.offline = True
            return None
        self.unsure = [report for report in reports if report.state in ("refused", "unreachable")]
        dead = [report for report in reports if report.state == "dead"]
        if dead:
            raise CheckFailed(f"{dead[0].link.url} is dead: it {dead[0].words}.", diagnosis="link-dead")
        return {"links": float(len(reports))}

    def _addresses(self) -> list[str]:
        return list(dict.fromkeys((*self.post.links, *(image.source for image in self.post.images))))


def _imported(blocks: Sequence[Block]) -> set[str]:
    """Packages that the code imports, as far as it can be read."""
    found: set[str] = set()
    for block in blocks:
        try:
            nodes = list(ast.walk(ast.parse(block.source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found |= {
            alias.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        found |= {(node.module or "").partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    return found


def _matches(shown: str, printed: str) -> bool:
    """Whether an output is the one that is shown, blanks at line ends left aside; three dots match anything."""
    want, got = _trimmed(shown), _trimmed(printed)
    return want == got or doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def _end_of(text: str) -> str:
    return "\n".join(line[:200] for line in text.rstrip().splitlines()[-_SHOWN_LINES:])
