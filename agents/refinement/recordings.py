"""Refine recordings: `python -m av_envs.agents.refinement.recordings --folder DIR --out RUN`.

DIR is laid out as RWAVS, see `rwavs.py`. By the protocol of Liang, Song, Xu et al., "pi-AVAS",
ICCV 2025, one refiner learns from one recording of an environment and is judged on all others,
in turn. It refines sounds, as in the paper: the flow goes from the direct sound (`direct_sound.py`)
to what was recorded, and the network is told what the source plays and where it is. It learns from
the frames of `train`; those of `val` of the same recording choose which network is kept; of the
other recordings all frames are judged.

RUN gets a folder for each recording that was learned from, as `train.py` leaves it, and
`errors.json`. MAG, ENV and SNR are those of the code of AV-NeRF, ILD is the error of the level
difference between the ears, dB; means over clips, then recordings, then refiners. There are no
decay times: they are measures of impulse responses, and here are none. With --resume an
interrupted run goes on.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.fitting import Fitting, fit
from av_envs.agents.refinement.direct_sound import direct_sound, fitted_gain
from av_envs.agents.refinement.flow import OBJECTIVES, SIGMA, SOLVERS, objective_loss
from av_envs.agents.refinement.metrics import means, sound_errors
from av_envs.agents.refinement.network import SIZES
from av_envs.agents.refinement.refiner import (
    POSES,
    SOLVER,
    STEPS,
    FlowRefiner,
    Refined,
    RefinerConfig,
    refiner_config,
    save_refiner,
    told_dry,
)
from av_envs.agents.refinement.rwavs import (
    ENVIRONMENTS,
    RATE,
    VIEW,
    Clip,
    RwavsScene,
    folds,
    scenes_in,
)
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole

CONFIG = "config.json"  # of a run
OF_THE_RUN = ("folder", "out", "resume", "threads")
START, REFINED = "direct sound", "refined"
SHOWN = ("mag", "env", "snr", "ild")

Errors = dict[str, dict[str, float]]  # of the start and of what is refined, by measure


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    folder: Path = field(
        metadata={"help": "of recordings", "type": path_argument, "required": True}
    )
    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    environment: str = option(
        "all", "all: that of all of position.json", choices=("all", *ENVIRONMENTS)
    )
    metres: float = option(0.0, "that are one unit of places; 0: not known, sound takes no time")
    objective: str = option("flow", "regression: one step, no flow", choices=OBJECTIVES)
    size: str = option("tiny", choices=SIZES)
    pose: str = option("relative", "what the network is told of places", choices=POSES)
    views: bool = option(False, "tell the network the features of frames, feats_{split}.npz")
    told_start: bool = option(False, "tell the network where the flow began, all along")
    samples: int = option(8192, "of a clip in an update; 0: all", type=non_negative_int)
    sigma: float = option(SIGMA, "of the noise around the path")
    solver: str = option(SOLVER, choices=SOLVERS)
    steps: int = option(STEPS, "of the solver", type=positive_int)
    updates: int = option(4000, type=positive_int)
    batch_size: int = option(4, "clips of an update", type=positive_int)
    learning_rate: float = option(5e-4, "falls to zero on half a cosine")
    weight_decay: float = option(1e-4, "Adam's, as in the paper")
    val_every: int = option(500, "updates between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


class Recorded(NamedTuple):
    """Clips as a flow has them.

    start, end  (P, 2, n) float32, in the scale of the start
    pose        (P, 12)
    dry         (P, n), in loudness 1
    view        (P, 1024), or None
    """

    start: Tensor
    end: Tensor
    pose: Tensor
    dry: Tensor
    view: Tensor | None

    def cut(self, rows: Tensor, firsts: np.ndarray, samples: int) -> "Recorded":
        """Some rows, of each so many samples from its first on."""
        start, end, dry = (
            torch.stack([whole[row, ..., first : first + samples] for row, first in
                         zip(rows, firsts, strict=True)])
            for whole in (self.start, self.end, self.dry)
        )  # fmt: skip
        return Recorded(start, end, self.pose[rows], dry, _at(self.view, rows))


class Run(Fitting):
    """A refiner that learns from one recording."""

    def __init__(self, args: Args, scene: str):
        self.args, self.scene = args, scene
        torch.manual_seed(args.seed)
        recording = RwavsScene(args.folder / scene)
        clips = recording.clips("train")
        self.gain = fitted_gain(clips, args.metres)
        self.refiner = FlowRefiner(_config(args), args.solver, args.steps)
        optimiser = torch.optim.Adam(
            self.refiner.parameters(), lr=args.learning_rate, weight_decay=args.weight_decay
        )
        super().__init__(self.refiner, optimiser, args.out / scene, args.updates)
        self.train = self._recorded(clips)
        self.held_out = self._recorded(recording.clips("val"))

    def _recorded(self, clips: Iterable[Clip]) -> Recorded:
        """Those in which something plays, as this refiner has them."""
        rows = []
        for clip in clips:
            simulated = self.gain * direct_sound(clip, self.args.metres)
            if not simulated.any():
                continue
            start = self.refiner.start(simulated)
            end = self.refiner.end(clip.heard, start.scale)
            dry = told_dry(clip.dry, len(clip.dry))[0].numpy()
            rows.append((start.at, end, clip.pose, dry, _view(self.args, self.scene, clip)))
        if not rows:
            raise ValueError(f"{self.args.folder / self.scene}: nothing plays in any frame")
        *parts, views = zip(*rows, strict=True)
        view = torch.from_numpy(np.stack(views)) if self.args.views else None
        return Recorded(*(torch.from_numpy(np.stack(part)) for part in parts), view)

    def drawn(self, update: int) -> tuple[Recorded, torch.Generator]:
        """The clips of an update, and where its random times come from."""
        rng = np.random.default_rng([self.args.seed, update])
        rows = torch.from_numpy(rng.integers(len(self.train.start), size=self.args.batch_size))
        n = self.train.dry.shape[1]
        samples = min(self.args.samples or n, n)
        firsts = rng.integers(n - samples + 1, size=len(rows))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return self.train.cut(rows, firsts, samples), generator

    def loss(self, batch: tuple[Recorded, torch.Generator]) -> Tensor:
        """The objective of the run."""
        (start, end, pose, dry, view), generator = batch

        def velocity(at: Tensor, time: Tensor) -> Tensor:
            return self.refiner.velocity(at, time, start, pose, dry, view)

        args = self.args
        return objective_loss(args.objective, velocity, start, end, generator, args.sigma)

    def scores(self) -> tuple[dict[str, float], float]:
        """Errors on what is held out; the best has the least error."""
        self.refiner.eval()
        steps = 1 if self.args.objective == "regression" else self.args.steps
        held, errors = self.held_out, []
        with torch.inference_mode():
            for k in range(len(held.start)):
                one = Recorded(*(part if part is None else part[k : k + 1] for part in held))
                found = self.refiner.moved(one.start, one.pose, one.dry, one.view, steps=steps)
                before, after = (self.refiner.error(x, one.end) for x in (one.start, found))
                errors.append((before.item(), after.item()))
        before, after = np.mean(errors, axis=0)
        clips = float(self.updates * self.args.batch_size)
        return {"clips": clips, "error_before": float(before), "error": float(after)}, -float(after)

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.refinement.recordings", "options": options, "val": row}
        made |= {"recording": self.scene, "gain": self.gain}
        save_refiner(self.refiner, self.out / "best.safetensors", made)

    def judged(self, others: list[str]) -> Errors:
        """Mean errors over other recordings, of the refiner that was kept."""
        solver = {} if self.args.objective == "regression" else {
            "solver": self.args.solver, "steps": self.args.steps
        }  # fmt: skip
        refiner = Refined(self.out / "best.safetensors", **solver)
        found = [self._errors_in(other, refiner) for other in others]
        return {who: means([errors[who] for errors in found]) for who in (START, REFINED)}

    def _errors_in(self, scene: str, refiner: Refined) -> Errors:
        recording, rows = RwavsScene(self.args.folder / scene), {START: [], REFINED: []}
        for clip in (*recording.clips("train"), *recording.clips("val")):
            start = np.float32(self.gain) * direct_sound(clip, self.args.metres)
            view = _view(self.args, scene, clip)
            rows[START].append(sound_errors(start, clip.heard))
            refined = refiner.refine(start, clip.pose, clip.dry, view)
            rows[REFINED].append(sound_errors(refined, clip.heard))
        return {who: means(found) for who, found in rows.items()}


def _config(args: Args) -> RefinerConfig:
    told = {"is_told_start": args.told_start, "is_told_dry": True, "view": VIEW * args.views}
    return replace(refiner_config("waveform", args.size, args.pose, **told), rate=RATE)


def _view(args: Args, scene: str, clip: Clip) -> np.ndarray | None:
    """What the network is told of a frame; ValueError if it should be and is not there."""
    if not args.views:
        return None
    if clip.view is None:
        raise ValueError(
            f"{args.folder / scene}: feats_train.npz and feats_val.npz must have the features of "
            f"all frames, those of frame {clip.second} are missing"
        )
    return clip.view


def _at(rows: Tensor | None, which: Tensor) -> Tensor | None:
    return None if rows is None else rows[which]


def table(found: dict[str, Errors]) -> str:
    """Markdown: two rows for each refiner, by what it learned from, and their mean."""
    lines = [f"| learned from | | {' | '.join(SHOWN)} |", "|---" * (len(SHOWN) + 2) + "|"]
    mean = {who: means([errors[who] for errors in found.values()]) for who in (START, REFINED)}
    for name, errors in {**found, "mean": mean}.items():
        for who in (START, REFINED):
            cells = [f"{errors[who][measure]:.4g}" for measure in SHOWN]
            lines.append(f"| {name} | {who} | {' | '.join(cells)} |")
    return "\n".join(lines)


def refine_recordings(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError or OSError for what cannot be read."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    options = kept_options(args, OF_THE_RUN)
    turns = folds(scenes_in(args.folder, args.environment))
    goes_on = can_go_on(args.out, options, args.resume, CONFIG)
    write_whole(args.out / CONFIG, options)
    found = {}
    for scene, others in turns:
        run = Run(args, scene)
        if goes_on and run.path.exists():
            run.load()
        fit(run, run.drawn, between=args.val_every)
        found[scene] = run.judged(others)
    write_whole(args.out / "errors.json", (json.dumps(found, indent=1) + "\n").encode())
    print(table(found))


def main(argv: list[str] | None = None) -> int:
    prog = "av_envs.agents.refinement.recordings"
    return run_command(refine_recordings, Args, prog, __doc__, argv, CONFIG)


if __name__ == "__main__":
    sys.exit(main())
