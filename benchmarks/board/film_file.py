"""Films as MP4 files that any browser plays: H.264 and AAC."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np

from av_envs.paths import user_path

SAMPLE_RATE = 16_000  # Hz
VIDEO_CODECS = ("libx264", "libopenh264", "mpeg4")  # the first that this build of FFmpeg has
AUDIO_CODEC = "aac"
AUDIO_BITS_PER_SECOND = 128_000
MPEG4_BITS_PER_SECOND = 4_000_000  # the other codecs choose by quality


def write_film(
    frames: Sequence[np.ndarray], audio: np.ndarray, path: str | Path, fps: float = 1
) -> None:
    """Write a film that any browser plays: H.264 and AAC in an MP4 file.

    frames  each (H, W, 3) uint8, H and W even and the same for all
    audio   (2, n) float32 at 16 kHz, left first; turned down as a whole if it exceeds full scale
    fps     pictures per second; 1 shows every step of an episode for its second
    """
    av = _import_av()
    frames = [np.ascontiguousarray(frame) for frame in frames]
    _check(frames, audio, fps)
    path = user_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as film:
        pictures = _add_pictures(av, film, frames[0].shape, fps)
        sound = film.add_stream(AUDIO_CODEC, rate=SAMPLE_RATE, layout="stereo")
        sound.bit_rate = AUDIO_BITS_PER_SECOND
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts = number
            film.mux(pictures.encode(picture))
        film.mux(pictures.encode())
        loudest = max(1.0, float(np.abs(audio).max()))
        samples = np.ascontiguousarray(audio / loudest, np.float32)
        chunk = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        chunk.sample_rate, chunk.pts = SAMPLE_RATE, 0
        film.mux(sound.encode(chunk))
        film.mux(sound.encode())


def _add_pictures(av: ModuleType, film, shape: tuple[int, int, int], fps: float):
    """A video stream of the best codec there is, in the pixel format that browsers want."""
    codec = next((name for name in VIDEO_CODECS if name in av.codecs_available), None)
    if codec is None:
        raise RuntimeError(f"this build of FFmpeg has none of the codecs {VIDEO_CODECS}")
    rate = Fraction(fps).limit_denominator(1000)
    pictures = film.add_stream(codec, rate=rate)
    pictures.height, pictures.width = shape[:2]
    pictures.pix_fmt = "yuv420p"
    pictures.codec_context.time_base = 1 / rate
    if codec == "libx264":
        pictures.options = {"crf": "18", "tune": "stillimage"}
    elif codec == "mpeg4":
        pictures.bit_rate = MPEG4_BITS_PER_SECOND
    return pictures


def _check(frames: list[np.ndarray], audio: np.ndarray, fps: float) -> None:
    if not frames:
        raise ValueError("a film needs at least one frame, got none")
    for number, frame in enumerate(frames):
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(
                f"frame {number} must be (H, W, 3) uint8, got {frame.shape} {frame.dtype}"
            )
        if frame.shape != frames[0].shape:
            raise ValueError(f"frame {number} is {frame.shape}, frame 0 is {frames[0].shape}")
    if frames[0].shape[0] % 2 or frames[0].shape[1] % 2:
        raise ValueError(f"frames must be even in height and width, got {frames[0].shape[:2]}")
    if np.ndim(audio) != 2 or len(audio) != 2 or audio.shape[1] == 0:
        raise ValueError(f"audio must be (2, n) with n > 0, got {np.shape(audio)}")
    if not np.isfinite(audio).all():
        raise ValueError("audio must be finite; at least one sample is not")
    if not fps > 0:
        raise ValueError(f"fps must be positive, got {fps}")


def _import_av() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImportError("films need PyAV; install it with: pip install -e '.[video]'") from error
    return av
