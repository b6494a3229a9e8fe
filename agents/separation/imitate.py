"""Teach a policy by imitation: `python -m av_envs.agents.separation.imitate --out DIR`.

In rounds, the policy walks in training houses, an expert that knows where the target is says
what it should have done at every step, and the policy learns from all walks so far: each walk is
learned from many times, which a policy that learns by reward alone cannot do. Ross et al., "A
Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", AISTATS
2011. In the first round the expert takes half of the steps, later none.

DIR gets `config.json`, `walks_*.pt` of every round, `last.pt`, `curve.csv` (a row per validation
on unseen houses) and `best.safetensors`, a memoryless agent from which any other kind can start:
`python -m av_envs.agents.separation.train --policy DIR/best.safetensors ...`. An interrupted run
goes on with the same command and --resume, and ends with the same bits.
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import trange

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.ppo.rollout import Storage
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.agents.separation.agent import (
    SEPARATOR,
    SIZES,
    AgentNetworks,
    agent_config,
    frozen,
    load_separator,
    save_agent,
)
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.expert import Truths, taught
from av_envs.agents.separation.mirror import mirrored
from av_envs.agents.separation.networks.policy import FEATURES
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.agents.separation.trials import EPISODE, Trials
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.separation.audio import corpus_of
from av_envs.whole_files import replacing, write_whole

FILE = "last.pt"
KIND = "memoryless"
SHARE_OF_EXPERT = 0.5  # of the moves of the first round, in which the policy knows nothing
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")

Walks = dict[str, Tensor]  # name -> (T, N, ...): features, "expert", "offset" and "starts"


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    size: str = option("small", choices=SIZES)
    separator: Path | None = field(
        default=None, metadata={"help": "file; default: the shipped one", "type": path_argument}
    )
    features: list[str] | None = field(
        default=None,
        metadata={"help": "of the policy; default: by size", "nargs": "+", "choices": FEATURES},
    )
    start: str = option("between", "of the environment, as the next ones")
    num_sources: int = option(2, type=positive_int)
    sounds: str = option("embedded", "corpus: embedded, or a directory of recordings")
    noise_snr_db: float | None = option(None, "of the microphones", type=float)
    rounds: int = option(8, type=positive_int)
    episodes: int = option(640, "of each round", type=positive_int)
    num_envs: int = option(32, type=positive_int)
    houses: int = option(48, "of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val", type=positive_int)
    val_episodes: int = option(100, "of a validation", type=positive_int)
    val_every: int = option(2, "rounds between validations", type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero on half a cosine")
    weight_decay: float = option(1e-2, "of AdamW")
    epochs: int = option(2, "of each round, over all walks so far", type=positive_int)
    batch_size: int = option(32, "walks", type=positive_int)
    locating: float = option(0.2, "weight of the error about the target's place")
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")

    @property
    def env_options(self) -> dict[str, Any]:
        """Of the environments of training and validation alike."""
        return {
            "start": self.start,
            "num_sources": self.num_sources,
            "noise_snr_db": self.noise_snr_db,
            "sounds": self.sounds,
        }


class Walking:
    """Collects walks in the houses of the split train.

    networks  whose policy walks; it may learn between two rounds
    """

    def __init__(self, args: Args, networks: AgentNetworks, senses: Senses):
        self.args, self.policy, self.senses = args, networks.policy, senses
        self.envs = gym.make_vec(
            "AVDynamicSep-v0",
            args.num_envs,
            autoreset_mode="SameStep",
            split="train",
            houses=args.houses,
            reward="si_sdr",
            observations=needed_observations(networks.config.policy),
            **args.env_options,
        )
        self.truths = Truths(self.envs.unwrapped)

    @torch.no_grad()
    def walks(self, number: int) -> Walks:
        """Those of a round; a seed and that number determine the houses and all that is drawn."""
        args, n = self.args, self.args.num_envs
        draws = torch.Generator().manual_seed(hash_of(args.seed, number))
        share = SHARE_OF_EXPERT if number == 0 else 0.0
        seeds = np.random.SeedSequence([args.seed, number]).generate_state(n)
        observation, infos = self.envs.reset(seed=seeds.tolist())
        made: list[Walks] = []
        for _ in trange(-(-args.episodes // n), desc=f"round {number}", disable=None):
            storage = Storage(EPISODE)
            state = self.policy.initial_state(n)
            for t in range(EPISODE):
                starts = torch.full((n,), t == 0)
                features = self.senses(observation, starts)
                labels = self.truths(observation, infos)
                output = self.policy(_one_step(features), state, starts[None])
                state = output.state
                moves = torch.multinomial(output.logits[0].softmax(-1), 1, generator=draws)[:, 0]
                by_expert = torch.rand(n, generator=draws) < share
                moves = torch.where(by_expert, labels["expert"], moves)
                storage.write(t, {**_halved(features), **labels, "starts": starts})
                self.senses.moved(moves)
                observation, *_, infos = self.envs.step(moves.numpy())
            made.append(storage.rows(EPISODE))
        return {name: torch.cat([one[name] for one in made], dim=1) for name in made[0]}


class Run:
    """One run: a policy, its optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        torch.manual_seed(args.seed)
        separator, header = load_separator(args.separator)
        self.args, self.classes = args, header.classes
        check_classes(args.separator or SEPARATOR, header, corpus_of(args.sounds).classes)
        features = tuple(args.features) if args.features else None
        self.networks = AgentNetworks(agent_config(KIND, args.size, separator, features=features))
        policy = self.networks.policy
        self.optimiser = torch.optim.AdamW(
            policy.parameters(), args.learning_rate, weight_decay=args.weight_decay
        )
        senses = Senses(frozen(separator), policy.config, separates=False)
        self.walking = Walking(args, self.networks, senses)
        trial_options = args.env_options | {"estimator": "agent"}
        self.trials = Trials(
            self.networks, separator, args.val_episodes, args.val_houses, trial_options
        )
        self.done = 0  # rounds
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / FILE

    def walks_of(self, number: int) -> Walks:
        """The walks of a round that is over."""
        return _loaded(self.args.out / f"walks_{number:03}.pt")

    def collect(self) -> Walks:
        """The walks of the next round, which are kept."""
        walks = self.walking.walks(self.done)
        with replacing(self.args.out / f"walks_{self.done:03}.pt") as draft:
            torch.save(walks, draft)
        return walks

    def learn(self, rounds: list[Walks]) -> float:
        """Some epochs over all walks; the mean loss. FloatingPointError if it is not finite."""
        args, policy = self.args, self.networks.policy
        torch.manual_seed(hash_of(args.seed, self.done, 1))
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        total, count = 0.0, 0
        for _ in range(args.epochs):
            for batch in _batches(rounds, args.batch_size):
                batch = mirrored(batch, torch.rand(batch["expert"].shape[1]) < 0.5)
                state = policy.initial_state(batch["expert"].shape[1])
                output = policy(batch, state, batch["starts"])
                loss = taught(output, batch, imitating=1.0, locating=args.locating)
                if not loss.isfinite():
                    raise FloatingPointError(
                        f"the loss of round {self.done} is {loss.item()}; "
                        f"{self.path if self.done else 'nothing'} is the last good checkpoint"
                    )
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
                self.optimiser.step()
                total, count = total + loss.item(), count + 1
        return total / count

    def rate(self) -> float:
        """Learning rate of this round."""
        args = self.args
        return args.learning_rate * 0.5 * (1 + math.cos(math.pi * self.done / args.rounds))

    def validate(self, loss: float) -> dict[str, float]:
        """A row of the curve; the best agent so far is kept."""
        steps = self.done * -(-self.args.episodes // self.args.num_envs)
        steps *= self.args.num_envs * EPISODE
        row = {"round": float(self.done), "steps": float(steps), "loss": loss}
        row |= self.trials.scores()
        if add_row(self.args.out / "curve.csv", row, "round", "si_sdr"):
            kept = json.loads(kept_options(self.args, OF_THE_RUN))
            made = {"command": "av_envs.agents.separation.imitate", "options": kept, "val": row}
            save_agent(self.networks, self.args.out / "best.safetensors", self.classes, made)
        return row

    def save(self) -> None:
        """Write `last.pt`."""
        state = {
            "policy": self.networks.policy.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
        }
        with replacing(self.path) as draft:
            torch.save(state, draft)

    def load(self) -> None:
        """Go on from `last.pt`; ValueError with its name if it is damaged or of another run."""
        state = _loaded(self.path)
        try:
            self.networks.policy.load_state_dict(state["policy"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.done = int(state["done"])
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error


def imitate(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    if can_go_on(args.out, kept_options(args, OF_THE_RUN), args.resume, FILE):
        run.load()
    else:
        write_whole(args.out / "config.json", kept_options(args, OF_THE_RUN))
    rounds = [run.walks_of(number) for number in range(run.done)]
    with SummaryWriter(str(args.out), purge_step=run.done + 1) as board:
        while run.done < args.rounds:
            rounds.append(run.collect())
            loss = run.learn(rounds)
            run.done += 1
            board.add_scalar("loss", loss, run.done)
            if run.done % args.val_every == 0 or run.done == args.rounds:
                row = run.validate(loss)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.done)
                print(", ".join(f"{name} {value:.2f}" for name, value in row.items()), flush=True)
            run.save()


def hash_of(*numbers: int) -> int:
    """A seed for torch drawn from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _batches(rounds: list[Walks], size: int) -> Iterator[Walks]:
    """All walks once, in an order drawn at random, as float32."""
    places = torch.cat(
        [
            torch.stack([torch.full((n,), k), torch.arange(n)], dim=1)
            for k, n in enumerate(walks["expert"].shape[1] for walks in rounds)
        ]
    )
    for chosen in places[torch.randperm(len(places))].split(size):
        parts = [walks_at(rounds[k], chosen[chosen[:, 0] == k, 1]) for k in range(len(rounds))]
        yield {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}


def walks_at(walks: Walks, which: Tensor) -> Walks:
    """Those of the indices `which` (B,), half precision made float32."""
    chosen = {name: value.index_select(1, which) for name, value in walks.items()}
    halves = {name: value.float() for name, value in chosen.items() if value.dtype == torch.half}
    return chosen | halves


def _halved(features: Walks) -> Walks:
    """Sounds in half precision: what they lose is not heard."""
    return {
        name: value.half() if value.dtype == torch.float32 and value.ndim > 2 else value
        for name, value in features.items()
    }


def _one_step(features: Walks) -> Walks:
    return {name: value[None] for name, value in features.items()}


def _loaded(path: Path) -> dict[str, Any]:
    if not is_zipfile(path):  # as torch.save writes; torch.load would try older forms
        raise ValueError(f"{path}: is no checkpoint: it is missing, cut or another file")
    try:
        return torch.load(path, weights_only=True)
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read: {one_line(error)}") from error


def main(argv: list[str] | None = None) -> int:
    return run_command(imitate, Args, "av_envs.agents.separation.imitate", __doc__, argv, FILE)


if __name__ == "__main__":
    sys.exit(main())
