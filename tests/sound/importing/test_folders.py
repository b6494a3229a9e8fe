"""Real corpora become folders of clips: everybody in one split, and every bad file named."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from av_envs.sound import CLIP_RMS, SPLITS, open_corpus
from av_envs.sound.__main__ import main
from av_envs.sound.importing import Import, import_corpus

RATE = 16_000


def noise(seconds, seed, rate=RATE):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def write(path, seconds=4.0, rate=RATE, samples=None):
    """A file whose noise is known by its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(path.name.encode(), "big")
    soundfile.write(path, noise(seconds, seed, rate) if samples is None else samples, rate)


def librispeech(root, readers=(19, 103, 1034), chapters=4, folders=True):
    for reader in readers:
        for chapter in range(chapters):
            for number in range(2):
                name = f"{reader}-{reader * 10 + chapter}-{number:04d}.flac"
                write(root / (f"{reader}/{reader * 10 + chapter}" if folders else "") / name)
    return root


def esc(root, names=("dog", "rain", "thunder")):
    """As ESC-50 is unpacked; the last category is not among the ten."""
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for target, name in enumerate(names):
        for source in range(4):
            for take in "AB":
                file = f"{source + 1}-{target}{source}7-{take}-{target}.wav"
                write(root / "audio" / file, 1.0, 32_000)
                ten = target < len(names) - 1
                lines.append(f"{file},{source + 1},{target},{name},{ten},{target}{source}7,{take}")
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    return root


def papers(root, folders=("train_preprocessed", "valUnheard_preprocessed", "testUnheard_preproc")):
    """Samples are as large as 16-bit integers, in files of floats."""
    for folder in folders:
        for name in ("1034", "19", "music", "esc"):
            path = root / folder.replace("preproc", "preprocessed").replace("edessed", "ed")
            path.mkdir(parents=True, exist_ok=True)
            samples = 4000 * noise(3, len(name))
            soundfile.write(path / f"{name}_{folder[:4]}.wav", samples, RATE, subtype="FLOAT")
    return root


def sessions_of(root, session):
    """{split: what its clips were cut out of}."""
    made_of = json.loads((root / "corpus.json").read_text())["recordings"]
    return {
        split: {session(name) for clip, names in made_of.items() if clip.startswith(split)
                for name in names}
        for split in SPLITS
    }  # fmt: skip


def assert_apart(found):
    assert all(found.values())
    assert not found["train"] & found["val"]
    assert not found["train"] & found["test"]
    assert not found["val"] & found["test"]


@pytest.mark.parametrize("folders", [True, False])
def test_readers_are_classes_and_chapters_stay_together(tmp_path, folders):
    librispeech(tmp_path / "in", folders=folders)
    assert import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech", 4)) == []
    corpus = open_corpus(str(tmp_path / "out"))
    assert corpus.classes == ("19", "103", "1034")  # labels in the order of numbers
    assert [len(corpus.clips(split, "103")) for split in SPLITS] == [4, 2, 2]
    assert_apart(sessions_of(tmp_path / "out", lambda name: Path(name).stem.rsplit("-", 1)[0]))
    clip = corpus.samples(corpus.clips("train", "19")[0])
    assert clip.shape == (4 * RATE,)
    assert np.sqrt(np.mean(clip.astype(float) ** 2)) == pytest.approx(CLIP_RMS, rel=1e-3)


def test_clips_are_recordings_end_to_end(tmp_path):
    librispeech(tmp_path / "in", readers=(7,))
    import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech", seconds=6))
    corpus = open_corpus(str(tmp_path / "out"))
    first = corpus.samples(corpus.clips("train", "7")[0])
    made_of = json.loads((tmp_path / "out" / "corpus.json").read_text())["recordings"]
    names = made_of["train/7/0000.flac"]
    assert [Path(name).name for name in names] == ["7-70-0000.flac", "7-70-0001.flac"]
    whole = np.concatenate([soundfile.read(tmp_path / "in" / name)[0] for name in names])
    correlation = np.corrcoef(first, whole[: 6 * RATE])[0, 1]
    assert correlation > 0.999
    # eight seconds are left for each of val and test: one clip of six
    assert [len(corpus.clips(split, "7")) for split in SPLITS] == [2, 1, 1]


def test_what_is_shorter_than_a_clip_is_repeated(tmp_path):
    librispeech(tmp_path / "in", readers=(7,), chapters=3)
    import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech"))
    corpus = open_corpus(str(tmp_path / "out"))
    for split in SPLITS:
        (clip,) = corpus.clips(split, "7")
        samples = corpus.samples(clip)
        assert len(samples) == 20 * RATE
        np.testing.assert_allclose(samples[: 8 * RATE], samples[8 * RATE : 16 * RATE], atol=1e-6)


@pytest.mark.parametrize(("kind", "classes"), [("esc50", 3), ("esc10", 2)])
def test_takes_of_one_source_stay_together(tmp_path, kind, classes):
    esc(tmp_path / "in")
    import_corpus(tmp_path / "in", tmp_path / "out", Import(kind, seconds=3))
    corpus = open_corpus(str(tmp_path / "out"))
    assert corpus.classes == ("dog", "rain", "thunder")[:classes]
    assert [len(corpus.clips(split, "dog")) for split in SPLITS] == [4, 2, 2]
    assert_apart(sessions_of(tmp_path / "out", lambda name: Path(name).stem.rsplit("-", 2)[0]))
    assert corpus.n_seconds("train/dog/0000.flac") == 3


def test_folders_with_numbers_are_categories(tmp_path):
    for number, name in ((2, "Rain"), (1, "Dog bark"), (10, "Fire_crackling")):
        for source in range(3):
            write(tmp_path / "in" / f"{number:03d} - {name}" / f"{source}-9{source}-A.ogg", 1.0)
    import_corpus(tmp_path / "in", tmp_path / "out", Import("esc10", seconds=2))
    assert open_corpus(str(tmp_path / "out")).classes == ("dog_bark", "rain", "fire_crackling")


def test_corpora_are_added_and_labels_stay(tmp_path):
    """The classes of the papers: readers, music, and surroundings that only distract."""
    out = tmp_path / "out"
    librispeech(tmp_path / "speech", readers=(300, 4))
    for i in range(4):
        write(tmp_path / "music" / ("cello" if i % 2 else "flute") / f"{i}.wav", 3.0, 22_050)
    import_corpus(tmp_path / "speech", out, Import("librispeech", 4))
    import_corpus(tmp_path / "music", out, Import("music", 2, merge="music"))
    ten = Import("esc10", 2, merge="esc", distractors=("esc",))
    import_corpus(esc(tmp_path / "esc"), out, ten)
    corpus = open_corpus(str(out))
    assert corpus.classes == ("4", "300", "music", "esc")
    assert corpus.target_classes == ("4", "300", "music")
    with pytest.raises(ValueError, match="has the classes esc already"):
        import_corpus(tmp_path / "esc", out, ten)
    assert open_corpus(str(out)).classes == corpus.classes


@pytest.mark.parametrize("inner", ["", "min20s_clips"])
def test_the_audio_of_the_papers_keeps_its_splits(tmp_path, inner):
    papers(tmp_path / "in" / inner)
    import_corpus(tmp_path / "in", tmp_path / "out", Import("papers", keep_pauses=True))
    corpus = open_corpus(str(tmp_path / "out"))
    assert corpus.classes == ("19", "1034", "esc", "music")
    assert corpus.target_classes == ("19", "1034", "music")
    for split in SPLITS:
        (clip,) = corpus.clips(split, "19")
        assert corpus.n_seconds(clip) == 3
    made_of = json.loads((tmp_path / "out" / "corpus.json").read_text())["recordings"]
    assert made_of["val/esc/0000.flac"] == [
        f"{inner}/valUnheard_preprocessed/esc_valU.wav".lstrip("/")
    ]


@pytest.mark.parametrize(("keep", "quiet"), [(True, 0.0), (False, 0.1)])
def test_pauses_are_kept_if_that_is_wanted(tmp_path, keep, quiet):
    for i in range(3):
        samples = noise(6, i)
        samples[2 * RATE : 4 * RATE] = 0
        write(tmp_path / "in" / "piano" / f"{i}.wav", samples=samples)
    import_corpus(tmp_path / "in", tmp_path / "out", Import("music", 4, keep_pauses=keep))
    samples = open_corpus(str(tmp_path / "out")).samples("train/piano/0000.flac")
    levels = np.sqrt(np.mean(samples.reshape(-1, RATE) ** 2, axis=1))
    assert len(levels) == 4
    assert levels.min() >= quiet * CLIP_RMS
    assert (levels.min() < 0.05 * CLIP_RMS) == keep


def test_neighbouring_clips_of_a_recording_may_be_divided(tmp_path):
    write(tmp_path / "in" / "19-198-0000.flac", 11)
    with pytest.raises(ValueError, match="class '19': 1 separate recordings, 3 are needed"):
        import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech", 2))
    import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech", 2, divide="clips"))
    corpus = open_corpus(str(tmp_path / "out"))
    assert [len(corpus.clips(split, "19")) for split in SPLITS] == [3, 1, 1]
    together = np.concatenate(
        [corpus.samples(clip) for split in SPLITS for clip in corpus.clips(split, "19")]
    )
    original, _ = soundfile.read(tmp_path / "in" / "19-198-0000.flac")
    assert np.corrcoef(together, original[: 10 * RATE])[0, 1] > 0.999
    with pytest.raises(ValueError, match="class '19': 2 clips, 3 are needed"):
        import_corpus(tmp_path / "in", tmp_path / "o", Import("librispeech", 5, divide="clips"))


def test_the_same_files_make_the_same_bytes(tmp_path):
    librispeech(tmp_path / "in")
    contents = []
    for name in ("one", "other"):
        import_corpus(tmp_path / "in", tmp_path / name, Import("librispeech", 4))
        paths = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append({p.relative_to(tmp_path / name): p.read_bytes() for p in paths})
    assert contents[0] == contents[1]


def test_few_and_long_classes_can_be_chosen(tmp_path):
    librispeech(tmp_path / "in", readers=(1, 2, 3))
    write(tmp_path / "in" / "2-99-0000.flac", 40)
    plan = Import("librispeech", 4, min_minutes=0.5, max_classes=2)
    import_corpus(tmp_path / "in", tmp_path / "out", plan)
    assert open_corpus(str(tmp_path / "out")).classes == ("1", "2")
    with pytest.raises(ValueError, match="no class lasts 9 minutes"):
        import_corpus(tmp_path / "in", tmp_path / "o", Import("librispeech", min_minutes=9))


def faulty(root):
    librispeech(root, readers=(1, 2))
    (root / "1" / "10" / "1-10-0000.flac").write_bytes(b"no sound")
    write(root / "2-20-0001.flac", samples=np.zeros(RATE))
    write(root / "2-21-0001.wav", samples=np.zeros(0))
    write(root / "2-22-0001.flac", samples=noise(0.05, 0))
    soundfile.write(root / "2-23-0001.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    return root


def test_all_faults_are_told_and_nothing_is_written(tmp_path):
    faulty(tmp_path / "in")
    with pytest.raises(ValueError, match=r"cannot use .* as librispeech") as caught:
        import_corpus(tmp_path / "in", tmp_path / "out", Import("librispeech", 4))
    told = str(caught.value).splitlines()[1:]
    expected = ("1-10-0000.flac: ", "2-20-0001.flac: is silent", "2-21-0001.wav: is empty",
                "2-22-0001.flac: lasts 0.050 s, 0.1 are needed",
                "2-23-0001.wav: has samples that are no numbers")  # fmt: skip
    for words in expected:
        assert any(words in line for line in told), words
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_what_cannot_be_used_can_be_left_out(tmp_path, capsys):
    faulty(tmp_path / "in")
    arguments = ["import", "librispeech", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="error: cannot use"):
        main(arguments)
    main([*arguments, "--skip", "--seconds", "4"])
    printed = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("left out: ") for line in printed) == 5
    assert printed[-2].split() == ["0", "1", "target", "3", "2", "2"]


@pytest.mark.parametrize(
    ("kind", "file", "names"),
    [
        ("librispeech", "hello.wav", "hello.wav: a name of LibriSpeech is <reader>-<chapter>"),
        ("esc50", "001 - Dog/bark.wav", "bark.wav: a name of ESC-50 is <fold>-<source>-<take>"),
        ("esc50", "Dog/1-2-A.wav", "expected a folder like '001 - Dog bark', or meta/esc50.csv"),
        ("papers", "a_b.wav", "holds none of the folders train_preprocessed, val_preprocessed"),
        ("papers", "train_preprocessed/b.wav", "the class must stand before the first '_'"),
        ("music", "deep/.hidden/1.wav", r"holds no \.wav, \.flac, \.ogg file"),
    ],
)
def test_a_layout_that_is_another_is_named(tmp_path, kind, file, names):
    write(tmp_path / "in" / file, 1.0)
    with pytest.raises(ValueError, match=names):
        import_corpus(tmp_path / "in", tmp_path / "out", Import(kind))


def test_a_table_that_does_not_fit_is_named(tmp_path):
    esc(tmp_path / "in")
    table = tmp_path / "in" / "meta" / "esc50.csv"
    (tmp_path / "in" / "audio" / "1-007-A-0.wav").unlink()
    with pytest.raises(ValueError, match=r"esc50.csv names .*1-007-A-0.wav, which does not exist"):
        import_corpus(tmp_path / "in", tmp_path / "out", Import("esc50"))
    table.write_text("file,category\n1.wav,dog\n")
    with pytest.raises(ValueError, match=r"esc50.csv is not the table of ESC-50: KeyError"):
        import_corpus(tmp_path / "in", tmp_path / "out", Import("esc50"))


def test_wrong_plans_and_folders_are_named(tmp_path):
    write(tmp_path / "in" / "1.wav")
    with pytest.raises(ValueError, match="unknown kind of corpus 'audioset'; valid: librispeech"):
        Import("audioset")
    with pytest.raises(ValueError, match="unknown division 'chance'; valid: recordings, clips"):
        Import("music", divide="chance")
    with pytest.raises(ValueError, match="divided already"):
        Import("papers", divide="clips")
    with pytest.raises(ValueError, match="whole seconds from 1 on, got 0"):
        Import("music", 0)
    with pytest.raises(ValueError, match="is not a directory"):
        import_corpus(tmp_path / "nowhere", tmp_path / "out", Import("music"))
    with pytest.raises(ValueError, match="is not empty and no imported corpus"):
        import_corpus(tmp_path / "in", tmp_path / "in", Import("music"))


def test_real_corpora_play(real_data, tmp_path):
    out = tmp_path / "out"
    import_corpus(real_data / "music", out, Import("music", 5, merge="music"))
    speech = Import("librispeech", 3, divide="clips", skip=True, max_classes=8)
    left_out = import_corpus(real_data / "speech", out, speech)
    corpus = open_corpus(str(out))
    assert corpus.classes[0] == "music"
    assert len(corpus.classes) - 1 + len(left_out) == 8
    for name in corpus.classes:
        for split in SPLITS:
            for clip in corpus.clips(split, name):
                samples = corpus.samples(clip)
                assert len(samples) in (3 * RATE, 5 * RATE)
                assert np.isfinite(samples).all()
