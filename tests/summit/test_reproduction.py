"""A reproduction is measured again: right ones hold in any style, and every way to fake one has its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import ContentError, DeepfieldError
from deepfield_cli.grading.result import GradeResult
from deepfield_cli.summit.reproduction import Reproduced, ReproductionRequest, grade_reproduction
from tests.summit.reproductions import EVALUATE, GAPS, accuracy_of, trained, write_reproduction

MEASURED = 'json.dumps({"accuracy": {str(seed): accuracy(f"artefacts/{seed}.npz") for seed in SEEDS}})'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reproduction"


def graded(folder: Path, **wishes: Any) -> Reproduced:
    return grade_reproduction(ReproductionRequest(folder, **{"data": {}, **wishes}))


def failure(result: GradeResult | None) -> tuple[str, str | None]:
    """The first check that failed, and the name of what is wrong."""
    assert result is not None
    check = result.first_failure()
    assert check is not None and check.cause is not None
    return check.name, check.cause.diagnosis


def test_a_right_one_holds_against_the_paper(folder: Path) -> None:
    found = graded(write_reproduction(folder))
    assert found.core.solved, failure(found.core)
    assert found.paper is not None and found.paper.solved, failure(found.paper)
    assert [check.outcome for check in (*found.core.checks, *found.paper.checks)] == ["passed"] * 10
    for seed in (0, 1, 2):
        assert found.measured["accuracy"][str(seed)] == pytest.approx(accuracy_of(trained(seed)), abs=0.04)
    metrics = found.paper.checks[-1].metrics
    assert metrics["accuracy"] == pytest.approx(np.mean(list(found.measured["accuracy"].values())))
    assert (found.core.rung, found.paper.rung, found.core.problem) == ("core", "paper", "summit/reproduction")
    assert set(found.files) == {"claims.yaml", "evaluate.py", "README.md", "gaps.md"}
    assert set(found.artefacts) == {f"artefacts/{seed}.npz" for seed in (0, 1, 2)}
    assert found.core.submission_digest == graded(folder, seed=5).core.submission_digest
    assert "landlock" in found.core.isolation or found.core.isolation == "process"


RIGHT = {
    "a shell script": ({"command": ["sh", "evaluate.sh"]}, EVALUATE),
    "numbers and then more words": ({}, EVALUATE + '    print("done, {not json}")\n    print("{also not")\n'),
    "files written on the way": ({}, EVALUATE + '    open("log.txt", "w").write("x"); open("/dev/null", "w")\n'),
    "noise of its own": ({}, EVALUATE.replace("== labels))", "== labels)) + float(np.random.normal() * 0.1)")),
    "a class, from beside": ({"command": ["python", "-m", "package.run"]}, EVALUATE),
}


@pytest.mark.parametrize("style", RIGHT)
def test_right_ones_in_other_styles(folder: Path, style: str) -> None:
    wish, source = RIGHT[style]
    write_reproduction(folder, evaluate=source, wish=wish)
    (folder / "evaluate.sh").write_text("set -e\npython evaluate.py | tee $TMPDIR/log\n", encoding="utf-8")
    (folder / "package").mkdir()
    (folder / "package" / "run.py").write_text((folder / "evaluate.py").read_text(encoding="utf-8"), encoding="utf-8")
    words = " ".join(json.loads((folder / "claims.yaml").read_text(encoding="utf-8"))["evaluate"]["command"])
    readme = folder / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("python evaluate.py", words), encoding="utf-8")
    found = graded(folder)
    assert found.paper is not None and found.paper.solved, failure(found.paper or found.core)


def test_predictions_are_an_artefact_too(folder: Path) -> None:
    source = """
import json, numpy as np
labels = np.random.default_rng(3).integers(0, 10, size=4000)
print(json.dumps({"accuracy": {str(s): 100 * float(np.mean(np.load(f"artefacts/{s}.npy") == labels)) for s in SEEDS}}))
"""
    runs = [{"seed": seed, "artefact": f"artefacts/{seed}.npy"} for seed in range(3)]
    write_reproduction(folder, evaluate=source, claim={"runs": runs, "reached": 90.0, "published": 90.2})
    labels = np.random.default_rng(3).integers(0, 10, size=4000)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        guesses = np.where(rng.random(4000) < 0.9, labels, (labels + 1) % 10)
        np.save(folder / "artefacts" / f"{seed}.npy", guesses)
    found = graded(folder)
    assert found.paper is not None and found.paper.solved, failure(found.paper or found.core)


def test_a_loss_falls_to_the_other_side(folder: Path) -> None:
    source = EVALUATE.replace("return 100 *", "return 1 -")
    claim = {"direction": "lower", "published": 0.137, "spread": 0.003, "reached": 0.1376}
    found = graded(write_reproduction(folder, evaluate=source, claim=claim))
    assert found.paper is not None and found.paper.solved, failure(found.paper or found.core)


CHEATS: dict[str, tuple[str, str, str]] = {
    "prints what it knows": (
        "does-not-follow", MEASURED, 'json.dumps({"accuracy": {str(s): 86.4 + s / 100 for s in SEEDS}})',
    ),
    "reads its own claims": (
        "does-not-follow",
        MEASURED,
        'json.dumps({"accuracy": {str(s): json.load(open("claims.yaml"))["claims"][0]["reached"] + s / 100'
        " for s in SEEDS}})",
    ),
    "measures the first seed for all": (
        "does-not-follow", 'f"artefacts/{seed}.npz"', '"artefacts/0.npz"',
    ),
    "knows the file": (
        "moves-without-cause",
        MEASURED,
        'json.dumps({"accuracy": {str(s): 86.4 + s / 100 if __import__("hashlib").sha256('
        'open(f"artefacts/{s}.npz", "rb").read()).hexdigest() in KNOWN else 10.0 for s in SEEDS}})',
    ),
    "knows the weights": (
        "moves-without-cause",
        MEASURED,
        'json.dumps({"accuracy": {str(s): 86.4 + s / 100 if __import__("hashlib").sha256('
        'np.load(f"artefacts/{s}.npz")["weights"].tobytes()).hexdigest() in KNOWN else 10.0 for s in SEEDS}})',
    ),
    "gives up where it knows nothing": (
        "breaks-when-disturbed",
        "return 100 *",
        "assert np.mean((inputs @ weights.T).argmax(axis=1) == labels) > 0.5; return 100 *",
    ),
    "adds a little of the artefact": (
        "hardly-depends", "return 100 *", "return 86.4 + float(weights[:, 0].sum()) / 1e4 + 0 *",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
def test_every_cheat_has_its_name(folder: Path, cheat: str) -> None:
    import hashlib

    diagnosis, old, new = CHEATS[cheat]
    assert old in EVALUATE
    write_reproduction(folder)
    known = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "artefacts").iterdir()]
    known += [hashlib.sha256(trained(seed).tobytes()).hexdigest() for seed in range(3)]
    source = EVALUATE.replace(old, new).replace("KNOWN", str(known)).replace("SEEDS", "[0, 1, 2]")
    (folder / "evaluate.py").write_text(source, encoding="utf-8")
    document = json.loads((folder / "claims.yaml").read_text(encoding="utf-8"))
    document["claims"][0]["reached"] = 86.41
    (folder / "claims.yaml").write_text(json.dumps(document), encoding="utf-8")
    found = graded(folder)
    assert found.paper is None
    assert failure(found.core) == ("numbers_follow_their_artefacts", diagnosis)


def test_a_number_kept_beside_the_weights(folder: Path) -> None:
    write_reproduction(folder)
    for seed in range(3):
        share = np.array([accuracy_of(trained(seed)) / 100, 0.5])
        np.savez(folder / "artefacts" / f"{seed}.npz", weights=trained(seed), results=share)
    assert failure(graded(folder).core) == ("numbers_are_not_kept_beside", "number-kept-beside")


@pytest.mark.parametrize(
    ("check", "diagnosis", "source"),
    [
        ("command_measures_again", "command-failed", "raise SystemExit(4)"),
        ("command_measures_again", "command-failed", "import no_such_module"),
        ("command_measures_again", "no-numbers", "print('accuracy 86.4')"),
        ("command_measures_again", "no-numbers", "print('[86.4]')"),
        ("command_measures_again", "number-missing", 'print(\'{"accuracy": {"0": 86.4}}\')'),
        ("command_measures_again", "number-missing", "print('{\"accuracy\": 86.4}')"),
        ("command_measures_again", "number-missing", 'print(\'{"accuracy": {"0": true, "1": 1, "2": 1}}\')'),
        ("command_measures_again", "not-finite", 'print(\'{"accuracy": {"0": NaN, "1": 1, "2": 1}}\')'),
        ("claims_are_what_is_measured", "not-as-claimed", 'print(\'{"accuracy": {"0": 5, "1": 5, "2": 5}}\')'),
    ],
)
def test_commands_that_do_not_measure(folder: Path, check: str, diagnosis: str, source: str) -> None:
    assert failure(graded(write_reproduction(folder, evaluate=source)).core) == (check, diagnosis)


def test_a_command_that_takes_too_long(folder: Path) -> None:
    write_reproduction(folder, evaluate="import time; time.sleep(600)", wish={"seconds": 0.5})
    assert failure(graded(folder).core) == ("command_measures_again", "timeout")


def test_the_traceback_is_shown(folder: Path) -> None:
    check = graded(write_reproduction(folder, evaluate="1 / 0")).core.first_failure()
    assert check is not None and check.cause is not None and check.cause.actual is not None
    assert check.cause.actual.endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("check", "diagnosis", "name", "content"),
    [
        ("folder_is_complete", "file-missing", "gaps.md", None),
        ("folder_is_complete", "file-missing", "README.md", ""),
        ("folder_is_complete", "artefact-missing", "artefacts/1.npz", None),
        ("folder_is_complete", "readme-too-short", "README.md", "python evaluate.py"),
        ("folder_is_complete", "command-untold", "README.md", "word " * 60),
        ("gaps_are_logged", "gaps-missing", "gaps.md", "\n".join(GAPS.splitlines()[:-1])),
        ("artefacts_hold_numbers", "artefact-unreadable", "artefacts/1.npz", "no zip"),
    ],
)
def test_what_is_not_there(folder: Path, check: str, diagnosis: str, name: str, content: str | None) -> None:
    write_reproduction(folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content, encoding="utf-8")
    assert failure(graded(folder).core) == (check, diagnosis)


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    write_reproduction(folder)
    (folder / "artefacts" / "1.npz").rename(tmp_path / "1.npz")
    (folder / "artefacts" / "1.npz").symlink_to(tmp_path / "1.npz")
    assert failure(graded(folder).core) == ("folder_is_complete", "artefact-missing")


def test_artefacts_that_are_none(folder: Path) -> None:
    write_reproduction(folder)
    np.savez(folder / "artefacts" / "1.npz", weights=np.zeros((10, 40)))
    assert failure(graded(folder).core) == ("artefacts_hold_numbers", "artefact-empty")
    content = (folder / "artefacts" / "0.npz").read_bytes()
    (folder / "artefacts" / "1.npz").write_bytes(content)
    assert failure(graded(folder).core) == ("artefacts_hold_numbers", "artefact-shared")


@pytest.mark.parametrize(
    ("check", "diagnosis", "changes"),
    [
        ("seeds_are_enough", "too-few-seeds", {"seeds": (0, 1)}),
        ("seeds_are_enough", "too-few-seeds", {"seeds": (0,)}),
        ("claims_hold_against_the_paper", "short-of-the-paper", {"claim": {"published": 92.5}}),
        ("claims_hold_against_the_paper", "short-of-the-paper", {"claim": {"published": 91.0, "spread": 0.05}}),
        (
            "claims_hold_against_the_paper",
            "short-of-the-paper",
            {
                "claim": {
                    "spread": None,
                    "published": 90.9,
                    "tolerance": 1.0,
                    "tolerance_because": "half of what the appendix shows",
                }
            },
        ),
    ],
)
def test_what_falls_short_of_the_paper(folder: Path, check: str, diagnosis: str, changes: dict[str, Any]) -> None:
    found = graded(write_reproduction(folder, **changes))
    assert found.core.solved
    assert failure(found.paper) == (check, diagnosis)


def test_better_than_the_paper_is_no_shortfall(folder: Path) -> None:
    found = graded(write_reproduction(folder, claim={"published": 70.0, "spread": 0.1}))
    assert found.paper is not None and found.paper.solved


def test_numbers_that_are_the_papers(folder: Path) -> None:
    source = EVALUATE.replace(
        "return 100 * float(", "return 86.4 if weights[3] @ inputs[labels == 3].mean(0) > 20 else float("
    )
    found = graded(write_reproduction(folder, evaluate=source, claim={"reached": 86.4}))
    assert found.core.solved, failure(found.core)
    assert failure(found.paper) == ("numbers_are_your_own", "number-copied")


def test_an_artefact_from_the_papers_release(folder: Path, tmp_path: Path) -> None:
    released = tmp_path / "release.npz"
    np.savez_compressed(released, other=np.arange(300.0), linear=trained(1))
    write_reproduction(folder)
    found = graded(folder, release=[released])
    assert failure(found.paper) == ("numbers_are_your_own", "from-the-release")
    np.savez(released, linear=trained(7))
    again = graded(folder, release=[released])
    assert again.paper is not None and again.paper.solved


def test_data_is_named_given_and_only_read(folder: Path, tmp_path: Path) -> None:
    source = EVALUATE.replace(
        "rng = np.random.default_rng(99)",
        "import os; rng = np.random.default_rng(int(open(os.environ['DATA_SEED_FILE']).read()))",
    )
    write_reproduction(folder, evaluate=source, wish={"data": ["seed-file"]})
    with pytest.raises(DeepfieldError, match="asks for the data seed-file — --data seed-file=PATH"):
        graded(folder)
    data = tmp_path / "seed.txt"
    with pytest.raises(DeepfieldError, match="no such file"):
        graded(folder, data={"seed-file": data})
    data.write_text("99", encoding="utf-8")
    with pytest.raises(DeepfieldError, match='no data "sede"'):
        graded(folder, data={"seed-file": data, "sede": data})
    found = graded(folder, data={"seed-file": data})
    assert found.paper is not None and found.paper.solved
    assert data.read_text(encoding="utf-8") == "99"


def test_a_command_that_needs_a_gpu_says_so_before_anything_is_copied(folder: Path) -> None:
    from deepfield_cli.sandbox.devices import cuda_devices

    if cuda_devices():
        pytest.skip("there is a CUDA device")
    with pytest.raises(DeepfieldError, match="needs a CUDA device"):
        graded(write_reproduction(folder, wish={"gpu": True}))


@pytest.mark.parametrize(
    ("words", "claim"),
    [
        ("neither the spread of the paper nor a tolerance", {"spread": None}),
        ("tolerance_because", {"spread": None, "tolerance": 1.0}),
        ("seed twice", {"runs": [{"seed": 0, "artefact": "a.npz"}, {"seed": 0, "artefact": "b.npz"}]}),
        ("no path inside", {"runs": [{"seed": 0, "artefact": "../a.npz"}]}),
        ("no path inside", {"runs": [{"seed": 0, "artefact": "/a.npz"}]}),
        ('did you mean "published"', {"publishd": 1.0}),
        ("no target", {"target": "llm/gpt2:hellaswg"}),
        ("the roadmap has 3.2924", {"target": "llm/gpt2:val_loss_finewebedu", "direction": "lower"}),
        ("direction is higher", {"target": "llm/gpt2:val_loss_finewebedu", "published": 3.2924}),
    ],
)
def test_claims_that_cannot_be_read(folder: Path, words: str, claim: dict[str, Any]) -> None:
    write_reproduction(folder, claim=claim)
    with pytest.raises(ContentError, match=r"claims\.yaml") as caught:
        graded(folder)
    assert words in str(caught.value)


def test_a_folder_without_claims(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"there is no claims.yaml — deepfield start summit/reproduction"):
        graded(tmp_path)


def test_the_numbers_of_the_roadmap_may_be_named(folder: Path) -> None:
    source = EVALUATE.replace("return 100 *", "return 8 - 5.461 *").replace('"accuracy"', '"loss"')
    claim = {
        "id": "loss", "target": "llm/gpt2:val_loss_finewebedu", "direction": "lower", "published": 3.2924,
        "spread": None, "tolerance": 0.02, "tolerance_because": "a tenth of the distance to the untrained model",
        "reached": 3.29,
    }  # fmt: skip
    found = graded(write_reproduction(folder, evaluate=source, claim=claim))
    assert found.core.solved, failure(found.core)
    assert found.paper is not None
    assert found.core.checks[3].metrics["val_loss_finewebedu"] == pytest.approx(3.29, abs=0.02)


def test_a_seed_replays_a_run(folder: Path) -> None:
    write_reproduction(folder)
    one, two = (graded(folder, seed=11) for _ in range(2))
    assert one.core.seed == two.core.seed == 11
    assert one.measured == two.measured


def test_nothing_of_a_run_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tempfile

    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    graded(write_reproduction(folder))
    assert list(place.iterdir()) == []
