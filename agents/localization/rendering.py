"""What is heard in a take, by two ears, ambisonics or an array."""

from collections.abc import Callable

import numpy as np
from scipy.signal import resample_poly

from av_envs.acoustics.backend import AcousticBackend
from av_envs.acoustics.binaural import RIR_SAMPLES, EarTables, binaural_response
from av_envs.acoustics.convolution import dry_spectra, heard_second, response_spectra
from av_envs.agents.localization.arrays import tables_of
from av_envs.agents.localization.features import KINDS
from av_envs.agents.localization.takes import Take
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.noise import power_below

# Writes responses (channels, 16000) from a node to a listener's node and heading.
Respond = Callable[[int, int, int, np.ndarray], None]


def heard_by(take: Take, kind: str) -> np.ndarray:
    """(channels, n) float32, full scale, at the rate of that kind of features.

    kind  key of `features.KINDS`

    The engine runs at 16 kHz: at 24 kHz there is nothing above 8 kHz.
    """
    signals = rendered(take, tables_of(kind.split("_")[0]))
    rate = KINDS[kind].rate
    if rate == SAMPLE_RATE:
        return signals
    return resample_poly(signals, rate // 8000, SAMPLE_RATE // 8000, axis=1).astype(np.float32)


def rendered(take: Take, tables: tuple[EarTables, ...]) -> np.ndarray:
    """(2 * len(tables), 16000 * seconds) float32 with the noise of the microphones."""
    bank, n_nodes = take.dwelling.acoustics.bank, len(take.dwelling.scene.graph)

    def respond(source: int, node: int, heading: int, out: np.ndarray) -> None:
        compact, salt = bank.row(source)[node], source * n_nodes + node
        for pair, table in enumerate(tables):
            binaural_response(compact, heading, salt, table, out[2 * pair : 2 * pair + 2])

    seconds = [_second(take, t, respond, 2 * len(tables)) for t in range(len(take.node))]
    return _with_noise(take, seconds)


def heard_through(take: Take, acoustics: AcousticBackend) -> np.ndarray:
    """(2, 16000 * seconds) float32: what two ears hear of a take where the house sounds otherwise.

    acoustics  of the house of the take
    """

    def respond(source: int, node: int, heading: int, out: np.ndarray) -> None:
        out[:] = acoustics.rir(source, node, heading)

    return _with_noise(take, [_second(take, t, respond, 2) for t in range(len(take.node))])


def _with_noise(take: Take, seconds: list[np.ndarray]) -> np.ndarray:
    signals = np.concatenate(seconds, axis=-1)
    noise = np.random.default_rng(take.noise_seed).standard_normal(signals.shape, np.float32)
    return signals + noise * np.float32(np.sqrt(power_below(signals, take.snr_db)))


def _second(take: Take, t: int, respond: Respond, channels: int) -> np.ndarray:
    """(channels, 16000): second `t`, with what still sounds of the one before."""
    node, heading = int(take.node[t]), int(take.heading[t])
    total = np.zeros((channels, SAMPLE_RATE + 1), np.complex64)
    responses = np.empty((channels, RIR_SAMPLES), np.float32)
    for event in take.events:
        window = event.dry[t * SAMPLE_RATE : (t + 2) * SAMPLE_RATE]
        if window.any():
            respond(event.node, node, heading, responses)
            total += response_spectra(responses) * dry_spectra(window, "causal")
    return heard_second(total, "causal")
