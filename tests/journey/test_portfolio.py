"""The portfolio: what it shows, what it never shows, and how a real browser takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.clock import NOW_VARIABLE
from deepfield_cli.journey.portfolio.gathering import gather
from deepfield_cli.journey.portfolio.portfolio import Portfolio
from deepfield_cli.journey.workspace import Workspace, create_workspace
from deepfield_cli.render.portfolio.markup import Markup, element, link, text
from deepfield_cli.render.portfolio.page import portfolio_page
from tests.conftest import RunCli
from tests.journey.browser import CHROMIUM, Browser, open_browser
from tests.journey.sample import NOW, sample_workspace

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload=x \u202e\x1b[31m"
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: the portfolio was not looked at"
)


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOW_VARIABLE, NOW)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return sample_workspace(tmp_path / "ws")


@pytest.fixture
def portfolio(workspace: Workspace) -> Portfolio:
    return gather(workspace, name="Ada Moreau")


class _Reader(HTMLParser):
    """Tags, attributes and text, as a browser would take them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


# What it shows


def test_every_kind_of_evidence_is_counted_for_itself(portfolio: Portfolio) -> None:
    assert portfolio.rungs_verified == 2
    assert portfolio.vouched_as("confirmed") == 1
    assert portfolio.vouched_as("attested") == 5
    assert [one.evidence for one in portfolio.reachings if one.title.startswith("Land a pull request")] == ["confirmed"]


def test_attested_is_never_shown_as_anything_else(portfolio: Portfolio) -> None:
    page = portfolio_page(portfolio)
    rows = re.findall(r"<li>(?:(?!</li>).)*?A talk given.*?</li>", page)
    assert len(rows) == 1 and 'class="pill attested"' in rows[0]
    assert "verified" not in rows[0] and "confirmed" not in rows[0]
    assert page.count('class="pill verified">✓ core verified') == 2


def test_targets_stand_beside_what_was_reached(portfolio: Portfolio) -> None:
    attention = next(problem for problem in portfolio.problems if problem.id == "llm/attention")
    reached = {target.id: (target.reached, target.met) for target in attention.targets}
    assert reached["agreement"] == (4.1e-7, True)
    assert reached["finite_differences"] == (None, None)
    assert attention.measured == {"texts": 412.0, "backward_cpu_seconds": 0.0123}
    assert [curve.name for curve in attention.curves] == ["loss"]
    assert len(attention.curves[0].points) == 40
    assert [score.score for score in attention.scores][-1] == 1.0


def test_everything_of_the_record_is_on_the_page(workspace: Workspace, portfolio: Portfolio) -> None:
    words = " ".join(_Reader(portfolio_page(portfolio)).words)
    with workspace.record() as ledger:
        head = ledger.verify().head
    shown = ("Ada Moreau", head, "week 8 of 12", "It diverged until", "Pull request merged", "10 attempts · 1 hint")
    for expected in (*shown, "4.1e-7", "Language models", f"--head {head[:16]}", "109 of 149"):
        assert expected in words, expected


def test_an_empty_record_has_a_page_too(tmp_path: Path) -> None:
    made, _ = create_workspace(tmp_path / "fresh")
    made.ledger().close()
    page = portfolio_page(gather(made))
    assert "What I proved" in page and "0 entries" in page


def test_a_solution_seen_before_it_was_solved_is_said(workspace: Workspace) -> None:
    with workspace.ledger() as ledger:
        ledger.append("give-up", {}, problem="llm/bpe")
    page = portfolio_page(gather(workspace))
    assert page.count("solved after its solution was opened") == 1


def test_a_record_that_was_changed_makes_no_portfolio(workspace: Workspace) -> None:
    import sqlite3

    with sqlite3.connect(workspace.database) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET score = 1.0 WHERE kind = 'attempt'")
    connection.close()
    with pytest.raises(DeepfieldError, match="not as it was written"):
        gather(workspace)


# What it never shows


def test_nothing_private_is_on_it(workspace: Workspace) -> None:
    import getpass
    import socket

    page = portfolio_page(gather(workspace))
    private = [
        "a note",
        "secret-file",
        "secret-machine",
        "SecretOS",
        "my own code",
        str(workspace.root),
        "notes.py",
        "Moreau",
    ]
    private += [name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 5]
    assert [one for one in private if one in page] == []
    assert "a note" in portfolio_page(gather(workspace, notes=True))


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = portfolio_page(gather(sample_workspace(tmp_path / "ws", name=HOSTILE), name=HOSTILE, notes=True))
    read = _Reader(page)
    assert set(read.tags) & {"script", "img", "iframe", "object", "base", "form"} == set()
    assert [name for name, _ in read.attributes if name.startswith("on")] == []
    assert [
        value for name, value in read.attributes if name in ("href", "src") and not value.startswith("https://")
    ] == []
    assert "\u202e" not in page and "\x1b" not in page
    assert "<script>alert(1)</script>" in "".join(read.words)


@given(value=st.text(max_size=60))
def test_any_text_stays_text(value: str) -> None:
    page = element("p", value, title=value)
    read = _Reader(page)
    assert read.tags == ["p"] and [name for name, _ in read.attributes] == ["title"]
    assert text(value) == "".join(text(character) for character in value)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "https://", "http://[", "a b",
     "", "https://x.example/\njavascript:", "https://x.example/ y", "JaVaScRiPt:alert(1)", "https://" + "x" * 3000],
)  # fmt: skip
def test_only_harmless_addresses_become_links(address: str) -> None:
    assert "<a" not in link(address, "words")


def test_a_harmless_address_is_a_link() -> None:
    assert link("https://x.example/?a=1&b=2", "w").startswith('<a href="https://x.example/?a=1&amp;b=2"')
    assert element("p", Markup("<b>x</b>")) == "<p><b>x</b></p>"


# In a real browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@needs_browser
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_shows_it_without_complaint(
    browser: Browser, tmp_path: Path, width: int, dark: bool, hostile: bool
) -> None:
    name = HOSTILE + "W" * 200 if hostile else ""
    page = tmp_path / "portfolio.html"
    page.write_text(portfolio_page(gather(sample_workspace(tmp_path / "ws", name=name), name=name or "Ada")), "utf-8")
    browser.open(page, width=width, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("getComputedStyle(document.body).fontSize") == "16px"
    assert browser.evaluate("document.querySelectorAll('script,img,link').length") == 0
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(18, 19, 22)") is dark
    smallest = "Math.min(...[...document.querySelectorAll('main p, main td, main li')].map("
    assert browser.evaluate(smallest + "e => parseFloat(getComputedStyle(e).fontSize)))") >= 12


@needs_browser
def test_it_prints(browser: Browser, tmp_path: Path, portfolio: Portfolio) -> None:
    page = tmp_path / "portfolio.html"
    page.write_text(portfolio_page(portfolio), "utf-8")
    browser.open(page, width=1200, dark=True)
    browser.print(tmp_path / "portfolio.pdf")
    printed = (tmp_path / "portfolio.pdf").read_bytes()
    assert printed.startswith(b"%PDF") and 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    browser.ask("Emulation.setEmulatedMedia", media="print", features=[])
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


# From the command line


def test_the_command_writes_one_file(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    told = run_cli("portfolio", "--out", tmp_path / "me.html", "--name", "Ada <Moreau>", cwd=workspace.root)
    assert told.returncode == 0, told.stderr
    assert "Ada &lt;Moreau&gt;" in (tmp_path / "me.html").read_text("utf-8")
    again = run_cli("portfolio", "--out", tmp_path / "no" / "me.html", cwd=workspace.root)
    assert again.returncode == 2 and "cannot write" in again.stderr
