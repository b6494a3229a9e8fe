"""Musical instruments: a note in, its sound added to the piece.

Two families: things that are plucked or struck and ring freely, and things that are
bowed or blown and sing as long as the player goes on.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE

HIGHEST_PARTIAL = 7400.0  # Hz, just below half the sample rate
SEMITONE = np.log(2) / 12  # relative change of frequency, for small intervals
TABLE_SIZE = 1024  # samples of one period
BLOCK = 256  # samples
KNOCK_SECONDS = 0.05
EBB_SECONDS = 0.7  # after which a long note has lost what it loses
HAND = 0.9985  # per sample, how fast a hand on the string silences it


@dataclass(frozen=True)
class Note:
    """start and length in seconds; pitch in semitones, 69 is 440 Hz; loudness 1 is normal."""

    start: float
    length: float
    pitch: float
    loudness: float = 1.0

    @property
    def frequency(self) -> float:
        """Hz."""
        return 440 * 2 ** ((self.pitch - 69) / 12)


@dataclass(frozen=True)
class Ringing:
    """A string, bar or bell that is set off and left to itself.

    ratios     frequencies of the partials over the fundamental
    dullness   amplitudes fall as ratio ** -dullness
    seconds    how long a 440 Hz note takes to fall by 60 dB; high notes and partials are shorter
    position   where a string is plucked, share of its length; 0 if it has no such place
    knock      noise of the finger or hammer relative to the tone
    rise       seconds in which the tone swells
    """

    ratios: tuple[float, ...]
    dullness: float
    seconds: float
    position: float = 0.0
    knock: float = 0.0
    rise: float = 0.0

    def play(self, note: Note, out: np.ndarray, rng: np.random.Generator) -> None:
        """Add the note to `out`, (n,) float64 at 16 kHz."""
        ratios = np.array(self.ratios) * rng.uniform(0.9995, 1.0005, len(self.ratios))
        frequency = ratios[ratios * note.frequency < HIGHEST_PARTIAL] * note.frequency
        ratios = frequency / note.frequency
        strength = note.loudness * ratios**-self.dullness
        if self.position > 0:
            strength = strength * np.abs(np.sin(np.pi * ratios * self.position))
        seconds = self.seconds * (440 / note.frequency) ** 0.4 * ratios**-0.6
        decay = (2j * np.pi * frequency - 3 * np.log(10) / seconds) / SAMPLE_RATE
        start = round(note.start * SAMPLE_RATE)
        ringing = round(1.2 * seconds[0] * SAMPLE_RATE)
        damped = round(note.length * SAMPLE_RATE)
        part = out[start : start + min(ringing, damped + 5000)]
        sound = _ringing(len(part), decay, strength)
        sound[damped:] *= HAND ** np.arange(len(sound[damped:]))
        if self.rise > 0:
            swelling = sound[: round(self.rise * SAMPLE_RATE)]
            swelling *= np.sin(np.linspace(0, np.pi / 2, len(swelling))) ** 2
        if self.knock > 0:
            thump = part[: round(KNOCK_SECONDS * SAMPLE_RATE)]
            thump += self.knock * note.loudness**2 * _knock(len(thump), rng)
        part += sound


@dataclass(frozen=True)
class Singing:
    """A bow or a stream of air that keeps a string or a column of air going.

    dullness   harmonic k has amplitude k ** -dullness at full strength
    evenness   amplitude factor of the even harmonics; a clarinet has nearly none
    body       Hz, resonances of the box or tube
    attack     seconds to reach full strength
    vibrato    semitones up and down
    breath     noise relative to the tone
    ebb        share of its loudness that a long note loses
    ceiling    Hz, above which harmonics fall by 12 dB more per octave
    """

    dullness: float
    evenness: float
    body: tuple[float, ...]
    attack: float
    vibrato: float
    breath: float
    ebb: float = 0.0
    ceiling: float = np.inf

    def play(self, note: Note, out: np.ndarray, rng: np.random.Generator) -> None:
        """Add the note to `out`, (n,) float64 at 16 kHz."""
        start = round(note.start * SAMPLE_RATE)
        part = out[start : start + round((note.length + 0.08) * SAMPLE_RATE)]
        time = np.arange(len(part)) / SAMPLE_RATE
        swell = np.minimum(time / self.attack, 1) ** 1.5
        swell *= np.clip((note.length + 0.08 - time) / 0.08, 0, 1)
        if self.ebb > 0:
            swell *= 1 - self.ebb * np.clip((time - self.attack) / EBB_SECONDS, 0, 1)
        wave = np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * time + rng.uniform(0, 2 * np.pi))
        wave *= self.vibrato * np.clip((time - 0.15) / 0.3, 0, 1)
        step = note.frequency / SAMPLE_RATE * (1 + SEMITONE * wave)
        noise = lfilter([0.3], [1, -0.85], rng.standard_normal(len(part), dtype=np.float32))
        strength = note.loudness * swell * (1 + 0.25 * wave + self.breath * noise)
        soft, full = self._period(note, 1.2), self._period(note, 0.0)
        part += strength * _sing(np.cumsum(step), swell, soft, full)

    def _period(self, note: Note, extra_dullness: float) -> np.ndarray:
        """(TABLE_SIZE + 1,) one period of the tone, its first sample repeated at the end."""
        k = np.arange(1, int(HIGHEST_PARTIAL / note.frequency) + 1)
        amplitude = k ** -(self.dullness + extra_dullness) * np.where(k % 2 == 0, self.evenness, 1)
        frequency = k * note.frequency
        colour = 0.5 + sum(
            1 / (1 + (3 * (frequency / centre - centre / frequency)) ** 2) for centre in self.body
        )
        colour /= 1 + (frequency / self.ceiling) ** 2
        spectrum = np.zeros(TABLE_SIZE // 2 + 1, complex)
        spectrum[1 : len(k) + 1] = amplitude * colour * np.exp(2.4j * k**2)  # spread the peaks
        period = np.fft.irfft(spectrum, TABLE_SIZE) * TABLE_SIZE / 2
        return np.append(period, period[0])


def _string(n_partials: int, stiffness: float) -> tuple[float, ...]:
    """Frequency ratios of a stiff string."""
    return tuple(k * (1 + stiffness * k * k) ** 0.5 for k in range(1, n_partials + 1))


Instrument = Ringing | Singing

# Bar and bell ratios: Fletcher and Rossing, "The Physics of Musical Instruments", 1998.
LEADS: dict[str, Instrument] = {
    "guitar": Ringing(_string(18, 5e-5), 0.9, 2.5, position=0.18),
    "harp": Ringing(_string(12, 2e-5), 1.3, 3.0, position=0.4),
    "piano": Ringing(_string(20, 4e-4), 1.25, 5.0, position=0.12),
    "banjo": Ringing(_string(20, 5e-5), 0.6, 1.0, position=0.1),
    "marimba": Ringing((1.0, 3.93, 9.24), 1.2, 1.0),
    "glockenspiel": Ringing((1.0, 2.76, 5.40, 8.93), 0.7, 2.5),
    "violin": Singing(1.0, 1.0, (460, 900, 2700), 0.07, 0.25, 0.04),
    "flute": Singing(1.9, 0.7, (800,), 0.06, 0.2, 0.16),
    "clarinet": Singing(1.1, 0.15, (1500,), 0.04, 0.03, 0.05),
    "trumpet": Singing(0.7, 1.0, (1200, 2200), 0.05, 0.12, 0.03),
    "oboe": Singing(0.8, 0.9, (1100, 3000), 0.04, 0.15, 0.04),
    "accordion": Singing(0.8, 0.8, (700, 2000), 0.03, 0.0, 0.02),
}
CHORDS = ("guitar", "harp", "piano", "accordion", "marimba")
BASSES: dict[str, Instrument] = {
    "plucked bass": Ringing(_string(12, 1e-4), 1.2, 2.0, position=0.2),
    "cello": Singing(1.2, 1.0, (220, 400, 1500), 0.08, 0.15, 0.03),
    "bassoon": Singing(0.9, 0.9, (450, 1200), 0.05, 0.05, 0.04),
}


def _ringing(n: int, decay: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(n,) float32, sum of strength[k] * Im exp(decay[k] * i) at the samples i = 0, 1, ...

    With i = BLOCK * row + column every exponential is a product of two, and the sum over
    the partials a product of two small matrices.
    """
    n_rows = -(-n // BLOCK)
    columns = _powers(np.exp(decay), BLOCK)
    rows = strength * _powers(np.exp(BLOCK * decay), n_rows)
    left = np.concatenate([rows.real, rows.imag], axis=1).astype(np.float32)
    right = np.concatenate([columns.imag, columns.real], axis=1).astype(np.float32)
    return (left @ right.T).ravel()[:n]


def _knock(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) a dull thump of about 10 ms that rises in 3 ms."""
    time = np.arange(n) / SAMPLE_RATE
    noise = lfilter([0.4], [1, -0.8], rng.standard_normal(n))
    return noise * np.minimum(time / 0.003, 1) * np.exp(-time / 0.01)


def _powers(base: np.ndarray, n: int) -> np.ndarray:
    """(n, K) the powers 0, 1, ..., n - 1 of `base` (K,)."""
    factors = np.tile(base, (n, 1))
    factors[0] = 1
    return np.multiply.accumulate(factors, axis=0)


def _sing(phase: np.ndarray, swell: np.ndarray, soft: np.ndarray, full: np.ndarray) -> np.ndarray:
    """(n,) one period read again and again; the tone brightens from `soft` to `full`.

    phase  (n,) turns;  swell  (n,) in [0, 1];  soft, full  (TABLE_SIZE + 1,)
    """
    place = (phase - np.floor(phase)) * TABLE_SIZE
    left = place.astype(np.int32)
    mix = place - left
    dark = soft[left] + mix * (soft[left + 1] - soft[left])
    bright = full[left] + mix * (full[left + 1] - full[left])
    return dark + swell * (bright - dark)
