"""What a problem points at: concepts of its stage, earlier problems, links. Each has to lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from deepfield_cli.authoring.report import Finding
from deepfield_cli.content.packs import ProblemLocation, builtin_pack, problem_ids
from deepfield_cli.content.problem import Problem
from deepfield_cli.content.stage import Stage
from deepfield_cli.content.strict_yaml import Lines, load_model, load_yaml_with_lines
from deepfield_cli.errors import ContentError, near_miss

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]*)>?[^)]*\)|<(https?:[^>]*)>")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def reference_findings(location: ProblemLocation, problem: Problem) -> Iterator[Finding]:
    """Whatever leads nowhere."""
    _, lines = load_yaml_with_lines(location.yaml)
    stages, broken = known_stages(location.pack.root)
    yield from broken
    yield from _concepts(location, problem, lines, stages)
    yield from _needs(location, problem, lines, stages)
    yield from _links(location, problem, lines)
    if location.brief.is_file():
        yield from _brief_links(location.brief)


def known_stages(pack_root: Path) -> tuple[list[Stage], list[Finding]]:
    """The stages of a pack, else those of the built-in one; none while there are none. And those that do not load."""
    for root in (pack_root, builtin_pack().root):
        paths = sorted((root / "curriculum" / "stages").glob("*.yaml"))
        if paths:
            read = [_stage(path) for path in paths]
            stages = [stage for stage in read if isinstance(stage, Stage)]
            return stages, [broken for broken in read if isinstance(broken, Finding)]
    return [], []


def _stage(path: Path) -> Stage | Finding:
    try:
        return load_model(path, Stage)
    except ContentError as error:
        return Finding(where=error.where or str(path), what=error.what, fix=error.fix)


def _concepts(location: ProblemLocation, problem: Problem, lines: Lines, stages: list[Stage]) -> Iterator[Finding]:
    """A stage's list is only binding if there is such a stage."""
    stage = next((stage for stage in stages if stage.id == problem.field), None)
    if stage is None:
        return
    names = [concept.name for concept in stage.concepts]
    for index, concept in enumerate(problem.concepts):
        if concept not in names:
            hint = near_miss(concept, names) or f"the stage has: {'; '.join(names)}"
            where = _at(location, lines, ("concepts", index))
            yield Finding(where=where, what=f'stage {stage.id} has no concept "{concept}"', fix=hint)


def _needs(location: ProblemLocation, problem: Problem, lines: Lines, stages: list[Stage]) -> Iterator[Finding]:
    known = [*problem_ids(), *location.pack.problem_ids(), *(name for stage in stages for name in stage.problems)]
    for index, name in enumerate(problem.needs):
        if name not in known or name == problem.id:
            hint = near_miss(name, [other for other in known if other != problem.id]) or None
            yield Finding(where=_at(location, lines, ("needs", index)), what=f'there is no problem "{name}"', fix=hint)


def _links(location: ProblemLocation, problem: Problem, lines: Lines) -> Iterator[Finding]:
    addresses = [(("resources", index, "url"), item.url) for index, item in enumerate(problem.resources)]
    addresses += [(("targets", index, "url"), item.url) for index, item in enumerate(problem.targets) if item.url]
    for at, url in addresses:
        fault = url_fault(url)
        if fault:
            yield Finding(where=_at(location, lines, at), what=f"{url}: {fault}", fix="correct the link")


def _brief_links(brief: Path) -> Iterator[Finding]:
    text = _INLINE_CODE.sub(_blank, _FENCED.sub(_blank, brief.read_text(encoding="utf-8")))
    for match in _LINK.finditer(text):
        url = match[1] or match[2] or ""
        fault = _brief_fault(brief, url)
        if fault:
            where = f"{brief}:{text.count(chr(10), 0, match.start()) + 1}"
            yield Finding(where=where, what=f"{url or 'an empty link'}: {fault}", fix="correct the link")


def _brief_fault(brief: Path, url: str) -> str | None:
    if url.startswith(("#", "mailto:")):
        return None
    if not url or _SCHEME.match(url):
        return url_fault(url)
    return None if (brief.parent / url.partition("#")[0]).exists() else "there is no such file beside the brief"


def url_fault(url: str) -> str | None:
    """Why an address cannot be one; None if it is well formed."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// or http://"
    if not _HOST.fullmatch(host.lower()):
        return f'"{host}" is not the name of a host'
    if re.search(r"[\s<>\"{}|\\^`]", url) or url[-1] in ".,;":
        return "it holds a character that no link ends with or contains"
    return None


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _at(location: ProblemLocation, lines: Lines, path: tuple[str | int, ...]) -> str:
    return f"{location.yaml}:{lines.get(path, 1)}"
