"""Curves of runs as files."""

import csv

from av_envs.agents.curve import add_row


def rows_in(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_follow_one_another_and_the_best_is_told(tmp_path):
    path = tmp_path / "curve.csv"
    told = [
        add_row(path, {"round": k, "score": s}, "round", "score")
        for k, s in enumerate((1, 3, 2, 3))
    ]
    assert told == [True, True, False, True]
    assert [row["score"] for row in rows_in(path)] == ["1.0", "3.0", "2.0", "3"]


def test_rows_from_after_the_checkpoint_are_made_again(tmp_path):
    path = tmp_path / "curve.csv"
    for when, score in ((1.0, 5.0), (2.0, 9.0), (2.0, 6.0)):
        is_best = add_row(path, {"round": when, "score": score}, "round", "score")
    assert is_best  # 9 is forgotten
    assert [float(row["score"]) for row in rows_in(path)] == [5.0, 6.0]
