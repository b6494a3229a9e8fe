"""Train the passive separator."""

import json
import sys
from dataclasses import asdict

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.options.houses import OF_THE_RUN
from av_envs.agents.options.separator import Args, main
from av_envs.agents.runs import can_go_on, kept_options
from av_envs.agents.separation.checkpoints import Header, save_network
from av_envs.agents.separation.pairs import PairConfig, Pairs, PairSampler
from av_envs.agents.separation.separator import Separator, separator_config
from av_envs.agents.separation.validation import (
    HeardSeconds,
    heard_at_start,
    si_sdr_of,
    wrong_labels,
)
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.whole_files import write_whole

VAL_STARTS = ("near", "between")
VAL_SECONDS = (3, 11)  # of every validation episode


class Run(Fitting):
    """Separators that learn from pairs."""

    def __init__(self, args: Args, heard: dict[str, HeardSeconds]):
        self.args, self.heard = args, heard
        self.classes = corpus_of(args.sounds).classes
        torch.manual_seed(args.seed)
        self.config = separator_config(args.size, len(self.classes), args.loss)
        self.separator = Separator(self.config)
        optimiser = torch.optim.AdamW(self.separator.parameters(), lr=args.learning_rate)
        super().__init__(self.separator, optimiser, args.out, -(-args.pairs // args.batch_size))

    def loss(self, batch: Pairs) -> torch.Tensor:
        """Of the image and of the dry sound."""
        return self.separator.loss(*map(torch.from_numpy, batch))

    def scores(self) -> tuple[dict[str, float], float]:
        """SI-SDR of every start, over the mixture, and what another class loses; their mean."""
        row: dict[str, float] = {"pairs": self.updates * self.args.batch_size}
        for start, seconds in self.heard.items():
            ratio = si_sdr_of(self.separator, seconds, seconds.label)
            wrong = si_sdr_of(self.separator, seconds, wrong_labels(seconds, len(self.classes)))
            row[start] = float(ratio.mean())
            row[f"{start}_over_mixture"] = float((ratio - seconds.si_sdr_mixture).mean())
            row[f"{start}_wrong_class"] = float((ratio - wrong).mean())
        return row, float(np.mean([row[start] for start in self.heard]))

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        kept = json.loads(kept_options(self.args, OF_THE_RUN))
        made = {"command": "av_envs.agents.separation.pretrain", "options": kept, "val": row}
        header = Header("separator", asdict(self.config), self.classes, made)
        save_network(self.separator, self.args.out / "best.safetensors", header)


def pretrain(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    sampler = PairSampler(PairConfig("train", args.houses, args.sounds))
    tasks = {start: _val_task(args, start) for start in VAL_STARTS}
    goes_on = can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, LAST)
    heard = {start: heard_at_start(task, args.val_episodes, VAL_SECONDS)
             for start, task in tasks.items()}  # fmt: skip
    run = Run(args, heard)
    if goes_on:
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))

    def drawn(update: int) -> Pairs:
        return sampler.batch(np.random.default_rng([args.seed, update]), args.batch_size)

    fit(run, drawn, between=-(-args.val_every // args.batch_size))


def _val_task(args: Args, start: str) -> SeparationConfig:
    return SeparationConfig(split="val", houses=args.val_houses, start=start, sounds=args.sounds)


if __name__ == "__main__":
    sys.exit(main())
