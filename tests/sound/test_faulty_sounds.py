"""What cannot be played is found when a folder is opened, and links are followed or named."""

import numpy as np
import pytest
import soundfile

from av_envs.sound import SPLITS, inspection
from av_envs.sound.description import Description
from av_envs.sound.folder import FolderCorpus
from av_envs.sound.preparation import prepared

RATE = 16_000


def write(path, samples=None, rate=RATE, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = noise(1) if samples is None else samples
    soundfile.write(path, samples, rate, **how)
    return path


def noise(seconds):
    return 0.1 * np.random.default_rng(0).standard_normal(round(RATE * seconds))


@pytest.fixture
def root(tmp_path):
    for name in ("dog", "rain"):
        for i in range(3):
            write(tmp_path / "sounds" / name / f"{i}.wav")
    return tmp_path / "sounds"


def cut(path):
    write(path, noise(6))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def late_nan(path):
    samples = noise(20)
    samples[300_000] = np.nan
    write(path, samples, subtype="FLOAT")


def click(path, rate=RATE):
    samples = np.zeros(2 * RATE)
    samples[9000] = 1
    write(path, samples, rate)


FAULTS = {  # {what is wrong: (how it is written, what is told)}
    "cut": (cut, "ends after .* of .* bytes"),
    "offset": (lambda path: write(path, np.full(2 * RATE, 0.3)), "is silent: a constant 0.3"),
    "silent": (lambda path: write(path, np.zeros(2 * RATE)), "is silent"),
    "nan": (late_nan, "has samples that are no numbers"),
    "click": (click, "is a few clicks in silence"),
    "fast": (lambda path: click(path, 2_147_483_647), r"a sample rate of 2.14748e\+09 Hz"),
    "slow": (lambda path: click(path, 1), "a sample rate of 1 Hz"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_files_are_found_on_opening(root, fault):
    write_fault, told = FAULTS[fault]
    write_fault(root / "dog" / "0.wav")
    with pytest.raises(ValueError, match=rf"as a corpus:\n  dog/0.wav: .*{told}"):
        FolderCorpus(root)


@pytest.mark.parametrize("uncut", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_files_that_a_corpus_lists_are_found_on_opening(tmp_path, fault, uncut):
    clips = [f"{split}/dog/0.wav" for split in SPLITS]
    for clip in clips:
        write(tmp_path / clip)
    Description(("dog",), uncut=uncut, recordings={clip: [] for clip in clips}).write(tmp_path)
    assert FolderCorpus(tmp_path).samples(clips[0]).shape == (RATE,)
    write_fault, told = FAULTS[fault]
    write_fault(tmp_path / clips[1])
    with pytest.raises(ValueError, match=rf"as a corpus:\n  val/dog/0.wav: .*{told}"):
        FolderCorpus(tmp_path)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".wav"])
@pytest.mark.parametrize("share", [0.99, 0.3])
def test_a_cut_off_file_is_told(root, suffix, share):
    path = write(root / "dog" / f"9{suffix}", noise(4))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"dog/9{suffix}: (ends|is damaged)"):
        FolderCorpus(root)


def test_what_goes_bad_later_is_named_when_played(root):
    corpus = FolderCorpus(root)
    write(root / "dog" / "0.wav", np.full(2 * RATE, 0.3))
    with pytest.raises(ValueError, match=r"dog/0.wav: is silent: a constant 0.3"):
        corpus.samples("dog/0.wav")


def test_a_large_folder_is_read_once(root, empty_cache, monkeypatch):
    """A file that changes is noticed, and what is sound is not read again meanwhile."""
    read, fault_of = [], inspection._fault

    def counted(path, keep_pauses):
        read.append(path.name)
        return fault_of(path, keep_pauses)

    monkeypatch.setattr(inspection, "WORTH_KEEPING", 0)
    monkeypatch.setattr(inspection, "_fault", counted)
    FolderCorpus(root)
    FolderCorpus(root)
    assert len(read) == 6
    write(root / "dog" / "0.wav", np.full(2 * RATE, 0.3))
    for _ in range(2):
        read.clear()
        with pytest.raises(ValueError, match=r"dog/0.wav: is silent"):
            FolderCorpus(root)
    assert read == ["0.wav"]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_surely_playable_is(seed):
    """The quick bound never promises what `prepared` does not keep."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal(3 * RATE) * rng.choice([1e-4, 0.01, 0.1])
    samples *= np.repeat(rng.choice([0, 1e-3, 0.1, 1], 48), 1000)
    samples[rng.integers(0, 3 * RATE, rng.integers(0, 9))] = 1.0
    recording = samples[:, None].astype(np.float32)
    if inspection._is_surely_playable(recording, RATE):
        for keep_pauses in (True, False):
            assert prepared(recording, RATE, keep_pauses).any()


def test_the_quick_bound_is_enough_for_ordinary_sounds():
    assert inspection._is_surely_playable(noise(2)[:, None], RATE)
    assert not inspection._is_surely_playable(np.eye(1, 2 * RATE, 9).T, RATE)


def link(path, target):
    try:
        path.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")


def test_linked_folders_are_read(root, tmp_path_factory):
    """Of classes and below classes."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for i in range(3):
        write(elsewhere / "cats" / f"{i}.wav")
        write(elsewhere / "hens" / f"{i}.wav")
    link(root / "cat", elsewhere / "cats")
    (root / "hen").mkdir()
    link(root / "hen" / "deeper", elsewhere / "hens")
    corpus = FolderCorpus(root)
    assert corpus.classes == ("cat", "dog", "hen", "rain")
    assert corpus.clips("test", "cat") == ("cat/2.wav",)
    assert corpus.clips("val", "hen") == ("hen/deeper/1.wav",)
    assert corpus.samples("cat/0.wav").shape == (RATE,)


def test_linked_splits_are_read(tmp_path):
    (tmp_path / "linked").mkdir()
    for split in SPLITS:
        write(tmp_path / "real" / split / "dog" / "0.wav")
        link(tmp_path / "linked" / split, tmp_path / "real" / split)
    corpus = FolderCorpus(tmp_path / "linked")
    for split in SPLITS:
        assert corpus.clips(split, "dog") == (f"{split}/dog/0.wav",)


def test_links_that_lead_nowhere_or_back_are_named(root):
    link(root / "dog" / "gone.wav", root / "nowhere.wav")
    link(root / "rain" / "loop", root)
    link(root / "wolf", root / "dog")
    with pytest.raises(ValueError, match="as a corpus") as caught:
        FolderCorpus(root)
    faults = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert faults[0].startswith("dog/gone.wav: this link leads to ")
    assert faults[0].endswith("nowhere.wav, which does not exist")
    assert faults[1:] == [
        "rain/loop: this link leads back to '.' above it",
        "wolf: by a link this is the same folder as dog",
    ]
