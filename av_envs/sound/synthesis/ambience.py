"""Synthetic ambience: a steady background and events in front of it."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE, root_mean_square

SCENES = 3
CROSSFADE = 0.5  # s
MAINS_PERIOD = SAMPLE_RATE // 50  # samples

Scape = Callable[[int, np.random.Generator], np.ndarray]


def ambience(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64: one of BACKGROUNDS all the time, SCENES others before it.

    What comes before it may be another background or one of EVENTS; each has its own
    loudness and gives way to the next within CROSSFADE seconds.
    """
    n = n_seconds * SAMPLE_RATE
    background = BACKGROUNDS[rng.integers(len(BACKGROUNDS))](n, rng)
    out = background / root_mean_square(background)
    others = (*EVENTS, *BACKGROUNDS)
    fade = round(CROSSFADE * SAMPLE_RATE)
    edges = np.linspace(0, n // 1000, SCENES + 1).astype(int) * 1000  # lengths that FFTs like
    for start, end in pairwise(edges):
        length = min(end + fade, n) - start
        scene = others[rng.integers(len(others))](length, rng)
        at = np.arange(length)
        scene = scene * np.clip(np.minimum(at, length - at) / fade, 0, 1)
        out[start : start + length] += rng.uniform(0.5, 1.5) * scene / root_mean_square(scene)
    return out


def rain(n: int, rng: np.random.Generator) -> np.ndarray:
    """Dense patter over a hiss that comes and goes."""
    hiss = _noise(n, rng, lambda f: f / (f + 800) / (1 + f / 6000)) * _swell(n, rng, 0.4, 0.15)
    drops = np.zeros(n)
    where = rng.integers(0, n, n // 60)
    drops[where] = rng.standard_normal(len(where)) * rng.exponential(1, len(where)) ** 1.5
    return hiss + 2.0 * _band(drops, rng.uniform(1800, 4000), 1.0)


def wind(n: int, rng: np.random.Generator) -> np.ndarray:
    """Gusts: noise whose resonance rises as it grows louder."""
    gust = _swell(n, rng, 0.5, 0.5)
    corner = rng.uniform(150, 300)
    low = _noise(n, rng, lambda f: 1 / (1 + (f / corner) ** 1.6))
    whistle = _noise(n, rng, lambda f: np.exp(-((np.log2(np.maximum(f, 1) / 700) / 0.35) ** 2)))
    return low * gust + rng.uniform(0.2, 0.8) * whistle * gust**2.5


def fan(n: int, rng: np.random.Generator) -> np.ndarray:
    """Mains hum with harmonics, and moving air."""
    time = np.arange(MAINS_PERIOD) / SAMPLE_RATE
    hum = sum(
        rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6.28))
        for k in (1, 2, 3, 4, 6, 8, 12)
    )
    corner = rng.uniform(300, 1200)
    air = _noise(n, rng, lambda f: 1 / (1 + (f / corner) ** 1.5))
    blades = 1 + 0.3 * _beat(n, rng.uniform(8, 25))
    return rng.uniform(0.1, 0.6) * np.resize(hum, n) + air * blades


def engine(n: int, rng: np.random.Generator) -> np.ndarray:
    """Firing strokes whose speed drifts, through the resonances of an exhaust."""
    speed = rng.uniform(18, 45) * _swell(n, rng, 0.3, 0.2)
    turns = np.cumsum(speed) / SAMPLE_RATE
    strokes = (np.diff(np.floor(turns), prepend=0) > 0).astype(float)
    strokes *= rng.uniform(0.6, 1.4, n)
    exhaust = _band(strokes, rng.uniform(70, 140), 2) + 0.5 * _band(strokes, 420, 3)
    rattle = _band(strokes, rng.uniform(1200, 2500), 2)
    exhaust = exhaust + 0.3 * rattle
    air = _noise(n, rng, lambda f: 1 / (1 + f / 900))
    return exhaust / root_mean_square(exhaust) + 0.3 * air


def sea(n: int, rng: np.random.Generator) -> np.ndarray:
    """Waves that roll in every few seconds and draw back hissing."""
    roll = _phase(rng.uniform(0.12, 0.25) * _swell(n, rng, 0.3, 0.2)) + rng.uniform(0, 6.28)
    swash = (0.5 + 0.5 * np.sin(roll)) ** 2
    draw = (0.5 + 0.5 * np.sin(roll - 1.2)) ** 2
    surf = _noise(n, rng, lambda f: 1 / (1 + (f / 400) ** 1.2))
    hiss = _noise(n, rng, lambda f: f / (f + 2500))
    return surf * (0.25 + swash) + 0.5 * hiss * draw


def traffic(n: int, rng: np.random.Generator) -> np.ndarray:
    """Cars that pass on a wet or dry road; tyres are loudest around 900 Hz."""
    tyres = _noise(n, rng, lambda f: 1 / (1 + 4 * np.log2(np.maximum(f, 1) / 900) ** 2))
    road = tyres + 0.4 * _noise(n, rng, lambda f: 1 / (1 + (f / 120) ** 2))
    spray = _noise(n, rng, lambda f: f / (f + 1500) / (1 + f / 5000))
    time = np.arange(n) / SAMPLE_RATE
    nearness = np.full(n, 0.15)
    for _ in range(rng.integers(3, 7)):
        passing, speed = rng.uniform(0, time[-1]), rng.uniform(0.5, 1.5)
        nearness += 1 / (1 + ((time - passing) * speed * 2) ** 2)
    return (road + rng.uniform(0.1, 0.5) * spray) * nearness


def stream(n: int, rng: np.random.Generator) -> np.ndarray:
    """Running water: bubbles, each a short rising tone, over a soft rush."""
    out = 0.25 * _noise(n, rng, lambda f: 1 / (1 + (f / 2000) ** 2))
    for start in _moments(n, rng, 45):
        pitch, seconds = rng.uniform(400, 2200), rng.uniform(0.01, 0.05)
        time = np.arange(int(4 * seconds * SAMPLE_RATE)) / SAMPLE_RATE
        bubble = np.sin(2 * np.pi * pitch * (time + 2 * time**2)) * np.exp(-time / seconds)
        _put(out, start, rng.exponential(0.7) * bubble)
    return out


def fire(n: int, rng: np.random.Generator) -> np.ndarray:
    """Crackling over a low roar."""
    roar = _noise(n, rng, lambda f: 1 / (1 + (f / 180) ** 1.5)) * _swell(n, rng, 2, 0.3)
    for start in _moments(n, rng, 25):
        length = int(rng.uniform(0.002, 0.015) * SAMPLE_RATE)
        snap = rng.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        _put(roar, start, rng.exponential(2.5) * snap)
    return roar


def birds(n: int, rng: np.random.Generator) -> np.ndarray:
    """A few birds, each with its own phrase of chirps and trills."""
    out = np.zeros(n)
    for _ in range(rng.integers(2, 5)):
        pitch = rng.uniform(2200, 5200)
        chirps = [rng.uniform(-0.5, 0.5, 2) for _ in range(rng.integers(2, 6))]
        seconds, loudness = rng.uniform(0.05, 0.14), rng.uniform(0.4, 1)
        trill = rng.choice([0.0, rng.uniform(20, 45)])
        for phrase in _moments(n, rng, 0.45):
            for i, (start, bend) in enumerate(chirps):
                song = _chirp(pitch * 2**start, bend, seconds, trill)
                _put(out, phrase + int(1.3 * i * seconds * SAMPLE_RATE), loudness * song)
    return out


def _chirp(pitch: float, bend: float, seconds: float, trill: float) -> np.ndarray:
    time = np.linspace(0, 1, int(seconds * SAMPLE_RATE))
    sweep = pitch * 2 ** (bend * time + 0.06 * np.sin(2 * np.pi * trill * seconds * time))
    return np.sin(_phase(sweep)) * np.sin(np.pi * time) ** 2


def crickets(n: int, rng: np.random.Generator) -> np.ndarray:
    """Insects that chirr in bursts, slightly out of tune with each other."""
    out = np.zeros(n)
    for _ in range(rng.integers(2, 5)):
        bursts = _beat(n, rng.uniform(1.5, 3.5), rng.uniform(0, 6.28))
        wings = _beat(n, rng.uniform(25, 60)) ** 2
        tone = np.sin(_phase(rng.uniform(3500, 5500) * _swell(n, rng, 1, 0.01)))
        out += rng.uniform(0.3, 1) * np.clip(4 * bursts, 0, 1) * wings * tone
    return out


def clock(n: int, rng: np.random.Generator) -> np.ndarray:
    """Ticks and tocks of a mechanism in a wooden case."""
    clicks = np.zeros(n)
    period = int(SAMPLE_RATE / rng.choice([1, 2, 4, 5]))
    clicks[::period] = 1.0
    clicks[period :: 2 * period] = rng.uniform(0.6, 0.9)
    case = _band(clicks, rng.uniform(300, 900), 6)
    return case + 0.7 * _band(clicks, rng.uniform(2000, 3500), 5)


def footsteps(n: int, rng: np.random.Generator) -> np.ndarray:
    """Footsteps: a heel's thud and a sole's scrape, about twice a second."""
    out = np.zeros(n)
    pace = rng.uniform(0.45, 0.65)
    floor_hz, scraping = rng.uniform(500, 1800), rng.uniform(0.1, 0.5)
    time = np.arange(int(0.15 * SAMPLE_RATE)) / SAMPLE_RATE
    for i in range(max(1, int(n / SAMPLE_RATE / pace))):
        thud = np.sin(2 * np.pi * rng.uniform(75, 110) * time) * np.exp(-time / 0.03)
        scrape = _band(rng.standard_normal(len(time)), floor_hz, 0.7) * np.exp(-time / 0.015)
        start = int((i * pace + rng.uniform(0, 0.04)) * SAMPLE_RATE)
        _put(out, start, rng.uniform(0.7, 1) * (thud + scraping * scrape))
    return out


def typing(n: int, rng: np.random.Generator) -> np.ndarray:
    """A keyboard: runs of clicks, and the lower knock of the space bar."""
    presses = np.zeros(n)
    knocks = np.zeros(n)
    for start in _moments(n, rng, 6):
        (knocks if rng.random() < 0.2 else presses)[start] += rng.uniform(0.5, 1)
    clicks = _band(presses, rng.uniform(2500, 4000), 1.2) + 0.4 * _band(presses, 700, 3)
    return clicks + 0.8 * _band(knocks, 400, 3)


def helicopter(n: int, rng: np.random.Generator) -> np.ndarray:
    """Blades that chop the air a dozen times a second, and a turbine."""
    chop = np.clip(_beat(n, rng.uniform(9, 16)), 0, 1) ** 3
    air = _noise(n, rng, lambda f: 1 / (1 + (f / 250) ** 1.4))
    turbine = np.sin(_phase(rng.uniform(700, 1400) * _swell(n, rng, 0.5, 0.02)))
    return air * (0.15 + chop) * _swell(n, rng, 0.3, 0.3) + rng.uniform(0.02, 0.1) * turbine


def vacuum_cleaner(n: int, rng: np.random.Generator) -> np.ndarray:
    """A motor that whines as it is moved, and a rush of air."""
    whine = _phase(rng.uniform(250, 420) * _swell(n, rng, 0.7, 0.04))
    tones = sum(rng.uniform(0.2, 1) / k * np.sin(k * whine) for k in (1, 2, 3, 5, 8))
    rush = _noise(n, rng, lambda f: f / (f + 300) / (1 + (f / 3000) ** 2))
    return rng.uniform(0.3, 0.8) * tones + rush


def dog(n: int, rng: np.random.Generator) -> np.ndarray:
    """Barks in rows of one to four: a hoarse falling tone through a short throat."""
    out = np.zeros(n)
    pitch, throat = rng.uniform(250, 600), rng.uniform(700, 1500)
    time = np.arange(int(0.2 * SAMPLE_RATE)) / SAMPLE_RATE
    for row in _moments(n, rng, 0.6):
        for i in range(rng.integers(1, 5)):
            phase = _phase(pitch * (1 + 0.4 * np.sin(np.pi * np.minimum(time / 0.15, 1))))
            buzz = np.sign(np.sin(phase)) + 0.8 * rng.standard_normal(len(time))
            bark = _band(buzz, throat, 1.5) + 0.5 * _band(buzz, 2.2 * throat, 3)
            swell = np.minimum(time / 0.02, 1) * np.exp(-time / 0.05)
            _put(out, row + int(0.35 * i * SAMPLE_RATE), rng.uniform(0.6, 1) * swell * bark)
    return out


def bells(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two church bells in turn; ratios after Fletcher and Rossing, 1998."""
    out = np.zeros(n)
    hum, every = rng.uniform(180, 400), rng.uniform(0.7, 1.4)
    time = np.arange(int(3 * SAMPLE_RATE)) / SAMPLE_RATE
    for i in range(max(1, int(n / SAMPLE_RATE / every))):
        stroke = sum(
            np.exp(-time * ratio / 1.6)
            * np.sin(2 * np.pi * hum * (1 + 0.2 * (i % 2)) * ratio * time)
            for ratio in (1.0, 2.0, 2.4, 3.0, 4.0, 5.33)
        )
        _put(out, int(i * every * SAMPLE_RATE), rng.uniform(0.7, 1) * stroke)
    return out


def telephone(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two tones that warble, one second of ringing and one of rest."""
    low = rng.uniform(600, 1500)
    which = _beat(n, rng.uniform(10, 20)) > 0
    tone = np.sin(_phase(np.where(which, low, rng.uniform(1.15, 1.35) * low)))
    rings = np.clip(10 * _beat(n, rng.uniform(0.35, 0.6)) + 3, 0, 1)
    return rings * (tone + 0.3 * tone**3)


def drops(n: int, rng: np.random.Generator) -> np.ndarray:
    """A tap that drips into a basin, each drop a short rising tone."""
    out = np.zeros(n)
    time = np.arange(int(0.12 * SAMPLE_RATE)) / SAMPLE_RATE
    period, pitch = rng.uniform(0.25, 0.8), rng.uniform(700, 1800)
    for i in range(max(1, int(n / SAMPLE_RATE / period))):
        rise = pitch * rng.uniform(0.9, 1.15) * (time + 3 * time**2)
        start = int((i + rng.uniform(0, 0.15)) * period * SAMPLE_RATE)
        _put(out, start, rng.uniform(0.5, 1) * np.sin(2 * np.pi * rise) * np.exp(-time / 0.025))
    return out


BACKGROUNDS: tuple[Scape, ...] = (
    rain, wind, fan, engine, sea, traffic, stream, helicopter, vacuum_cleaner,
)  # fmt: skip
EVENTS: tuple[Scape, ...] = (
    fire, birds, crickets, clock, footsteps, typing, dog, bells, telephone, drops,
)  # fmt: skip


def _noise(
    n: int, rng: np.random.Generator, gain: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """(n,) noise of RMS 1 whose amplitude spectrum follows `gain`, a function of Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(n)) * gain(np.fft.rfftfreq(n, 1 / SAMPLE_RATE))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n)
    return noise / root_mean_square(noise)


def _swell(n: int, rng: np.random.Generator, hertz: float, depth: float) -> np.ndarray:
    """(n,) positive curve around 1 that wanders `hertz` times a second by a factor exp(depth)."""
    n_points = max(2, int(n / SAMPLE_RATE * hertz)) + 3
    points = np.cumsum(rng.standard_normal(n_points))
    points -= np.linspace(points[0], points[-1], n_points)
    points = depth * points / (np.std(points) + 1e-9)
    bend = np.interp(np.linspace(0, n_points - 1, 64 * n_points), np.arange(n_points), points)
    smooth = np.convolve(np.pad(bend, 32, mode="edge"), np.full(64, 1 / 64), mode="same")[32:-32]
    curve = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(smooth)), smooth)
    return np.exp(np.clip(curve, -2 * depth, 2 * depth))


def _beat(n: int, hertz: float, offset: float = 0.0) -> np.ndarray:
    """(n,) float32 slow sine that starts at `offset` radians; single precision is enough."""
    turn = np.float32(2 * np.pi * hertz / SAMPLE_RATE)
    return np.sin(turn * np.arange(n, dtype=np.float32) + np.float32(offset))


def _phase(frequency: np.ndarray) -> np.ndarray:
    """Radians of an oscillator whose frequency in Hz is given for every sample."""
    return 2 * np.pi / SAMPLE_RATE * np.cumsum(frequency)


def _band(samples: np.ndarray, centre: float, sharpness: float) -> np.ndarray:
    """Band-pass around `centre` Hz with a bandwidth of centre / sharpness."""
    radius = np.exp(-np.pi * centre / sharpness / SAMPLE_RATE)
    turn = 2 * np.pi * centre / SAMPLE_RATE
    return lfilter([1, 0, -1], [1, -2 * radius * np.cos(turn), radius**2], samples)


def _moments(n: int, rng: np.random.Generator, per_second: float) -> np.ndarray:
    """Sorted sample indices of independent events, at least one."""
    count = max(1, rng.poisson(per_second * n / SAMPLE_RATE))
    return np.sort(rng.integers(0, n, count))


def _put(out: np.ndarray, start: int, event: np.ndarray) -> None:
    part = out[start : start + len(event)]
    part += event[: len(part)]
