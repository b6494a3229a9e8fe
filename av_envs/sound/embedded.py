"""The built-in corpora: every clip is synthesised from its name and cached on disk."""

import numpy as np

from av_envs.cache.rows import RowFile
from av_envs.sound.clips import SAMPLE_RATE, SPLITS, RecentClips, check_choice, normalised
from av_envs.sound.editions import EDITIONS, Maker

N_VOICES = 100
CLIP_SECONDS = 20
CLIPS_PER_SPLIT = {"train": 3, "val": 1, "test": 1}
FULL_SCALE = 32_767
SEED = 20_260_101


class EmbeddedCorpus:
    """Synthetic speakers, music and ambience; the ambience only distracts.

    n_voices  how many speakers; the labels and clips of the first ones do not depend on it
    edition   one of EDITIONS: "embedded", which the results and weights of this project were
              made with, or "embedded-2", whose voices say sentences and whose music moves more

    Label 0 is music, 1 is ambience, 2 + i is speaker i: with 100 speakers 102 classes, as
    in Majumder and Grauman, "Active audio-visual separation of dynamic sound sources",
    ECCV 2022 (whose labels are in another order: music 14, ambience 81).

    A clip lasts 20 s, is made on first use in about 100 ms, the same on every machine (but
    for the last bits, which are the processor's), and kept as 16-bit samples in the cache.
    """

    def __init__(self, n_voices: int = N_VOICES, edition: str = "embedded"):
        check_choice("edition", edition, tuple(EDITIONS))
        if n_voices < 1:
            raise ValueError(f"n_voices must be at least 1, got {n_voices}")
        self._n_voices, self.edition = n_voices, edition
        made = EDITIONS[edition]
        self._makers: dict[str, Maker] = {"music": made.music, "ambience": made.ambience}
        for i in range(n_voices):
            self._makers[f"voice-{i:02d}"] = made.voice(i)
        self.classes = tuple(self._makers)
        self.target_classes = tuple(name for name in self.classes if name != "ambience")
        self._places = {
            f"{name}/{split}-{i}": (name, SPLITS.index(split), i)
            for name in self.classes
            for split in SPLITS
            for i in range(CLIPS_PER_SPLIT[split])
        }
        self._rows = {clip: row for row, clip in enumerate(self._places)}
        name = f"clips/{edition}-{made.version}-{n_voices}-voices"
        shape = (CLIP_SECONDS * SAMPLE_RATE,)
        self._kept = RowFile(name, np.int16, shape, n_rows=len(self._rows))
        self._recent = RecentClips()

    def __reduce__(self) -> tuple:
        return type(self), (self._n_voices, self.edition)

    def clips(self, split: str, class_name: str) -> tuple[str, ...]:
        """Names of the clips of one class in one split."""
        check_choice("split", split, SPLITS)
        check_choice("class", class_name, self.classes)
        return tuple(f"{class_name}/{split}-{i}" for i in range(CLIPS_PER_SPLIT[split]))

    def samples(self, clip: str) -> np.ndarray:
        """(320000,) float32, full scale, read-only."""
        return self._recent.get(clip, self._read_all)

    def n_seconds(self, clip: str) -> int:
        """CLIP_SECONDS: all clips are equally long."""
        self._check(clip)
        return CLIP_SECONDS

    def window(self, clip: str, k: int, out: np.ndarray) -> None:
        """Write second `k - 1` and second `k` of a looping clip, (32000,) float32, full scale."""
        k %= CLIP_SECONDS
        if k > 0:
            self._read(clip, k - 1, out)
        else:
            self._read(clip, CLIP_SECONDS - 1, out[:SAMPLE_RATE])
            self._read(clip, 0, out[SAMPLE_RATE:])

    def _check(self, clip: str) -> None:
        if clip not in self._places:
            check_choice("clip", clip, tuple(self._places))

    def _read_all(self, clip: str) -> np.ndarray:
        samples = np.empty(CLIP_SECONDS * SAMPLE_RATE, np.float32)
        self._read(clip, 0, samples)
        return samples

    def _read(self, clip: str, first_second: int, out: np.ndarray) -> None:
        """Write what a clip plays from a second on, until `out` (n,) float32 is full."""
        self._check(clip)
        start, row = first_second * SAMPLE_RATE, self._rows[clip]
        part = slice(start, start + len(out))
        kept = self._kept.read(row, part)
        if kept is None:
            kept = self._kept.put(row, self._make(*self._places[clip]))[part]
        np.multiply(kept, np.float32(1 / FULL_SCALE), out=out)

    def _make(self, class_name: str, split: int, index: int) -> np.ndarray:
        """(320000,) int16. The seed is spelt from letters, so no hash and no order matters."""
        rng = np.random.default_rng([SEED, *class_name.encode(), split, index])
        samples = self._makers[class_name](CLIP_SECONDS, rng)
        return np.round(normalised(samples) * FULL_SCALE).astype(np.int16)
