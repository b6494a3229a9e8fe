"""Teach a policy by imitation."""

import json
import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.options.imitate import Args, main
from av_envs.agents.runs import LAST, begin, kept_options
from av_envs.agents.separation.agent import (
    SEPARATOR,
    AgentNetworks,
    agent_config,
    chosen_features,
    frozen,
    load_separator,
    locator_for,
    save_agent,
)
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.expert import taught
from av_envs.agents.separation.mirror import mirrored
from av_envs.agents.separation.senses import Senses
from av_envs.agents.separation.trials import Trials
from av_envs.agents.separation.walking import (
    LABELS,
    Walking,
    Walks,
    batches,
    count,
    hash_of,
    walks_in,
)
from av_envs.agents.states import load_state, save_state
from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.separation.audio import corpus_of

KIND = "memoryless"
SHARE_OF_EXPERT = 0.5  # of the moves of the first round, in which the policy knows nothing
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "threads")


class Run:
    """One run: a policy, its optimiser, and the files that it keeps."""

    def __init__(self, args: Args):
        torch.manual_seed(args.seed)
        separator, header = load_separator(args.separator)
        self.args, self.classes = args, header.classes
        check_classes(args.separator or SEPARATOR, header, corpus_of(args.sounds).classes)
        features = chosen_features(args.size, args.features)
        locator = locator_for(features, args.locator, self.classes)
        config = agent_config(KIND, args.size, separator, locator=locator, features=features)
        self.networks = AgentNetworks(config)
        policy = self.networks.policy
        self.optimiser = torch.optim.AdamW(
            policy.parameters(), args.learning_rate, weight_decay=args.weight_decay
        )
        senses = Senses(frozen(separator), policy.config, locator=locator, separates=False)
        self.walking = Walking(self.networks, senses, args.num_envs, args.houses, args.env_options)
        trial_options = args.env_options | {"estimator": "agent"}
        self.trials = Trials(
            self.networks, separator, args.val_episodes, args.val_houses, trial_options,
            locator=locator,
        )  # fmt: skip
        self.rounds = [
            self._fitting(path, load_state(path))
            for folder in args.walks or []
            for path in walks_in(folder)
        ]
        self.given = sum(map(count, self.rounds))  # walks
        self.done = 0  # rounds
        self.learned = 0  # walks, again and again
        self.rows: list[dict[str, float]] = []

    @property
    def path(self) -> Path:
        """The file from which the run goes on."""
        return self.args.out / LAST

    @property
    def of_a_round(self) -> int:
        """Walks of each round: whole turns of all environments."""
        return -(-self.args.episodes // self.args.num_envs) * self.args.num_envs

    def collect(self) -> None:
        """Add the walks of the next round, and keep them."""
        share = 0.0 if self.done else SHARE_OF_EXPERT
        walks = self.walking.walks(self.args.episodes, (self.args.seed, self.done), share)
        save_state(self._path_of_walks(self.done), walks)
        self.rounds.append(walks)

    def learn(self) -> float:
        """Some epochs over all walks; the mean loss. FloatingPointError if it is not finite."""
        args, policy = self.args, self.networks.policy
        torch.manual_seed(hash_of(args.seed, self.done, 1))
        total, steps, policy.dropout = 0.0, 0, args.dropout
        for _ in range(args.epochs):
            for batch in batches(self.rounds, args.batch_size):
                for group in self.optimiser.param_groups:
                    group["lr"] = self.rate()
                self.learned += count(batch)
                batch = mirrored(batch, torch.rand(count(batch)) < 0.5)
                state = policy.initial_state(count(batch))
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
                total, steps = total + loss.item(), steps + 1
        policy.dropout = 0.0
        return total / steps

    def rate(self) -> float:
        """Learning rate of the next batch."""
        args = self.args
        in_all = [self.given + (k + 1) * self.of_a_round for k in range(args.rounds)]
        share = self.learned / (args.epochs * sum(in_all))
        return args.learning_rate * 0.5 * (1 + math.cos(math.pi * share))

    def validate(self, loss: float) -> dict[str, float]:
        """A row of the curve; the best agent so far is kept."""
        steps = self.args.episode * sum(map(count, self.rounds))
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
            "learned": self.learned,
        }
        save_state(self.path, state)

    def load(self) -> None:
        """Go on from `last.pt`; ValueError with its name if it is damaged or of another run."""
        state = load_state(self.path)
        try:
            self.networks.policy.load_state_dict(state["policy"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.done, self.learned = int(state["done"]), int(state["learned"])
        except MALFORMED as error:
            told = one_line(error)
            raise ValueError(f"{self.path}: is no checkpoint of this run: {told}") from error
        self.rounds += [load_state(self._path_of_walks(number)) for number in range(self.done)]

    def _path_of_walks(self, number: int) -> Path:
        return self.args.out / f"walks_{number:03}.pt"

    def _fitting(self, path: Path, walks: Walks) -> Walks:
        """What of the walks in a file is used; ValueError if something is not there."""
        wanted = (*self.networks.config.policy.features, *LABELS)
        missing = [name for name in wanted if name not in walks]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}, it has {', '.join(walks)}")
        return {name: walks[name] for name in wanted}


def imitate(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    torch.set_num_threads(args.threads or torch.get_num_threads())
    run = Run(args)
    begin(run, args, OF_THE_RUN, LAST)
    with SummaryWriter(str(args.out), purge_step=run.done + 1) as board:
        while run.done < args.rounds:
            run.collect()
            loss = run.learn()
            run.done += 1
            board.add_scalar("loss", loss, run.done)
            if run.done % args.val_every == 0 or run.done == args.rounds:
                row = run.validate(loss)
                for name, value in row.items():
                    board.add_scalar(f"val/{name}", value, run.done)
                print(", ".join(f"{name} {value:.2f}" for name, value in row.items()), flush=True)
            run.save()


if __name__ == "__main__":
    sys.exit(main())
