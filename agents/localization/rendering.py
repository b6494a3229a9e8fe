"""What is heard in a take, by two ears, ambisonics or an array."""

import numpy as np
from scipy.signal import resample_poly

from av_envs.acoustics.binaural import RIR_SAMPLES, EarTables, binaural_response
from av_envs.acoustics.convolution import dry_spectra, heard_second, response_spectra
from av_envs.agents.localization.arrays import tables_of
from av_envs.agents.localization.features import KINDS
from av_envs.agents.localization.takes import Take
from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.noise import power_below


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
    seconds = [_second(take, t, tables) for t in range(len(take.node))]
    signals = np.concatenate(seconds, axis=-1)
    noise = np.random.default_rng(take.noise_seed).standard_normal(signals.shape, np.float32)
    return signals + noise * np.float32(np.sqrt(power_below(signals, take.snr_db)))


def _second(take: Take, t: int, tables: tuple[EarTables, ...]) -> np.ndarray:
    """(2 * len(tables), 16000): second `t`, with what still sounds of the one before."""
    channels = 2 * len(tables)
    node, heading = int(take.node[t]), int(take.heading[t])
    total = np.zeros((channels, SAMPLE_RATE + 1), np.complex64)
    responses = np.empty((channels, RIR_SAMPLES), np.float32)
    bank, n_nodes = take.dwelling.acoustics.bank, len(take.dwelling.scene.graph)
    for event in take.events:
        window = event.dry[t * SAMPLE_RATE : (t + 2) * SAMPLE_RATE]
        if not window.any():
            continue
        compact, salt = bank.row(event.node)[node], event.node * n_nodes + node
        for pair, table in enumerate(tables):
            binaural_response(compact, heading, salt, table, responses[2 * pair : 2 * pair + 2])
        total += response_spectra(responses) * dry_spectra(window, "causal")
    return heard_second(total, "causal")
