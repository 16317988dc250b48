"""The page itself: verified, confirmed and attested side by side, never added up, never shown as one another."""

from __future__ import annotations

from collections.abc import Iterable

from deepfield_cli.journey.gaps import Gap
from deepfield_cli.journey.portfolio.portfolio import Portfolio
from deepfield_cli.journey.portfolio.proved import Proved, Rung
from deepfield_cli.journey.portfolio.reached import Reached
from deepfield_cli.journey.portfolio.shown_season import ShownSeason
from deepfield_cli.journey.portfolio.vouched import Vouched
from deepfield_cli.practice.quantity import in_words
from deepfield_cli.render.portfolio import charts
from deepfield_cli.render.portfolio.markup import Markup, element, join, link, text
from deepfield_cli.render.portfolio.style import STYLE

# Nothing may be loaded and nothing may run, whatever should ever get into the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_KINDS = {
    "verified": "a grader measured it again, on fresh inputs, in a sandbox",
    "confirmed": "an outside service says so",
    "attested": "the learner says so, against a rubric",
}
_REACHED = {"project": "Project", "arena": "Arena", "signal": "Sign of mastery"}
_AT = {"higher": "at least ", "lower": "at most ", "equal": ""}


def portfolio_page(portfolio: Portfolio) -> str:
    """The whole page; everything that is not ours in it is escaped."""
    title = f"{portfolio.name}: what I proved" if portfolio.name else "What I proved"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element("body", _top(portfolio), element("main", *_sections(portfolio)), _foot(portfolio))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _top(portfolio: Portfolio) -> Markup:
    span = f"{min(portfolio.days)} to {max(portfolio.days)}" if portfolio.days else f"{portfolio.made}"
    return element(
        "header",
        element("p", "deepfield portfolio", class_="brand"),
        element("h1", portfolio.name or "What I proved"),
        element(
            "p",
            f"{span}. Every number on this page comes from one record, whose hash stands at its end.",
            class_="lead",
        ),
        _tiles(portfolio),
        charts.activity(portfolio.days, portfolio.made) if portfolio.days else None,
    )


def _tiles(portfolio: Portfolio) -> Markup:
    solved = sum(problem.is_solved for problem in portfolio.problems)
    tiles = (
        ("verified", portfolio.rungs_verified, f"rungs verified, of {_counted(solved, 'problem')}"),
        ("confirmed", portfolio.vouched_as("confirmed"), "confirmed by an outside service"),
        ("attested", portfolio.vouched_as("attested"), "attested, against a rubric"),
        ("", len(portfolio.days), "days with work"),
    )
    items = [
        element("li", element("b", f"{count:,}"), element("span", words), class_=f"tile {kind}".strip())
        for kind, count, words in tiles
    ]
    return element("ul", *items, class_="tiles")


def _sections(portfolio: Portfolio) -> Iterable[Markup]:
    for season in portfolio.seasons:
        yield _season(season)
    yield from _fields(portfolio)
    if portfolio.reachings:
        rows = [_row(_REACHED[one.kind], one.title, _pill(one.evidence)) for one in portfolio.reachings]
        yield join(element("h2", "Milestones"), element("ul", *rows, class_="card rows"))
    if portfolio.vouched:
        yield join(
            element("h2", "Beyond the grader"), element("ul", *map(_vouched, portfolio.vouched), class_="card rows")
        )
    if portfolio.gaps:
        yield join(element("h2", "Where the paper and the world differ"), *map(_gaps, portfolio.gaps.items()))
    if portfolio.drills or portfolio.reviews[1]:
        yield _practice(portfolio)
    yield _proof(portfolio)


def _season(season: ShownSeason) -> Markup:
    share = 1.0 if season.over else (season.week - 1) / season.weeks
    state = f"kept {season.kept} of {season.weeks} weeks" if season.over else f"week {season.week} of {season.weeks}"
    return element(
        "section",
        element("h2", f"Season: {season.title}"),
        element(
            "div",
            element(
                "div",
                element("h3", state),
                element("span", f"{season.started} to {season.ends}", class_="soft small"),
                class_="head",
            ),
            element("div", element("i", style=f"width:{share:.0%}"), class_="bar"),
            element("p", "One field, no switching inside the season.", class_="soft small"),
            class_="card",
        ),
    )


# Problems


def _fields(portfolio: Portfolio) -> Iterable[Markup]:
    names = dict.fromkeys([*portfolio.fields, *(problem.field for problem in portfolio.problems)])
    for field in names:
        members = [problem for problem in portfolio.problems if problem.field == field]
        solved = [problem for problem in members if problem.is_solved]
        if members:
            yield element("h2", portfolio.fields.get(field, field))
            yield join(*map(_problem, solved))
            yield _unsolved([problem for problem in members if not problem.is_solved])


def _unsolved(problems: list[Proved]) -> Markup:
    if not problems:
        return Markup("")
    tried = ", ".join(f"{one.title} (best {max((s.score for s in one.scores), default=0):.0%})" for one in problems)
    return element("p", f"Tried, not solved: {tried}", class_="soft small")


def _problem(problem: Proved) -> Markup:
    notes = [_counted(len(problem.scores), "attempt")]
    notes += [_counted(problem.hints, "hint")] if problem.hints else []
    notes += ["solved after its solution was opened"] if problem.gave_up else []
    return element(
        "article",
        element(
            "div",
            element("h3", problem.title),
            element("span", f"{problem.id} · {problem.difficulty}", class_="mono soft"),
            class_="head",
        ),
        element("ul", *[element("li", _rung(rung)) for rung in problem.rungs], class_="pills"),
        element("div", *_plots(problem, " · ".join(notes)), class_="plots"),
        _targets(problem.targets),
        _measured(problem),
        class_="card",
    )


def _rung(rung: Rung) -> Markup:
    if rung.state == "solved":
        return element("span", f"✓ {rung.name} verified", element("small", str(rung.day)), class_="pill verified")
    if rung.state == "outdated":
        words = f"✓ {rung.name} verified by checks that changed since"
        return element("span", words, element("small", str(rung.day)), class_="pill outdated")
    state = "tried" if rung.attempts else "open"
    return element("span", f"{rung.name} {state}", class_="pill open")


def _plots(problem: Proved, notes: str) -> Iterable[Markup]:
    yield element("figure", element("h4", notes), charts.scores(problem.scores), style="margin:0")
    for curve in problem.curves:
        ends = f"{_figure(curve.points[0][1])} → {_figure(curve.points[-1][1])}"
        yield element(
            "figure", element("h4", f"{curve.name}, as the code told it: {ends}"), charts.curve(curve), style="margin:0"
        )


def _targets(targets: tuple[Reached, ...]) -> Markup | None:
    if not targets:
        return None
    head = element(
        "tr", element("th", "target"), element("th", "rung"), element("th", "to reach", class_="num"),
        element("th", "reached", class_="num"),
    )  # fmt: skip
    body = element("tbody", *map(_target, targets))
    return join(
        element("h4", "Targets and what was reached"), element("table", element("thead", head), body, class_="stack")
    )


def _target(target: Reached) -> Markup:
    bar = f"{_AT[target.direction]}{target.target} {target.unit}".strip()
    unproved = "" if target.verified else ", from memory"
    source = element("div", link(target.url, target.source), unproved, class_="soft small")
    return element(
        "tr",
        element("td", target.metric, source, class_="wide"),
        element("td", target.rung, class_="key", data_label="rung"),
        element("td", bar, class_="num", data_label="to reach"),
        element("td", _reached(target), class_="num", data_label="reached"),
    )


def _reached(target: Reached) -> Markup:
    if target.reached is None:
        return element("span", "not measured", class_="soft")
    return element("span", _figure(target.reached), class_="met" if target.met else "missed")


def _measured(problem: Proved) -> Markup | None:
    if not problem.measured:
        return None
    words = " · ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in problem.measured.items())
    return element("p", f"Also measured: {words}", class_="soft small")


# What no grader can see


def _vouched(one: Vouched) -> Markup:
    count = f" × {one.count:,}" if one.count > 1 else ""
    detail = join(link(one.link, one.link) if one.link else None, f" {one.note}" if one.note else None)
    return _row(str(one.day), f"{one.title}{count}", _pill(one.kind), detail)


def _row(first: str, title: str, pill: Markup, detail: Markup | None = None) -> Markup:
    shown = element("div", detail, class_="soft small") if detail else None
    return element("li", element("span", first, class_="soft small"), element("div", title, shown, class_="grow"), pill)


def _pill(kind: str) -> Markup:
    sign = "✓ " if kind == "verified" else ""
    return element("span", f"{sign}{kind}", class_=f"pill {kind}", title=_KINDS[kind])


def _gaps(log: tuple[str, tuple[Gap, ...]]) -> Markup:
    problem, gaps = log
    labels = ("the paper says", "what it took", "what it changed")
    rows = [
        element("tr", *[element("td", cell, data_label=label) for label, cell in zip(labels, _gap(gap), strict=True)])
        for gap in gaps
    ]
    head = element("thead", element("tr", *[element("th", label) for label in labels]))
    table = element("table", head, element("tbody", *rows), class_="stack gaps")
    return element("div", element("h3", problem), table, class_="card")


def _gap(gap: Gap) -> tuple[str, str, str]:
    return gap.paper, gap.reality, gap.effect or "not measured"


def _practice(portfolio: Portfolio) -> Markup:
    rows = [
        _row(
            "drill",
            f"Estimates within a factor of two, {portfolio.fields.get(field, field)}",
            text(f"{right} of {asked}"),
        )
        for field, (right, asked) in portfolio.drills.items()
    ]
    right, made = portfolio.reviews
    rows += [_row("review", "Passed problems written again from the stub", text(f"{right} of {made}"))] if made else []
    return join(element("h2", "Kept in practice"), element("ul", *rows, class_="card rows"))


# Proof


def _proof(portfolio: Portfolio) -> Markup:
    chain = portfolio.chain
    kinds = [element("li", _pill(kind), element("span", words, class_="grow soft")) for kind, words in _KINDS.items()]
    steps = (
        "Ask for the exported record: one file, with the code of every attempt.",
        "Prove that it is whole and unchanged, up to the hash above:",
        "Grade every solved problem again on your own machine, from the stored files and seeds:",
    )
    commands = (
        None,
        f"deepfield import record.zip --head {chain.head[:16]}",
        "cd record-record && deepfield verify --regrade",
    )
    items = [
        element("li", step, element("pre", element("code", command)) if command else None)
        for step, command in zip(steps, commands, strict=True)
    ]
    return element(
        "section",
        element("h2", "How to check this page"),
        element(
            "div",
            element("p", f"The record has {chain.entries:,} entries, each tied to the one before it. The last one is"),
            element("code", chain.head, class_="hash"),
            element("ol", *items),
            element("h4", "The three kinds of evidence"),
            element("ul", *kinds, class_="rows"),
            class_="card",
        ),
    )


def _foot(portfolio: Portfolio) -> Markup:
    words = f"Made on {portfolio.made} with deepfield {portfolio.program}. This page loads nothing and runs nothing."
    return element("footer", element("p", words))


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _figure(value: float) -> str:
    return in_words(value, 4) if value > 0 else f"{value:.4g}"
