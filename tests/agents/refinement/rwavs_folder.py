"""A small folder in the layout of RWAVS: direct sounds whose right channel is wired upside down."""

import json

import numpy as np
import soundfile

from av_envs.agents.refinement.direct_sound import direct_sound
from av_envs.agents.refinement.rwavs import RATE, Clip

SECONDS = 4


def write_folder(folder, scenes=("1", "2"), seconds=SECONDS):
    """Recordings of noise that a listener hears from around the loudspeaker."""
    places = {name: [0.3 + 0.2 * k, 0.4, 0.0] for k, name in enumerate(scenes)}
    folder.mkdir(exist_ok=True)
    (folder / "position.json").write_text(json.dumps(places))
    for k, name in enumerate(scenes):
        _write_scene(folder / name, np.array(places[name][:2]), k, seconds)
    return folder


def _write_scene(folder, source, seed, seconds):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    dry = (0.05 * rng.standard_normal(RATE * seconds)).astype(np.float32)
    heard, frames = np.zeros((2, len(dry)), np.float32), []
    for second in range(seconds):
        place, heading = rng.uniform(-0.8, 0, 2), rng.uniform(-np.pi, np.pi)
        looks = np.array([np.cos(heading), np.sin(heading)])
        now = slice(second * RATE, (second + 1) * RATE)
        clip = Clip(second, dry[now], heard[:, now], place, looks, source, None)
        ears = 0.2 * direct_sound(clip)
        heard[:, now] = ears * [[1], [-1]]
        pose = np.eye(4)
        pose[:2, 2], pose[:2, 3] = looks, place
        frame = {"file_path": f"frames/{second:05d}.png", "camera_to_world": pose.tolist()}
        frames.append(frame)
    soundfile.write(folder / "source_syn_re.wav", dry, RATE, "PCM_16")
    soundfile.write(folder / "binaural_syn_re.wav", heard.T, RATE, "PCM_16")
    for split, kept in (("train", frames[1:-2]), ("val", frames[-2:])):
        path = folder / f"transforms_scale_{split}.json"
        path.write_text(json.dumps({"camera_path": kept}))


def write_views(folder, seconds=SECONDS):
    """Features of all frames."""
    names = [f"{second:05d}" for second in range(seconds)]
    half = np.ones((seconds, 512), np.float32)
    for split in ("train", "val"):
        np.savez(folder / f"feats_{split}.npz", names=names, rgb=half, depth=-half)
