"""The page: stands alone, shows the right episodes on the right maps, with sound."""

import base64
import re
from dataclasses import replace

import pytest
from fake_separation import FAKE_SUITE
from reading import Page

from av_envs.benchmarks import report
from av_envs.benchmarks.board.gallery import pick, sample
from av_envs.benchmarks.board.maps import house_map, map_of, path_of, scene_map
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites
from av_envs.scene import House
from av_envs.vision import ground_plan

MOST_BYTES = 900_000


@pytest.fixture(autouse=True)
def fake_suite(monkeypatch):
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)


def record(episode, score):
    return {"group": "all", "episode": episode, "metrics": {"m": score}}


def test_best_median_and_worst():
    records = [record(k, score) for k, score in enumerate([3.0, None, 1.0, 5.0, 2.0, 4.0])]
    chosen = {why: r["episode"] for why, r in pick(records, "m", True).items()}
    assert chosen == {"best": 3, "median": 0, "worst": 2}
    chosen = {why: r["episode"] for why, r in pick(records, "m", False).items()}
    assert (chosen["best"], chosen["worst"]) == (2, 3)
    assert pick(records[1:2], "m", True) == {}


def test_the_sample_is_the_same_for_every_agent():
    one = [record(k, 1.0) for k in range(200)]
    other = [record(k, -k) for k in range(200)]
    drawn = [r["episode"] for r in sample(one)]
    assert drawn == [r["episode"] for r in sample(other)]
    assert len(set(drawn)) == 20
    assert max(drawn) > 100


def test_paths_are_rectangles_with_y_down():
    assert path_of([(1, 2, 4, 7.004)]) == "M1.0 -7.0h3.0v5.0h-3.0z"


def test_a_map_has_every_room_inside_its_box():
    drawn, design = house_map("house-3"), House(3).design
    assert [room[0] for room in drawn["rooms"]] == list(design.uses)
    assert drawn["floors"].count("M") == len(design.floors)
    assert drawn["doors"].count("M") == len(design.doors)
    x, y, width, height = drawn["box"]
    for left, up in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", drawn["floors"] + drawn["things"]):
        assert x <= float(left) <= x + width
        assert y <= float(up) <= y + height


def covered(path: str) -> float:
    """Square metres of the rectangles of a path."""
    sides = re.findall(r"h([\d.]+)v([\d.]+)", path)
    return sum(float(width) * float(height) for width, height in sides)


def test_a_map_of_any_scene_is_its_ground_plan():
    house = House(3)
    scene, design = house.scene(), house.design
    drawn, plan = scene_map(scene), ground_plan(scene)
    cell = 1 / plan.pixels_per_metre**2
    assert covered(drawn["floors"]) == pytest.approx(plan.floor.sum() * cell, rel=1e-3)
    assert covered(drawn["things"]) == pytest.approx(plan.things.sum() * cell, rel=1e-3)
    floors = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in design.floors)
    assert covered(drawn["floors"]) == pytest.approx(floors, rel=0.03)
    x, y, width, height = drawn["box"]
    for left, up in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", drawn["floors"]):
        assert x <= float(left) <= x + width
        assert y <= float(up) <= y + height
    assert drawn["floors"].count("M") < 200  # runs that lie below each other are one


def test_a_dwelling_of_another_backend_has_a_map(tmp_path):
    room = [(x, y, z) for z in (0, 2.6) for x, y in ((0, 0), (8, 0), (8, 5), (0, 5))]
    faces = ["1 2 3 4", "8 7 6 5", "1 5 6 2", "2 6 7 3", "3 7 8 4", "4 8 5 1"]  # seen from inside
    lines = [f"v {x} {y} {z}" for x, y, z in room] + [f"f {face}" for face in faces]
    (tmp_path / "room.obj").write_text("\n".join(lines) + "\n")
    root = {"root": str(tmp_path / "room.obj"), "up": "z"}
    options = {"start": "near", "num_sources": 1, "backend": "mesh", "backend_options": root}
    between = suites.SUITES["sep-between-unheard-v1"]
    group = replace(between.groups[0], seeds=(5,), options=({},))
    suite = replace(between, env_kwargs=options, groups=(group,))
    drawn = map_of(suite, "all", 5, "room")
    assert covered(drawn["floors"]) == pytest.approx(40, rel=0.05)
    assert not drawn["things"]
    flats = suites.SUITES["rir-replica-like-v2"]  # and of the other task
    group = replace(flats.groups[0], seeds=(5,), options=({},))
    options = {"backend": "mesh", "backend_options": root, "grid": 0.5}
    suite = replace(flats, env_kwargs=options, groups=(group,))
    assert map_of(suite, "all", 5, "room") == drawn


def test_the_page_shows_and_sounds(tmp_path):
    for name in ("Oracle", "StandInPlace"):
        run_suite(Job(FAKE_SUITE, AgentSpec(f"av_envs.baselines.separation:{name}")), tmp_path)
    assert report.main([str(tmp_path), "--audio", "2"]) == 0
    text = (tmp_path / "leaderboard.html").read_text()
    data = Page(text).data
    suite = data["suites"]["fake-v1"]
    assert [agent["name"] for agent in suite["agents"]] == ["Oracle", "StandInPlace"]
    episodes = suite["agents"][0]["episodes"]
    assert [e["why"] for e in episodes[:4]] == ["best", "median", "worst", ""]
    assert len({e["episode"] for e in episodes}) == len(FAKE_SUITE.episodes)
    assert ["tracks" in e for e in episodes[:4]] == [True, True, False, False]
    tracks = episodes[0]["tracks"]
    assert [track["name"] for track in tracks] == ["mixture", "truth"]
    assert all(base64.b64decode(track["ogg"])[:4] == b"OggS" for track in tracks)
    assert "scored is the mixture" in episodes[0]["no_estimate"]
    assert len(episodes[0]["views"]["tiles"][0]) == 21
    assert len(episodes[0]["replay"]["walkers"][0]["moves"]) == 20
    assert set(data["maps"]) == {e["scene"] for e in episodes}
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), "nothing from elsewhere"


@pytest.mark.slow
def test_a_page_of_whole_suites_stays_small(tmp_path):
    """200 episodes each of seven agents, without sounds and views."""
    group = FAKE_SUITE.groups[0]
    many = replace(
        group, seeds=tuple(range(200)), options=tuple({"house": k % 20} for k in range(200))
    )
    suite = replace(FAKE_SUITE, name="fake-large-v1", groups=(many,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(suites.SUITES, suite.name, suite)
        path = run_suite(Job(suite, AgentSpec("av_envs.baselines.separation:Random")), tmp_path)
        report.main([str(tmp_path), "--audio", "0"])
    assert path.stat().st_size < 300_000
    assert 7 * (tmp_path / "leaderboard.html").stat().st_size < MOST_BYTES


def test_a_name_cannot_break_the_page(tmp_path):
    path = run_suite(Job(FAKE_SUITE, AgentSpec("av_envs.baselines.separation:Random")), tmp_path)
    result = read_result(path)
    assert report.build_gallery(*report.read_rows(tmp_path), 0)["suites"]
    result["agent"]["name"] = "</script><script>alert(1)"
    del result["result_hash"]
    report_rows = report.build_rows([result])
    page = report.html_page(report_rows, report.build_gallery(report_rows, [result], 0))
    assert "<script>alert" not in page
    assert Page(page).data["suites"]["fake-v1"]["agents"][0]["name"].startswith("</script>")
