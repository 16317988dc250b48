"""How far each problem is solved: always asked of the entries, never stored beside them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

COUNTED = "kind = 'attempt' AND score IS NOT NULL"
"""Which entries count as attempts: a fault of the grader has no score and costs the learner nothing.

It is also, word for word, the condition of the partial indexes that answer the query below.
"""


@dataclass(frozen=True, slots=True)
class ProblemProgress:
    """What the attempts at one rung of one problem amount to."""

    problem: str
    """The problem's id."""
    rung: str
    """The rung."""
    attempts: int
    """How many attempts were scored."""
    solved: bool
    """Whether any attempt solved it."""
    best_score: float
    """The highest score."""
    first_solved_at: str | None
    """When it was solved for the first time, in UTC."""
    last_at: str
    """When it was last tried, in UTC."""
    last_solved: bool
    """Whether the newest attempt solved it."""
    solving_entry: int | None
    """The newest entry that solved it; its payload names the suite that it passed."""


_OF_THE_PAIR = f"FROM entries WHERE {COUNTED} AND entries.problem = pairs.problem AND entries.rung = pairs.rung"

# Every value is a seek into an index but for the count, which walks the index of its own pair. The first two tables
# jump from one pair to the next: one GROUP BY over 100,000 attempts takes four times as long as all of this.
_PROGRESS = f"""
WITH RECURSIVE
problems(problem) AS (
    SELECT min(problem) FROM entries WHERE {COUNTED}
    UNION ALL
    SELECT (SELECT min(problem) FROM entries WHERE {COUNTED} AND entries.problem > problems.problem)
    FROM problems WHERE problem IS NOT NULL
),
pairs(problem, rung) AS (
    SELECT problem, (SELECT min(rung) FROM entries WHERE {COUNTED} AND entries.problem = problems.problem)
    FROM problems WHERE problem IS NOT NULL
    UNION ALL
    SELECT problem, (
        SELECT min(rung) FROM entries
        WHERE {COUNTED} AND entries.problem = pairs.problem AND entries.rung > pairs.rung
    )
    FROM pairs WHERE rung IS NOT NULL
),
facts AS MATERIALIZED (
    SELECT problem, rung,
        (SELECT count(*) {_OF_THE_PAIR}) AS attempts,
        (SELECT max(score) {_OF_THE_PAIR}) AS best_score,
        (SELECT min(id) {_OF_THE_PAIR} AND solved = 1) AS first_solved,
        (SELECT max(id) {_OF_THE_PAIR} AND solved = 1) AS last_solved,
        (SELECT max(id) {_OF_THE_PAIR} AND solved = 0) AS last_unsolved
    FROM pairs WHERE rung IS NOT NULL
)
SELECT problem, rung, attempts, last_solved IS NOT NULL AS solved, best_score,
    (SELECT at FROM entries WHERE id = first_solved) AS first_solved_at,
    (SELECT at FROM entries WHERE id = max(coalesce(last_solved, 0), coalesce(last_unsolved, 0))) AS last_at,
    coalesce(last_solved, 0) > coalesce(last_unsolved, 0) AS last_solved,
    last_solved AS solving_entry
FROM facts ORDER BY problem, rung
"""


def read_progress(connection: sqlite3.Connection) -> list[ProblemProgress]:
    """One item per problem and rung that was ever attempted, ordered by both."""
    cursor = connection.execute(_PROGRESS)
    names = [column[0] for column in cursor.description]
    found = []
    for row in cursor:
        columns = dict(zip(names, row, strict=True))
        columns.update(solved=bool(columns["solved"]), last_solved=bool(columns["last_solved"]))
        found.append(ProblemProgress(**columns))
    return found
