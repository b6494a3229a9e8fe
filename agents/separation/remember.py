"""Train a memory alone: `python -m av_envs.agents.separation.remember --agent active --out DIR`.

A policy that is finished walks through training houses once; what the passive separator made of
every second, and what it should have made, is kept, and a memory learns from it as often as it
pays. With the alternating training of the paper (`train --policy`) a memory sees every second a
few times only, while the policy changes; here it is all the same policy, so that agents that
differ in nothing but their memory can be compared.

DIR gets `config.json`, `heard_*.pt`, `curve.csv` (a row per validation: other walks, in unseen
houses with unheard clips), scalars for tensorboard, `last.pt` and `best.safetensors`, which the
entries of `av_envs.agents.separation` play. If the policy is the one that ships, the file holds
the memory alone. To walk takes longer than to learn: --walks takes the walks of another run, with
another memory. An interrupted run goes on with the same command and --resume, and ends with the
same bits as if it had not been interrupted.
"""

import json
import sys
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from av_envs.agents.fitting import LAST, Fitting, fit
from av_envs.agents.options.task import AgentOptions, TaskOptions
from av_envs.agents.runs import begin, kept_options, option, run_command
from av_envs.agents.separation.agent import (
    KINDS,
    MEMORYLESS,
    SEPARATOR,
    begun_with,
    digest,
    frozen,
    load_separator,
    save_agent,
)
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.memory_training import loss_of
from av_envs.agents.separation.networks.memory import DISTANCES, TransformerMemory, log_nmse
from av_envs.agents.separation.senses import Senses
from av_envs.agents.separation.walking import HEARD, Walking, hash_of
from av_envs.agents.states import load_state, save_state
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.separation.audio import corpus_of

REMEMBER = tuple(name for name, kind in KINDS.items() if kind.memory)
SPLITS = ("train", "val")
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class Args(AgentOptions):
    """A run: every field is an option of the command line."""

    agent: str = option("active", choices=REMEMBER)
    policy: Path = field(
        default=MEMORYLESS,
        metadata={"help": "file of a memoryless agent, which walks", "type": path_argument},
    )
    walks: Path | None = field(
        default=None,
        metadata={"help": "run of the same policy, whose walks are taken", "type": path_argument},
    )
    look_back: int | None = option(None, "E; default: the agent's", type=non_negative_int)
    memory_loss: str = option("log_nmse", "the paper's is l1", choices=DISTANCES)
    episodes: int = option(1024, "that are walked", type=positive_int)
    houses: int = option(48, "of the split train", type=positive_int)
    val_episodes: int = option(128, "of a validation", type=positive_int)
    val_every: int = option(64, "updates between validations", type=positive_int)
    epochs: int = option(8, "times that every walk is learned from", type=positive_int)
    batch_size: int = option(16, "walks", type=positive_int)
    learning_rate: float = option(5e-3, "falls to zero on half a cosine")


class Heard(NamedTuple):
    """What a memory learns from in B walks of T seconds.

    passive  (B, T, 512, 32) magnitudes by the passive separator
    truth    (B, T, 512, 32) of the target's dry seconds
    last     (B,) int, see `memory_training.loss_of`
    """

    passive: Tensor
    truth: Tensor
    last: Tensor


class Run(Fitting):
    """Memories that learn from walks.

    heard  what is heard on walks, in half precision, of SPLITS
    """

    max_norm = 0.5
    warm_up = 20

    def __init__(self, args: Args):
        torch.manual_seed(args.seed)
        separator, header = load_separator(args.separator)
        corpus = corpus_of(args.sounds).classes
        check_classes(args.separator or SEPARATOR, header, corpus)
        self.args, self.classes, self.separator = args, header.classes, separator
        self.networks, self.locator = begun_with(
            args.policy, args.agent, args.size, separator, corpus,
            locator=args.locator, look_back=args.look_back,
        )  # fmt: skip
        memory = self.networks.memory
        optimiser = torch.optim.Adam(memory.parameters(), args.learning_rate, eps=1e-5)
        self.heard: dict[str, dict[str, Tensor]] = {}
        super().__init__(memory, optimiser, args.out, last=1)  # known once it has walked

    @property
    def of_an_epoch(self) -> int:
        """Updates."""
        return -(-self.heard["train"]["truth"].shape[1] // self.args.batch_size)

    def walk(self) -> None:
        """Hear what is to be heard, unless a run that goes on, or another one, has it already."""
        folder = self.args.out
        if self.args.walks is not None:
            folder = self.args.walks
            _check_same_task(folder / "config.json", self.args)
        for number, split in enumerate(SPLITS):
            path = folder / f"heard_{split}.pt"
            if folder == self.args.out and not path.exists():
                save_state(path, self._walked(split, number))
            self.heard[split] = load_state(path)
        self.last = self.args.epochs * self.of_an_epoch

    def _walked(self, split: str, number: int) -> dict[str, Tensor]:
        args, networks = self.args, self.networks
        senses = Senses(frozen(self.separator), networks.config.policy, locator=self.locator)
        houses = args.houses if split == "train" else args.val_houses
        episodes = args.episodes if split == "train" else args.val_episodes
        walking = Walking(
            networks, senses, args.num_envs, houses, args.env_options, split=split, kept=HEARD
        )
        return walking.walks(episodes, (args.seed, number), share=0.0)

    def drawn(self, update: int) -> Heard:
        """The walks of an update: each of them once in an epoch."""
        args, heard = self.args, self.heard["train"]
        epoch, turn = divmod(update, self.of_an_epoch)
        seconds, walks = heard["truth"].shape[:2]
        order = torch.randperm(walks, generator=_draws(args.seed, 2, epoch))
        rows = order[turn * args.batch_size :][: args.batch_size]
        last = torch.randint(seconds, (len(rows),), generator=_draws(args.seed, 3, update))
        return Heard(*(_in_full(heard[name], rows) for name in HEARD), last)

    def loss(self, batch: Heard) -> Tensor:
        """See `memory_training.loss_of`."""
        look_back = self.networks.config.look_back
        return loss_of(self.network, *batch, look_back, self.args.memory_loss)

    @torch.no_grad()
    def scores(self) -> tuple[dict[str, float], float]:
        """How much nearer to the truth the memory brings an estimate, dB of `log_nmse`.

        `gain` is the mean over the seconds in which the target sounds, each refined with what was
        heard until then, `gain_error` its standard error over walks; `alone` the gain if nothing
        is known of the seconds before, `hindsight` that if the whole walk is known, 0 for a memory
        that knows none.
        """
        self.network.eval()
        heard = self.heard["val"]
        gains: dict[str, list[Tensor]] = {"gain": [], "alone": [], "hindsight": []}
        for rows in torch.arange(heard["truth"].shape[1]).split(self.args.batch_size):
            passive, truth = (_in_full(heard[name], rows) for name in HEARD)
            before, sounds = log_nmse(passive, truth), truth.square().mean(dim=(-2, -1)) > 0
            for name, refined in self._refined(passive).items():
                gains[name].append(_mean_where(before - log_nmse(refined, truth), sounds))
        each = {name: 10 * torch.cat(parts) for name, parts in gains.items()}
        row = {"update": float(self.updates)}
        row |= {name: float(gain.mean()) for name, gain in each.items()}
        n = len(each["gain"])
        row["gain_error"] = float(each["gain"].std() / n**0.5) if n > 1 else 0.0
        return row, row["gain"]

    def _refined(self, passive: Tensor) -> dict[str, Tensor]:
        """Walks (B, T, 512, 32) refined second by second, each by itself, and with hindsight."""
        rows, seconds = passive.shape[:2]

        def walked(forgets: bool) -> Tensor:
            made = []
            for t in range(seconds):
                starts = torch.full((rows,), forgets or t == 0)
                made.append(refiner.refine(passive[:, t], torch.full((rows,), t), starts))
            return torch.stack(made, dim=1).clamp(min=0)

        refiner = self.networks.refiner(seconds)
        refined = {"alone": walked(forgets=True), "gain": walked(forgets=False)}
        if isinstance(self.network, TransformerMemory):
            return refined | {"hindsight": refiner.hindsight().clamp(min=0)}
        return refined | {"hindsight": passive}

    def keep(self, row: dict[str, float]) -> None:
        """Write `best.safetensors`."""
        args, networks = self.args, self.networks
        kept = json.loads(kept_options(args, OF_THE_RUN))
        if args.policy == MEMORYLESS:
            kept["policy"] = None  # the one that ships, wherever that is
            moves_as = digest(networks.policy)
            networks.config = replace(networks.config, moves_as=moves_as)
        made = {"command": "av_envs.agents.separation.remember", "options": kept, "val": row}
        save_agent(networks, args.out / "best.safetensors", self.classes, made)


def _mean_where(values: Tensor, counted: Tensor) -> Tensor:
    """(n,) means along the last axis of the rows (B, T) in which something counts."""
    total, count = values.where(counted, 0).sum(dim=-1), counted.sum(dim=-1)
    return (total / count)[count > 0]


def _in_full(values: Tensor, rows: Tensor) -> Tensor:
    """(B, T, 512, 32) of some walks of (T, N, 512, 32)."""
    return values[:, rows].transpose(0, 1).float()


def _draws(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(hash_of(*numbers))


def _check_same_task(path: Path, args: Args) -> None:
    """ValueError unless the run with that `config.json` walked as this one would."""
    kept, asked = json.loads(path.read_text(encoding="utf-8")), json.loads(kept_options(args, ()))
    names = ("policy", "separator", "locator", *(each.name for each in fields(TaskOptions)))
    other = [name for name in names if kept.get(name) != asked[name]]
    if other:
        raise ValueError(f"{path.parent} walked with another {', '.join(other)}")


def remember(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    begin(run, args, OF_THE_RUN, LAST)
    run.walk()
    fit(run, run.drawn, between=args.val_every, saved_every=args.val_every)


def main(argv: list[str] | None = None) -> int:
    return run_command(remember, Args, "av_envs.agents.separation.remember", __doc__, argv, LAST)


if __name__ == "__main__":
    sys.exit(main())
