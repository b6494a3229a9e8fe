"""The commands that live here: list, cache, doctor and view."""

import numpy as np
import pytest

from av_envs.cache.contents import Kept
from av_envs.command_line import (
    cached,
    doctor,
    dwelling,
    installation,
    listing,
    self_test,
    view,
)
from av_envs.registration import VARIANTS
from av_envs.scene import load_scene


def test_list_names_every_environment(capsys):
    assert listing.main([]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == list(VARIANTS)
    assert "num_sources=3" in told[list(VARIANTS).index("AVDynamicSep3-v0")]


def test_list_names_agents_that_can_be_played(capsys):
    assert listing.main(["agents"]) == 0
    told = capsys.readouterr().out
    assert "av_envs.baselines.separation:Oracle " in told
    assert "av_envs.baselines.rir_measure:SpreadOut " in told
    assert ":Passive " not in told  # an estimator, which plays nothing


def test_list_without_torch_says_what_is_needed(monkeypatch):
    def import_module(name):
        if ".agents." in name:
            raise ModuleNotFoundError("no", name="torch")
        return original(name)

    original = listing.import_module
    monkeypatch.setattr(listing, "import_module", import_module)
    assert ("av_envs.agents.separation:...", "separating", "needs torch; see `av-envs doctor`") in (
        listing.agents()
    )


def test_list_names_suites(capsys):
    assert listing.main(["suites"]) == 0
    assert "sep-demo-v2" in capsys.readouterr().out


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    monkeypatch.setenv("AV_ENVS_CACHE_GB", "3")
    for name, size in (("views/a.rows", 8192), ("views/b.draft", 4096), ("clips/c.rows", 4096)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
    (tmp_path / "mine.txt").write_text("not of the cache")
    return tmp_path


def test_cache_list_adds_up(cache_folder, capsys):
    assert cached.list_cache([]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{cache_folder}: 0.00 GB; 3 GB may be kept")
    assert [line.split()[2:] for line in rest] == [["2", "files", "views"], ["1", "files", "clips"]]


def test_cache_lines_are_in_gigabytes(cache_folder):
    lines = cached.cache_lines(cache_folder, [Kept("views", 2, 1_500_000_000)])
    assert "1.50 GB" in lines[0]
    assert lines[1].split() == ["1.50", "GB", "2", "files", "views"]


def test_cache_clear_leaves_other_files_alone(cache_folder, capsys):
    assert cached.clear_cache(["--dry-run"]) == 0
    assert "3 files, 0.00 GB would be removed" in capsys.readouterr().out
    assert (cache_folder / "views" / "a.rows").exists()
    assert cached.clear_cache(["--only", "views"]) == 0
    kept = sorted(path.name for path in cache_folder.rglob("*") if path.is_file())
    assert kept == ["c.rows", "mine.txt"]
    assert cached.clear_cache([]) == 0
    assert [path.name for path in cache_folder.rglob("*") if path.is_file()] == ["mine.txt"]


def test_cache_clear_refuses_what_is_not_there(cache_folder, capsys):
    assert cached.clear_cache(["--only", "viewz"]) == 2
    assert "no 'viewz'; it holds views, clips" in capsys.readouterr().err


def test_an_empty_cache_is_no_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / "none"))
    assert cached.list_cache([]) == 0
    assert cached.clear_cache([]) == 0


def test_doctor_looks_everywhere(capsys):
    assert doctor.main(["--no-test"]) == 0
    told = capsys.readouterr().out
    for title in ("versions", "threads", "compiled kernels", "extras", "worlds", "cache"):
        assert f"\n{title}" in f"\n{told}"
    assert "self-test" not in told
    assert f"numpy {np.__version__}" in told


def test_the_self_test_finds_what_it_expects(capsys):
    good, lines = self_test.report()
    assert good, "\n".join(lines)


def test_a_machine_that_computes_otherwise_is_found_out(monkeypatch, capsys):
    wrong = self_test.EXPECTED._replace(loudness=self_test.EXPECTED.loudness * 1.05)
    monkeypatch.setattr(self_test, "play", lambda: wrong)
    assert doctor.main([]) == 1
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if "WRONG" in line and "loudness" in line]
    assert "THIS MACHINE DIFFERS" in told


def test_an_extra_tells_what_it_lacks(monkeypatch):
    needed = [
        "numpy>=1",
        'av>=12; extra == "video"',
        'here>=1; python_version > "3" and extra == "whole"',
    ]
    monkeypatch.setattr(installation, "requires", lambda name: needed)
    monkeypatch.setattr(
        installation, "installed_version", lambda name: None if name == "av" else "1"
    )
    assert installation.requirements() == {"core": {"numpy"}, "video": {"av"}, "whole": {"here"}}
    assert installation.extra_lines() == ["video        lacks av", "whole        complete"]


def test_view_knows_dwellings_by_place_and_by_name():
    assert dwelling.named("val:3", "house") == "house-1000003"
    assert dwelling.named("train:7", "flat") == "flat-7"
    assert dwelling.named("house-12", "flat") == "house-12"
    with pytest.raises(ValueError, match=r"'tran:3' must be SPLIT:INDEX with a split of train"):
        dwelling.named("tran:3", "house")


def test_view_says_how_large_a_dwelling_is():
    scene = load_scene("house-0", 1.0)
    first, rooms = dwelling.size_lines(scene)
    assert first.startswith("house-0: ")
    assert f"{len(scene.graph)} nodes every 1 m" in first
    assert rooms.count(" m2") == len(scene.rooms)


def test_view_measures_what_decays(monkeypatch):
    """Noise that falls by 60 dB in 0.5 s, in every response."""
    scene = load_scene("house-0", 1.0)
    rng = np.random.default_rng(0)
    decay = 10 ** (-3 * np.arange(16_000) / 16_000 / 0.5)

    class Acoustics:
        def rir(self, source, receiver, heading):
            return rng.standard_normal((2, 16_000)) * decay

    class Home:
        acoustics = Acoustics()

    Home.scene = scene
    times = dwelling.decay_times(Home(), pairs=4)
    np.testing.assert_allclose(times, 0.5, rtol=0.15)
    assert dwelling.decay_lines(times)[1].split()[:2] == ["T20,", "s"]


def test_view_refuses_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit) as caught:
        view.main(["castle-3"])
    assert caught.value.code == 2
    assert "castle-3" in capsys.readouterr().err


def test_view_draws(tmp_path, capsys):
    pytest.importorskip("PIL")
    assert view.main(["train:0", "--no-sound", "--out", str(tmp_path / "house.PNG")]) == 0
    assert (tmp_path / "house.PNG").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "house.PNG")
