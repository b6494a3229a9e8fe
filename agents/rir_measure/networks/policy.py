"""The policy of a team: an encoder, a memory and an actor for every robot, and a critic.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, section 3.3. Robots
act on what they observe themselves; only the critic, which is not needed to act, knows all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from av_envs.agents.ppo.policy import GRUCore, PolicyOutput, orthogonal
from av_envs.agents.rir_measure.networks.encoders import Encoder, SenseConfig
from av_envs.options import check_choice, check_whole
from av_envs.rir_measure.actions import Action
from av_envs.rir_measure.config import MAX_ROBOTS

WEIGHTS = ("separate", "shared")
CRITICS = ("central", "separate", "shared")
POSITION_SIZE = 32
ACTOR_GAIN = 0.01  # every move is as likely as the others at first
LARGEST_STATE = 4096


@dataclass(frozen=True)
class PolicyConfig:
    """Of a `TeamPolicy`; the defaults are the paper's."""

    robots: int = 2
    state_size: int = 512  # of the memory of each robot
    weights: str = "separate"  # networks for each robot, or "shared" by all
    critic: str = "central"  # knows all robots' memories; "separate" or "shared": one's own only

    def __post_init__(self):
        check_choice("weights", self.weights, WEIGHTS)
        check_choice("critic", self.critic, CRITICS)
        check_whole("robots", self.robots, 1, MAX_ROBOTS)
        check_whole("state_size", self.state_size, 1, LARGEST_STATE)


class RobotNetwork(nn.Module):
    """One robot: what it observes to its memory, and its memory to logits of its moves."""

    def __init__(self, senses: SenseConfig, state_size: int):
        super().__init__()
        self.encoder = Encoder(senses, 1, POSITION_SIZE)
        self.memory = GRUCore(self.encoder.size, state_size)
        self.actor = orthogonal(nn.Linear(state_size, len(Action)), ACTOR_GAIN)

    def forward(
        self, features: Mapping[str, Tensor], state: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Memories (T, N, S), logits (T, N, 4) and the last memory; features (T, N, ...)."""
        rows = {key: value.flatten(0, 1)[:, None] for key, value in features.items()}
        sensed = self.encoder(rows).unflatten(0, starts.shape)
        hidden, state = self.memory(sensed, state, starts)
        return hidden, self.actor(hidden), state


class TeamPolicy(nn.Module):
    """A `Policy` of `agents.ppo` for teams of R robots.

    Features are those of `encoders.Encoder` with the axis R in the place of `views`, after (T, N),
    and `action_mask` (4,), 1 for what a robot may do. The state is (N, R * state_size).
    """

    def __init__(self, config: PolicyConfig, senses: SenseConfig):
        super().__init__()
        self.config = config
        robots, size = config.robots, config.state_size
        self.networks = nn.ModuleList(
            RobotNetwork(senses, size) for _ in range(robots if config.weights == "separate" else 1)
        )
        if config.critic == "central":
            critics = [nn.Linear(robots * size, robots)]
        else:
            critics = [nn.Linear(size, 1) for _ in range(robots)]
        if config.critic == "shared":
            critics = critics[:1]
        self.critics = nn.ModuleList(orthogonal(critic, 1.0) for critic in critics)

    def initial_state(self, n: int) -> Tensor:
        """(n, R * state_size) zeros."""
        return self.critics[0].weight.new_zeros(n, self.config.robots * self.config.state_size)

    def forward(
        self, features: Mapping[str, Tensor], state: Tensor, starts: Tensor
    ) -> PolicyOutput:
        """Logits (T, N, R, 4) and values (T, N, R), see `agents.ppo.policy.Policy`."""
        mask = features["action_mask"]
        states = state.unflatten(-1, (self.config.robots, -1))
        said = []
        for robot in range(self.config.robots):
            own = {key: features[key][:, :, robot] for key in features if key != "action_mask"}
            network = self.networks[robot % len(self.networks)]
            said.append(network(own, states[:, robot], starts))
        hidden, logits, after = (torch.stack(each, dim=-2) for each in zip(*said, strict=True))
        logits = logits.masked_fill(mask == 0, -torch.inf)
        return PolicyOutput(logits, self._values(hidden), after.flatten(1))

    def _values(self, hidden: Tensor) -> Tensor:
        """(T, N, R) of memories (T, N, R, S)."""
        if self.config.critic == "central":
            return self.critics[0](hidden.flatten(-2))
        each = [
            self.critics[robot % len(self.critics)](hidden[..., robot, :])
            for robot in range(self.config.robots)
        ]
        return torch.cat(each, dim=-1)
