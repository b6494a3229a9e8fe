"""The page about recordings does what it says, with corpora and a room made for the purpose."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from av_envs.acoustics.measured.files import COLUMNS
from av_envs.sound import open_corpus
from av_envs.sound.__main__ import main
from av_envs.sound.importing import LAYOUTS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "recordings.md").read_text("utf-8")
RATE = 16_000


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """LibriSpeech, MUSIC, ESC-50 and office, each as small as can be; the first is here."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def write(name, seconds=2.0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(round(seconds * RATE)), RATE)

    for i in range(3):
        for reader in (19, 103):
            write(f"LibriSpeech/{reader}/{reader}{i}/{reader}-{reader}{i}-0000.flac")
        write(f"MUSIC/cello/{i}.wav")
        write(f"ESC-50/001 - Dog bark/{i + 1}-100{i}-A.ogg")
    decay = np.exp(-np.arange(RATE // 2) / 1500)[:, None]
    (tmp_path / "office").mkdir()
    response = 0.01 * decay * rng.standard_normal((RATE // 2, 2))
    response[100] = 0.5
    soundfile.write("office/0.wav", response, RATE, subtype="FLOAT")
    with open("office/responses.csv", "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, ["0.wav", 3.0, 2.0, 1.5, 1.0, 2.0, 1.5, 0]])
    return tmp_path


def test_the_page_runs_from_top_to_bottom(folders, capsys):
    commands = [line for line in PAGE.splitlines() if line.startswith("python -m av_envs.sound ")]
    assert len(commands) == 3
    for command in commands:
        main(shlex.split(command)[3:])
    corpus = open_corpus("corpus")
    assert corpus.classes == ("19", "103", "music", "esc")
    assert corpus.target_classes == ("19", "103", "music")
    names = {"__name__": "example"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "recordings.md", "exec"), names)
    assert names["observation"]["target"] in (0, 1, 2)
    heard, _ = soundfile.read("heard.wav")
    assert heard.shape[1] == 2
    assert np.isfinite(heard).all()


def test_every_kind_of_corpus_is_in_the_table():
    for kind in LAYOUTS:
        assert f"`{kind}`" in PAGE
