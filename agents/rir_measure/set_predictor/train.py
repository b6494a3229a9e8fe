"""Train the set predictor."""

import json
import sys

import numpy as np
import torch

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.options.set_predictor import Args, main
from av_envs.agents.rir_measure.set_predictor.material import GRIDS, STEPS, Batch, Lesson, lesson
from av_envs.agents.rir_measure.set_predictor.network import NetworkConfig, SetNetwork
from av_envs.agents.rir_measure.set_predictor.objective import distance
from av_envs.agents.rir_measure.set_predictor.predictor import answer, save_set_network
from av_envs.agents.runs import begin, kept_options
from av_envs.progress import progress_bar
from av_envs.rir_measure.metrics.stft_distance import distance as rendered_distance
from av_envs.rir_measure.metrics.stft_distance import spectra
from av_envs.rir_measure.predictors.envelope import Decomposition, compose

WARM_UP = 50  # updates in which the learning rate rises
SAVED_EVERY = 100  # updates
VAL_QUERIES = 32  # held-out pairs of each validation dwelling
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


class Run(Fitting):
    """Networks that learn from lessons."""

    warm_up = WARM_UP

    def __init__(self, args: Args):
        self.args = args
        self.held_out: list[Lesson] = []
        torch.manual_seed(args.seed)
        network = SetNetwork(NetworkConfig())
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=args.learning_rate, weight_decay=args.weight_decay
        )
        super().__init__(network, optimiser, args.out, args.updates)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Distance of the answers from what was measured, a mean."""
        drawn = np.random.default_rng([self.args.seed, self.updates, 1])
        torch.manual_seed(int(drawn.integers(2**31)))  # of dropout, whenever the run goes on
        return distance(self.network(**batch.question), batch.truth, batch.arrival).mean()

    def scores(self) -> tuple[dict[str, float], float]:
        """Errors in each kind of dwelling after each of STEPS; the best has the lowest mean."""
        self.network.eval()
        row: dict[str, float] = {"updates": self.updates}
        for kind in GRIDS:
            ours = [one for one in self.held_out if one.name.startswith(kind)]
            errors = np.mean([errors_of(self.network, one) for one in ours], axis=0)
            row |= {f"{kind}_{step}": float(e) for step, e in zip(STEPS, errors, strict=True)}
        return row, -float(np.mean([value for name, value in row.items() if name != "updates"]))

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        options = json.loads(kept_options(self.args, OF_THE_RUN))
        command = "av_envs.agents.rir_measure.set_predictor.train"
        made = {"command": command, "options": options, "val": row}
        save_set_network(self.network, self.args.out / "best.safetensors", made)


def errors_of(network: SetNetwork, heard: Lesson) -> list[float]:
    """Mean STFT distance of rendered responses after each of `STEPS`."""
    truth, errors = spectra(heard.queries.rirs), []
    for question in heard.questions:
        found = answer(network, question)
        parts = Decomposition(found.direct.numpy(), found.envelope.numpy())
        rirs = compose(heard.queries.pairs, parts, heard.queries.rirs.shape[-1])
        errors.append(float(rendered_distance(truth, spectra(rirs)).mean()))
    return errors


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    begin(run, args, OF_THE_RUN, LAST)
    lessons = _lessons("train", dict.fromkeys(GRIDS, args.dwellings), args.queries)
    of_val = {"flat": args.val_flats, "house": args.val_houses}
    run.held_out = _lessons("val", of_val, VAL_QUERIES)

    def drawn(update: int) -> Batch:
        rng = np.random.default_rng([args.seed, update])
        return lessons[rng.integers(len(lessons))].draw(rng, args.pairs)

    fit(run, drawn, between=args.val_every, saved_every=SAVED_EVERY)


def _lessons(split: str, dwellings: dict[str, int], queries: int) -> list[Lesson]:
    """Walks in the first dwellings of each kind; those of val keep their true responses."""
    places = [(index, kind) for kind, n in dwellings.items() for index in range(n)]
    return [
        lesson(split, index, kind, queries, keeps_responses=split == "val")
        for index, kind in progress_bar(places, f"measuring in dwellings of {split}")
    ]


if __name__ == "__main__":
    sys.exit(main())
