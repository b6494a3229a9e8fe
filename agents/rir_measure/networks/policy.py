"""The policy of a team: an encoder, a memory and an actor for every robot, and a critic.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, section 3.3. Robots
act on what they observe themselves; only the critic, which is not needed to act, knows all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from av_envs.agents.ego_map import SIDE
from av_envs.agents.ppo.policy import GRUCore, PolicyOutput, orthogonal
from av_envs.agents.rir_measure.networks.encoders import Encoder, SenseConfig
from av_envs.agents.rir_measure.senses import FOOTPRINTS, MASK
from av_envs.options import check_choice, check_whole
from av_envs.rir_measure.actions import Action
from av_envs.rir_measure.config import MAX_ROBOTS

WEIGHTS = ("separate", "shared")
CRITICS = ("central", "separate", "shared")
POSITION_SIZE = 32
MAP_SIZE = 64  # of the vector of a map
MAP_LAYERS = ((3, 16), (16, 32))  # channels in and out, 3 pixels and a stride of 2 each
ACTOR_GAIN = 0.01  # every move is as likely as the others at first
LARGEST_STATE = 4096


@dataclass(frozen=True)
class PolicyConfig:
    """Of a `TeamPolicy`; the defaults are the paper's."""

    robots: int = 2
    state_size: int = 512  # of the memory of each robot
    weights: str = "separate"  # networks for each robot, or "shared" by all
    map: bool = False  # where the team has been is drawn on a map that robots see
    critic: str = "central"  # knows all robots' memories; "separate" or "shared": one's own only

    def __post_init__(self):
        check_choice("weights", self.weights, WEIGHTS)
        check_choice("critic", self.critic, CRITICS)
        check_whole("robots", self.robots, 1, MAX_ROBOTS)
        check_whole("state_size", self.state_size, 1, LARGEST_STATE)


def _map_encoder() -> nn.Sequential:
    """(B, 3, 21, 21) to (B, MAP_SIZE)."""
    layers: list[nn.Module] = []
    side = SIDE
    for inputs, outputs in MAP_LAYERS:
        layers += [nn.Conv2d(inputs, outputs, 3, 2), nn.ReLU()]
        side = (side - 3) // 2 + 1
    dense = nn.Linear(MAP_LAYERS[-1][1] * side**2, MAP_SIZE)
    return nn.Sequential(*layers, nn.Flatten(), dense, nn.ReLU())


class RobotNetwork(nn.Module):
    """One robot: what it observes to its memory, and its memory to logits of its moves."""

    def __init__(self, senses: SenseConfig, config: PolicyConfig):
        super().__init__()
        state_size = config.state_size
        self.encoder = Encoder(senses, 1, POSITION_SIZE)
        self.map = _map_encoder() if config.map else None
        seen = self.encoder.size + (MAP_SIZE if config.map else 0)
        self.memory = GRUCore(seen, state_size)
        self.actor = orthogonal(nn.Linear(state_size, len(Action)), ACTOR_GAIN)

    def forward(
        self, features: Mapping[str, Tensor], state: Tensor, starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Memories (T, N, S), logits (T, N, 4) and the last memory; features (T, N, ...)."""
        rows = {key: value.flatten(0, 1)[:, None] for key, value in features.items()}
        sensed = self.encoder(rows)
        if self.map is not None:
            shown = features[FOOTPRINTS].flatten(0, 1).float()
            sensed = torch.cat([sensed, self.map(shown)], dim=-1)
        hidden, state = self.memory(sensed.unflatten(0, starts.shape), state, starts)
        return hidden, self.actor(hidden), state


class TeamPolicy(nn.Module):
    """A `Policy` of `agents.ppo` for teams of R robots.

    Features are those of `encoders.Encoder` with the axis R in the place of `views`, after (T, N),
    `action_mask` (4,), 1 for what a robot may do, and with a map its `footprints`, see `maps.Maps`.
    The state is (N, R * state_size).
    """

    def __init__(self, config: PolicyConfig, senses: SenseConfig):
        super().__init__()
        self.config = config
        robots, size = config.robots, config.state_size
        self.networks = nn.ModuleList(
            RobotNetwork(senses, config)
            for _ in range(robots if config.weights == "separate" else 1)
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
        mask = features[MASK]
        states = state.unflatten(-1, (self.config.robots, -1))
        said = []
        for robot in range(self.config.robots):
            own = {key: features[key][:, :, robot] for key in features if key != MASK}
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
