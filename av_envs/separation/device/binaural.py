"""Binaural impulse responses from compact ones, many at once, in torch.

What `av_envs.acoustics.binaural` does one response at a time, with the same tables and the same
noise for the same salt. Pure functions of tensors on one device: B responses in, B pairs of
ears out, nothing read back by the host.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.acoustics.binaural import (
    COARSE,
    FINE,
    GRID,
    INAUDIBLE,
    LATE_TABLE,
    NEAR_TABLE,
    RIR_SAMPLES,
    SECTOR_TURN,
    SPLIT,
    EarTables,
)
from av_envs.acoustics.early_bands import DECIMATION, LONG_PRE, N_LONG, PRE, REACH
from av_envs.acoustics.response import (
    DELAY_STEPS,
    DIRECTION_GROUP,
    ENERGY_OF_CODE,
    GAIN_OF_CODE,
    MAX_PATHS,
    MIN_LENGTH,
    N_AZIMUTHS,
    N_BINS,
    N_FINE,
    N_GROUPS,
    N_SECTORS,
    RESPONSE,
)
from av_envs.conventions import N_BANDS, N_HEADINGS, SAMPLE_RATE, SPEED_OF_SOUND

N_LATE = N_BINS - N_FINE
LONGEST_DELAY = 65535 // DELAY_STEPS + 1  # samples
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # of splitmix64
INCREMENT = 0x632BE59BD9B4E019
TINY = 1e-20


class Ears(NamedTuple):
    """The tables of a head (`EarTables`) and of the codes of a response, on a device.

    Noise is kept with time first, so that a stretch of it in all bands is one piece of memory.

    near       (2 * 8192, 98) float32, ear and sample by sector and band
    late       (2 * 32768, 7) float32, ear and sample by band
    share      (14, 14) float32, sector by ear and band
    early      (D, 5, 2 * 160) float32, by band from 500 Hz up
    low        (D * 8, 2, 2 * 93) float32, by crossover, at an eighth of the rate
    between    (8, 8) float32, from the low rate to the full one
    row        (72, 37) int64
    lead       samples
    energy     (256,) float32, of each code
    gain       (256,) float32, of each code
    turned     (4, 14) int64, world sector of each sector of a head, by its heading
    group      (65,) int64, direction group of each time bin
    """

    near: Tensor
    late: Tensor
    share: Tensor
    early: Tensor
    low: Tensor
    between: Tensor
    row: Tensor
    lead: int
    energy: Tensor
    gain: Tensor
    turned: Tensor
    group: Tensor


class Responses(NamedTuple):
    """Fields of B compact responses, see `av_envs.acoustics.response.RESPONSE`; codes as int64.

    energy          (B, 65, 7)
    direction       (B, 19, 14)
    n_paths         (B, 1)
    path_delay      (B, 16)
    path_direction  (B, 16, 3)
    path_gain       (B, 16, 7)
    """

    energy: Tensor
    direction: Tensor
    n_paths: Tensor
    path_delay: Tensor
    path_direction: Tensor
    path_gain: Tensor


def ears_on(tables: EarTables, device: torch.device) -> Ears:
    """Bring the tables of a head to a device, 21 MB."""
    sectors = np.arange(N_SECTORS)
    turned = [
        np.where(sectors < N_AZIMUTHS, (sectors + SECTOR_TURN * h) % N_AZIMUTHS, sectors)
        for h in range(N_HEADINGS)
    ]
    arrays = {
        "near": tables.near.transpose(1, 3, 0, 2).reshape(2 * NEAR_TABLE, -1),
        "late": tables.late.transpose(0, 2, 1).reshape(2 * LATE_TABLE, -1),
        "share": tables.share.reshape(N_SECTORS, -1),
        "early": tables.early.transpose(0, 2, 1, 3).reshape(
            len(tables.early), N_BANDS - N_LONG, -1
        ),
        "low": tables.low.transpose(0, 1, 3, 2, 4).reshape(
            DECIMATION * len(tables.low), N_LONG, -1
        ),
        "between": tables.between,
        "row": tables.row.astype(np.int64),
        "energy": ENERGY_OF_CODE,
        "gain": GAIN_OF_CODE,
        "turned": np.stack(turned),
        "group": DIRECTION_GROUP,
    }
    tensors = {name: torch.tensor(array, device=device) for name, array in arrays.items()}
    return Ears(**tensors, lead=tables.lead)


def _layout() -> list[tuple[str, int, int, str, tuple[int, ...]]]:
    """Name, first byte, last byte + 1, type code and shape of each field of a response."""
    fields = []
    for name in RESPONSE.names:
        dtype, start = RESPONSE.fields[name][:2]
        stop = start + dtype.itemsize
        fields.append((name, start, stop, dtype.base.str[1:], dtype.shape or (1,)))
    return fields


LAYOUT = _layout()


def decoded(packed: Tensor) -> Responses:
    """Fields of packed responses (B, 914) uint8, as they lie in memory."""
    fields = {}
    for name, start, stop, code, shape in LAYOUT:
        part = packed[:, start:stop]
        if code == "i1":
            part = part.contiguous().view(torch.int8)
        part = part.long()
        if code == "u2":
            part = part[:, 0::2] + 256 * part[:, 1::2]
        fields[name] = part.reshape(-1, *shape)
    return Responses(**fields)


def mixed_salt(salt: Tensor) -> Tensor:
    """The noise number of `av_envs.acoustics.binaural` for each salt, int64 to int64."""
    first, second, third = (_signed(factor) for factor in MULTIPLIERS)
    x = salt * first + _signed(INCREMENT)  # wraps at 64 bits, as it should
    x = (x ^ _shifted(x, 30)) * second
    x = (x ^ _shifted(x, 27)) * third
    return _shifted(x ^ _shifted(x, 31), 2)


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _shifted(x: Tensor, places: int) -> Tensor:
    """Bits moved right, zeros moved in."""
    return (x >> places) & ((1 << (64 - places)) - 1)


def binaural_responses(packed: Tensor, heading: Tensor, salt: Tensor, ears: Ears) -> Tensor:
    """Impulse responses at two ears.

    packed   (B, 914) uint8, compact responses
    heading  (B,) int64, quarter turns counter-clockwise from +x
    salt     (B,) int64, picks the noise
    returns  (B, 2, 16000) float32, left ear first
    """
    responses, noise = decoded(packed), mixed_salt(salt)
    bands = torch.arange(N_BANDS, device=packed.device)
    sign = 1.0 - 2.0 * ((noise[:, None] >> bands) & 1)
    energy = ears.energy[responses.energy]
    floor = energy.sum((1, 2)) * INAUDIBLE
    audible = energy.amax(2) > floor[:, None]  # (B, 65)
    turned = ears.turned[heading][:, None].expand(-1, N_GROUPS, -1)
    direction = responses.direction.gather(2, turned).float()
    shares = direction / direction.sum(2, keepdim=True).clamp(min=1)
    near = near_noise(near_gains(energy, shares, audible, sign, ears), noise, ears)
    late = late_noise(late_gains(energy, shares, audible, sign, ears), noise, ears)
    out = torch.cat([near, late], 2)
    early = early_paths(responses, heading, ears)
    out[:, :, : early.shape[2]] += early
    return out


def near_gains(energy: Tensor, shares: Tensor, audible: Tensor, sign: Tensor, ears: Ears) -> Tensor:
    """(B, 20, 14, 7) amplitude of each sector's noise in each of the first bins."""
    part = shares[:, ears.group[:N_FINE]]  # (B, 20, 14)
    part = torch.where((part >= 1e-3) & audible[:, :N_FINE, None], part, 0)
    power = energy[:, :N_FINE, None] * part[..., None] / FINE
    return sign[:, None, None] * power.sqrt()


def near_noise(gains: Tensor, noise: Tensor, ears: Ears) -> Tensor:
    """(B, 2, 1600) float32, the first 100 ms: noise from each sector, heard through the head."""
    offset = (noise >> 8) % (NEAR_TABLE - SPLIT)
    stretches = _stretches(ears.near, offset, N_FINE, FINE)  # (B, 2, 20, 80, 98)
    weights = gains.flatten(2)[:, None, :, :, None].expand(-1, 2, -1, -1, -1)
    return (stretches @ weights).reshape(len(noise), 2, SPLIT)


def late_gains(energy: Tensor, shares: Tensor, audible: Tensor, sign: Tensor, ears: Ears) -> Tensor:
    """(B, 2, 45, 7, 2) amplitude of the diffuse noise where each bin starts, and its slope.

    They run linearly through each bin and keep its energy. The slope is per sample.
    """
    heard = (shares @ ears.share)[:, ears.group[N_FINE:]]  # (B, 45, 14)
    power = energy[:, N_FINE:, None] * heard.view(*heard.shape[:2], 2, N_BANDS) / COARSE
    here = power.sqrt().transpose(1, 2)  # (B, 2, 45, 7)
    first, second = here[:, :, :1], here[:, :, 1:2].clamp(min=TINY)
    before = torch.minimum(first * first / second, 4 * first)  # goes on with the decay
    level = torch.cat([before, here, here[:, :, -1:]], 2)
    start = (level[:, :, :-2] * here).sqrt()
    end = (here * level[:, :, 2:]).sqrt()
    ramp = ((start * start + start * end + end * end) / 3).sqrt()
    alone = ramp == 0  # between two empty bins
    start, end = torch.where(alone, here, start), torch.where(alone, here, end)
    scale = here / torch.where(alone, here.clamp(min=TINY), ramp)
    later = audible[:, N_FINE:].flip(1).cumsum(1).flip(1) > 0  # this bin or one that follows
    scale = scale * sign[:, None, None] * later[:, None, :, None]
    return torch.stack([scale * start, scale * (end - start) / COARSE], -1)


def late_noise(gains: Tensor, noise: Tensor, ears: Ears) -> Tensor:
    """(B, 2, 14400) float32, what follows the first 100 ms: diffuse noise."""
    offset = (noise >> 24) % (LATE_TABLE - RIR_SAMPLES) + SPLIT
    parts = _stretches(ears.late, offset, N_LATE, COARSE) @ gains  # (B, 2, 45, 320, 2)
    ramp = torch.arange(COARSE, device=noise.device, dtype=torch.float32)
    return (parts[..., 0] + ramp * parts[..., 1]).flatten(2)


def _stretches(table: Tensor, offset: Tensor, n_bins: int, n: int) -> Tensor:
    """(B, 2, bins, n, columns) what two tables, one below the other, have from a row on.

    offset  (B,) int64, rows
    n       rows of a bin
    """
    n_rows, columns = table.shape
    bins = table.as_strided((n_rows - n + 1, n * columns), (columns, 1))
    starts = torch.arange(0, n_bins * n, n, device=offset.device)
    ears = torch.arange(0, n_rows, n_rows // 2, device=offset.device)
    first = offset[:, None, None] + ears[:, None] + starts  # (B, 2, bins)
    return bins.index_select(0, first.flatten()).view(*first.shape, n, columns)


def early_paths(responses: Responses, heading: Tensor, ears: Ears) -> Tensor:
    """(B, 2, n) float32, head-related responses of the early paths at their delays."""
    x, y, z = responses.path_direction.float().unbind(2)  # (B, 16)
    azimuth = torch.atan2(y, x).double() - heading[:, None] * (math.pi / 2)
    column = (azimuth * (GRID / (2 * math.pi)) + 0.5).floor().long() % GRID
    elevation = torch.atan2(z, (x * x + y * y).sqrt()).double()
    height = ((elevation / math.pi + 0.5) * (GRID // 2) + 0.5).floor().long()
    samples = responses.path_delay.float() / DELAY_STEPS
    length = (samples * (SPEED_OF_SOUND / SAMPLE_RATE)).clamp(min=float(MIN_LENGTH))
    slots = torch.arange(MAX_PATHS, device=heading.device)
    used = slots < responses.n_paths
    gain = ears.gain[responses.path_gain] / length[..., None] * used[..., None]  # (B, 16, 7)
    direction = ears.row[column, height]
    instant = (samples + 0.5).floor().long()
    begin = instant + low_ahead(ears) * DECIMATION - LONG_PRE - ears.lead
    steps = gain[..., :N_LONG] - gain[..., 1 : N_LONG + 1]
    heard = gain[:, :, None, N_LONG:] @ ears.early[direction]  # (B, 16, 1, 2 * taps)
    low = steps[:, :, None] @ ears.low[direction * DECIMATION + begin % DECIMATION]
    both = [part.view(*direction.shape, 2, -1) for part in (heard, low)]
    return _joined(*_added_up(*both, instant, begin // DECIMATION, ears), ears)


def low_ahead(ears: Ears) -> int:
    """Low-rate samples before the instant 0."""
    return (LONG_PRE + ears.lead) // DECIMATION + REACH


def _added_up(
    heard: Tensor, low: Tensor, start: Tensor, low_start: Tensor, ears: Ears
) -> tuple[Tensor, Tensor]:
    """(B, 2, n) and (B, 2, m) sums of signals (B, P, 2, taps), which start at samples (B, P).

    One path after the other, so that the order of the sums does not depend on the device.
    """
    taps, low_taps = heard.shape[-1], low.shape[-1]
    n = LONGEST_DELAY + 1 + taps
    m = LONGEST_DELAY // DECIMATION + low_ahead(ears) + low_taps + REACH
    step = torch.arange(max(taps, low_taps), device=start.device)
    time = torch.cat(
        [start[..., None] + step[:taps], low_start[..., None] + n + step[:low_taps]], 2
    )
    signals = torch.cat([heard, low], 3)
    out = heard.new_zeros(len(heard), 2, n + m)
    for p in range(heard.shape[1]):
        out.scatter_add_(2, time[:, p, None].expand(-1, 2, -1), signals[:, p])
    return out[..., :n], out[..., n:]


def _joined(full: Tensor, low: Tensor, ears: Ears) -> Tensor:
    """(B, 2, n) a signal that begins `PRE` + lead samples early, and one of the low rate."""
    spans = low[..., low_ahead(ears) - REACH + 1 :].unfold(2, 2 * REACH, 1)
    out = (spans @ ears.between).flatten(2)
    full = full[..., PRE + ears.lead :]
    out[..., : full.shape[2]] += full
    return out
