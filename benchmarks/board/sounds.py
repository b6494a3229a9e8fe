"""The sounds of an episode, as small files that a browser plays."""

import base64
import io
from typing import Any

import numpy as np
import soundfile

from av_envs.benchmarks.board.listening import amplified, even_gains_db
from av_envs.benchmarks.board.replaying import Replay
from av_envs.conventions import SAMPLE_RATE

MIXTURE = "what the agent hears, left ear above right ear"
CLAP = "a clap where the first robot stands with the ears of the second, left ear above right ear"
TRUTH = "the target's dry sound, as the source plays it"


def tracks(taken: Replay, compression: float) -> list[dict[str, Any]]:
    """What can be played of an episode, all equally loud: `name`, `note`, and `ogg` in base64.

    compression  0 to 1, the smallest files
    """
    named = [("clap", CLAP, taken.heard)]
    if taken.truth is not None:
        named = [("mixture", MIXTURE, taken.heard), ("truth", TRUTH, taken.truth[np.newaxis])]
    if taken.estimate is not None:
        named.insert(1, ("estimate", taken.remark, taken.estimate[np.newaxis]))
    gains = even_gains_db([sound for _, _, sound in named])
    return [
        {
            "name": name,
            "note": note,
            "ogg": base64.b64encode(ogg(amplified(sound, gain), compression)).decode(),
        }
        for (name, note, sound), gain in zip(named, gains, strict=True)
    ]


def ogg(waveform: np.ndarray, compression: float) -> bytes:
    """Ogg with Opus inside.

    waveform     (channels, n) float32 at 16 kHz, full scale 1
    compression  0 to 1, the smallest file
    """
    file = io.BytesIO()
    soundfile.write(
        file, waveform.T, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=compression
    )
    return file.getvalue()
