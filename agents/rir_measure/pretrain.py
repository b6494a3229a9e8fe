"""Train the generator of impulse responses alone."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.devices import device_named
from av_envs.agents.options.generator import Args, main
from av_envs.agents.rir_measure.generating import Batch, GeneratorTraining, teams_at_once
from av_envs.agents.rir_measure.losses import stft_distance
from av_envs.agents.rir_measure.networks.generator import RIRGenerator
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.recipes import recipe
from av_envs.agents.rir_measure.sampling import RandomWalks, Sampler, UniformPairs
from av_envs.agents.rir_measure.senses import ends_of, pairs_of
from av_envs.agents.rir_measure.team import save_generator, sizes
from av_envs.agents.runs import (
    LAST,
    begin,
    kept_options,
)
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.progress import progress_bar
from av_envs.registration import VARIANTS
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.predictors.mean import mean_table
from av_envs.whole_files import replacing

OF_THE_RUN = ("out", "resume", "device", "threads")


class Run:
    """One training run: generator, optimiser, and the files that it keeps."""

    def __init__(self, args: Args, device: torch.device):
        self.args, self.device = args, device
        self.share = recipe(args.size, args.env, {"mse_share": args.mse_share}).mse_share
        torch.manual_seed(args.seed)
        self.senses, _, config = sizes(args.size)
        self.senses = replace(self.senses, vision=args.vision)
        config = replace(config, kappa=args.kappa, amplitude=args.amplitude)
        self.generator = RIRGenerator(config, self.senses).to(device)
        pairs = pairs_of(self._config(args.env_kwargs), device)
        self.training = GeneratorTraining(self.generator, pairs, self.share, args.learning_rate)
        self.updates = 0

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / LAST

    @property
    def last(self) -> int:
        """The number of updates of the whole run."""
        return -(-self.args.teams // self.args.batch_size)

    @property
    def between(self) -> int:
        """Updates from one validation to the next."""
        return -(-self.args.val_every // self.args.batch_size)

    def sampler(self) -> Sampler:
        """Of training dwellings."""
        args, moments = self.args, self.generator.moments
        options = {**args.env_kwargs, "split": "train", "houses": args.houses}
        if args.sampler == "random_policy":
            env_id = ENVIRONMENTS[args.env]
            return RandomWalks(env_id, args.batch_size, self.senses, moments, options)
        return UniformPairs(self._config(options), args.batch_size, self.senses, moments)

    def validation(self) -> Batch:
        """The same pairs of validation dwellings, again and again."""
        args = self.args
        options = {**args.env_kwargs, "split": "val", "houses": args.val_houses}
        drawn = UniformPairs(
            self._config(options), args.val_teams, self.senses, self.generator.moments
        )
        return on_device(drawn.batch(np.random.default_rng(0)), self.device)

    def _config(self, options: dict[str, Any]) -> MeasureConfig:
        return MeasureConfig.from_keywords(**VARIANTS[ENVIRONMENTS[self.args.env]][1], **options)

    def update(self, batch: Batch) -> float:
        """One step of the optimiser; the loss before it."""
        rate = self.args.learning_rate * (1 - self.updates / self.last)
        loss = self.training.step(on_device(batch, self.device), rate, f"of update {self.updates}")
        self.updates += 1
        return loss

    @torch.no_grad()
    def validate(self, measured: Batch) -> dict[str, float]:
        """A row of the curve; the best generator so far is kept."""
        sums, count = torch.zeros(4, dtype=torch.float64), 0
        usual = torch.from_numpy(mean_table().waveform.copy()).to(self.device)
        together = teams_at_once(self.device)
        for first in range(0, len(measured.rirs), together):
            part = measured.part(slice(first, first + together))
            predicted = self.generator(ends_of(part.moments, self.training.pairs))
            truth = part.rirs.flatten(0, 1)
            errors = [
                stft_distance(truth, each.expand_as(truth)).mean()
                for each in (predicted, torch.zeros_like(usual), usual)
            ]
            errors.append((truth - predicted).square().mean())
            sums += torch.stack(errors).cpu().double() * len(part.rirs)
            count += len(part.rirs)
        delta, silence, mean, square = (sums / count).tolist()
        row = {"teams": float(self.updates * self.args.batch_size), "xi": -delta}
        row |= {"xi_silence": -silence, "xi_mean": -mean, "mse": square}
        if add_row(self.args.out / "curve.csv", row, "teams", "xi"):
            kept = json.loads(kept_options(self.args, OF_THE_RUN))
            made = {"command": "av_envs.agents.rir_measure.pretrain", "options": kept, "val": row}
            save_generator(self.generator, self.senses, self.args.out / "best.safetensors", made)
        return row

    def save(self) -> None:
        """Write what the run goes on from."""
        state = {
            "generator": self.generator.state_dict(),
            "optimiser": self.training.optimiser.state_dict(),
            "updates": self.updates,
        }
        with replacing(self.path) as draft:
            torch.save(state, draft)

    def load(self) -> None:
        """Go on from there; ValueError with the file's name if it is damaged."""
        try:
            state = torch.load(self.path, map_location=self.device, weights_only=True)
            self.generator.load_state_dict(state["generator"])
            self.training.optimiser.load_state_dict(state["optimiser"])
            self.updates = int(state["updates"])
        except MALFORMED as error:
            raise ValueError(f"{self.path}: cannot be resumed: {one_line(error)}") from error


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch there."""
    moments = {key: value.to(device) for key, value in batch.moments.items()}
    return Batch(moments, batch.rirs.to(device))


def pretrain(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    device = device_named(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args, device)
    sampler, measured = run.sampler(), run.validation()
    begin(run, args, OF_THE_RUN, LAST)
    with (
        SummaryWriter(str(args.out), purge_step=run.updates + 1) as board,
        progress_bar(total=run.last, initial=run.updates, unit="update") as bar,
    ):
        while run.updates < run.last:
            if run.updates % run.between == 0:  # where an interrupted run may begin anew
                drawn = np.random.SeedSequence([args.seed, run.updates]).generate_state(1)
                sampler.begin(int(drawn[0]))
            batch = sampler.batch(np.random.default_rng([args.seed, run.updates]))
            board.add_scalar("loss", run.update(batch), run.updates)
            bar.update()
            if run.updates % run.between == 0 or run.updates == run.last:
                row = run.validate(measured)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.updates)
                run.save()


if __name__ == "__main__":
    sys.exit(main())
