"""Train a localiser."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.localization.hungarian import load_hnet
from av_envs.agents.localization.listening import found_in
from av_envs.agents.localization.localizer import Localizer, localizer_config, save_localizer
from av_envs.agents.localization.losses import LossConfig, loss
from av_envs.agents.localization.metrics import scores
from av_envs.agents.localization.recordings import Recordings
from av_envs.agents.localization.sequences import Sequences, SequenceSource, Simulated
from av_envs.agents.localization.takes import TakeConfig
from av_envs.agents.options.localiser import Args, main
from av_envs.agents.runs import begin, kept_options
from av_envs.paths import user_path

SAVED_EVERY = 50  # updates
FOR_SCALE = 64  # sequences from which mean and deviation of the features are taken
OF_THE_RUN = ("out", "resume", "threads")


class Run(Fitting):
    """Localisers that learn from sequences."""

    def __init__(self, args: Args):
        self.args = args
        self.held_out: list[Sequences] = []
        torch.manual_seed(args.seed)
        heads = {"activity": not args.no_activity, "bounded": args.bounded}
        self.localizer = Localizer(localizer_config(args.features, args.size, args.tracks, **heads))
        self.objective = LossConfig(args.association)
        self.hnet = load_hnet(args.hnet) if args.association == "hnet" else None
        if self.hnet is not None and self.hnet.config.tracks != args.tracks:
            raise ValueError(
                f"the Hnet assigns {self.hnet.config.tracks} tracks, the run has {args.tracks}"
            )
        optimiser = torch.optim.Adam(self.localizer.parameters(), lr=args.learning_rate)
        super().__init__(self.localizer, optimiser, args.out, -(-args.sequences // args.batch_size))
        self.max_norm = args.clip or math.inf

    def loss(self, batch: Sequences) -> torch.Tensor:
        """The objective of the run."""
        maps, truth, active, _ = map(torch.from_numpy, batch)
        return loss(self.objective, *self.localizer(maps), truth, active, self.hnet)

    def scores(self) -> tuple[dict[str, float], float]:
        """All measures on what is held out; the best has the lowest LE."""
        found = [found_in(self.localizer, one) for one in self.held_out]
        seen = float(self.updates * self.args.batch_size)
        row = {"sequences": seen, **scores(found, not self.args.no_activity)}
        return row, -row["le"]

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        for name in ("hnet", "data", "sounds"):  # no path of the machine that trained
            options[name] = options[name] and Path(options[name]).name
        made = {"command": "av_envs.agents.localization.train", "options": options}
        path = self.args.out / "best.safetensors"
        save_localizer(self.localizer, path, {**made, "val": _json_safe(row)})


def source_of(args: Args) -> SequenceSource:
    """Where the sequences of a run come from."""
    if args.data != "simulated":
        folder = user_path(args.data, "--data")
        kept = args.out / "features"
        return Recordings(folder, args.features, args.tracks, args.seconds, kept)
    shared = {"sounds": args.sounds, "seconds": args.seconds, "tracks": args.tracks}
    train = TakeConfig(split="train", houses=args.houses, **shared)
    val = TakeConfig(split="val", houses=args.val_houses, **shared)
    return Simulated(args.features, train, val, args.val_sequences, args.towards)


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    source = source_of(args)
    run = Run(args)

    def drawn(update: int) -> Sequences:
        return source.batch(np.random.default_rng([args.seed, update]), args.batch_size)

    if not begin(run, args, OF_THE_RUN, LAST):
        scaling = source.batch(np.random.default_rng([args.seed, run.last, 1]), FOR_SCALE)
        run.localizer.fit_scale(torch.from_numpy(scaling.maps))
    run.held_out = source.held_out()
    fit(run, drawn, between=-(-args.val_every // args.batch_size), saved_every=SAVED_EVERY)


def _json_safe(row: dict[str, float]) -> dict[str, float | None]:
    """NaN, for what there was nothing of, as None."""
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


if __name__ == "__main__":
    sys.exit(main())
