"""The recurrent policy of active separation: senses -> vectors -> GRU -> moves and value.

Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022. The
paper's policy sees the view and hears the separated sound at both ears and the refined monaural
estimate; every other sense is one name in `PolicyConfig.features` away, and so is each ablation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, one_hot, relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.ppo.policy import GRUCore, PolicyOutput
from av_envs.agents.separation.networks.belief import NEVER, SHOWN, Belief
from av_envs.agents.separation.networks.compass import CompassCore
from av_envs.agents.separation.networks.delays import LAGS, ROWS
from av_envs.agents.separation.networks.encoders import (
    COLUMNS,
    PAPER_CHANNELS,
    PARTS,
    BandEncoder,
    SpectrogramEncoder,
    VectorEncoder,
    ViewEncoder,
    bands,
)
from av_envs.agents.separation.networks.shares import ShareEncoder

SOUNDS = {"mixture": 2, "binaural": 2, "mono": 1}  # spectrograms in each
VECTORS = {"delays": (ROWS, LAGS), "walls": (COLUMNS,)}
NUMBERS = ("pose", "collision", "previous_action")
FEATURES = ("rgb", *SOUNDS, *VECTORS, "place", "target", *NUMBERS)
SOUND_INPUTS = ("spectrogram", "bands")
CLASS_SIZE = 16  # numbers that stand for a class
NUMBERS_SIZE = 64
POSE_SIZE = 5  # two distances, cosine and sine of the heading, time
SECONDS = 20.0  # that become 1 in the time of a pose
ACTOR_GAIN = 0.01  # every move is as likely as the others at first


@dataclass(frozen=True)
class PolicyConfig:
    """Size and senses of a `SeparationPolicy`; the defaults are the paper's."""

    features: tuple[str, ...] = ("rgb", "binaural", "mono")  # keys of FEATURES
    n_actions: int = 3  # forward, left, right; a fourth one stays
    n_classes: int = 0  # of sounds, needed with the feature "target"
    sound_input: str = "spectrogram"  # or "bands", see encoders.bands
    shares: bool = False  # True: also what `shares.shares` tells of "mixture" and "binaural"
    view_channels: tuple[int, int, int] = PAPER_CHANNELS
    sound_channels: tuple[int, int, int] = PAPER_CHANNELS  # unused with "bands"
    branch_size: int = 512  # of the vector of each picture and sound
    state_size: int = 512  # of the GRU
    compass: bool = False  # True: it remembers by a `CompassCore`, needs the feature "pose"
    auxiliary: bool = False  # True: also say where the target is, see `SeparationPolicy`

    def __post_init__(self):
        for name in ("features", "view_channels", "sound_channels"):  # lists in JSON
            object.__setattr__(self, name, tuple(getattr(self, name)))
        unknown = [key for key in self.features if key not in FEATURES]
        if unknown or not self.features or len(set(self.features)) < len(self.features):
            raise ValueError(
                f"features must be some of {', '.join(FEATURES)}, each once; got {self.features}"
            )
        if self.sound_input not in SOUND_INPUTS:
            raise ValueError(
                f"sound_input must be one of {', '.join(SOUND_INPUTS)}; got {self.sound_input!r}"
            )
        if self.n_actions < 2:
            raise ValueError(f"n_actions must be at least 2; got {self.n_actions}")
        if "target" in self.features and self.n_classes < 1:
            raise ValueError(f'the feature "target" needs n_classes; got {self.n_classes}')
        if self.shares and not (
            self.sound_input == "bands" and {"mixture", "binaural"} <= set(self.features)
        ):
            raise ValueError(
                'shares need sound_input "bands" and the features "mixture" and "binaural"; '
                f"got {self.sound_input!r} and {self.features}"
            )
        if self.compass and "pose" not in self.features:
            raise ValueError(f'compass needs the feature "pose"; got {self.features}')
        if "place" in self.features and "pose" not in self.features:
            raise ValueError(f'the feature "place" needs "pose"; got {self.features}')


PRESETS = {
    "paper": PolicyConfig(),
    "small": PolicyConfig(
        features=(
            "mixture",
            "binaural",
            "delays",
            "walls",
            "place",
            "pose",
            "collision",
            "previous_action",
        ),
        n_actions=4,
        sound_input="bands",
        shares=True,
        view_channels=(16, 32, 16),
        branch_size=128,
        state_size=256,
        compass=True,
        auxiliary=True,
    ),
}


class SeparationPolicy(nn.Module):
    """Reads the features of T steps of N environments and says what to do in each.

    | feature           | shape after (T, N) | what it is                                         |
    |-------------------|--------------------|----------------------------------------------------|
    | `rgb`             | (128, 128, 3)      | uint8 view                                         |
    | `mixture`         | (2, 512, 32)       | linear magnitude at both ears                      |
    | `binaural`        | (2, 512, 32)       | the same of the separated target                   |
    | `mono`            | (512, 32)          | refined monaural estimate                          |
    | `delays`          | (4, 33)            | the ears' cross-correlations, `delays.delays`      |
    | `walls`           | (16,)              | how near what is ahead is, `encoders.walls`        |
    | `place`           | (43,)              | where it may be, by `locator.TargetLocator.place`  |
    | `target`          | ()                 | int, class of the target                           |
    | `pose`            | (4,)               | metres forward and left of the start, radians,     |
    |                   |                    | seconds                                            |
    | `collision`       | ()                 | whether the move before was blocked                |
    | `previous_action` | ()                 | int, the move before; counts as none at a start    |

    With `sound_input="bands"` sounds may also come as `bands`: (3, 32, 8), `mono` (1, 32, 8).

    With the feature `place` the output's `extra` has "belief", see `Belief`.

    With `auxiliary` the output's `extra` has "bearing" (T, N, 2), cosine and sine of the direction
    of the target against the heading, counter-clockwise, not normalised, and "log_distance"
    (T, N), the logarithm of its distance in metres.

    `dropout` is the share of what is sensed that is set to zero at random, 0 unless a trainer
    changes it: a policy that learns by reward must do again what it did.
    """

    dropout = 0.0

    def __init__(self, config: PolicyConfig = PRESETS["paper"]):
        super().__init__()
        self.config = config
        self.branches = nn.ModuleDict()
        size = 0
        if "rgb" in config.features:
            self.branches["rgb"] = ViewEncoder(config.view_channels, config.branch_size)
            size += config.branch_size
        for key, inputs in SOUNDS.items():
            if key in config.features:
                self.branches[key] = _sound_encoder(inputs, config)
                size += config.branch_size
        if config.shares:
            self.branches["shares"] = ShareEncoder(config.branch_size)
            size += config.branch_size
        for key, shape in VECTORS.items():
            if key in config.features:
                self.branches[key] = VectorEncoder(prod(shape), config.branch_size)
                size += config.branch_size
        self.belief = Belief() if "place" in config.features else None
        if self.belief is not None:
            self.branches["place"] = VectorEncoder(SHOWN * SHOWN, config.branch_size)
            size += config.branch_size
        if "target" in config.features:
            self.branches["target"] = nn.Embedding(config.n_classes, CLASS_SIZE)
            size += CLASS_SIZE
        lengths = {"pose": POSE_SIZE, "collision": 1, "previous_action": config.n_actions}
        n_numbers = sum(lengths[key] for key in NUMBERS if key in config.features)
        if n_numbers:
            self.branches["numbers"] = nn.Linear(n_numbers, NUMBERS_SIZE)
            start_he_normal(self.branches["numbers"])
            size += NUMBERS_SIZE
        self.memory: CompassCore | GRUCore
        if config.compass:
            self.memory = CompassCore(size, config.state_size)
            size = self.memory.output_size
        else:
            self.memory = GRUCore(size, config.state_size)
            size = config.state_size
        self._state_sizes = [self.memory.initial_state(1).shape[1]]
        if self.belief is not None:
            self._state_sizes.append(self.belief.initial_state(1).shape[1])
        self.actor = nn.Linear(size, config.n_actions)
        self.critic = nn.Linear(size, 1)
        self.locator = nn.Linear(size, 3) if config.auxiliary else None
        self._start_heads()

    def _start_heads(self) -> None:
        for head, gain in ((self.actor, ACTOR_GAIN), (self.critic, 1.0), (self.locator, 1.0)):
            if head is not None:
                nn.init.orthogonal_(head.weight, gain)
                nn.init.zeros_(head.bias)

    def initial_state(self, n: int) -> Tensor:
        """(n, S) zeros."""
        states = [self.memory.initial_state(n)]
        if self.belief is not None:
            states.append(self.belief.initial_state(n))
        return torch.cat(states, dim=1)

    def forward(
        self, features: Mapping[str, Tensor], state: Tensor, starts: Tensor
    ) -> PolicyOutput:
        """What to do in each step.

        features  (T, N, ...) by key, see above; keys that the config does not name are ignored
        state     (N, S) after the step before the first
        starts    (T, N) bool, True where an episode begins: its state before is forgotten

        Raises ValueError if a feature is missing.
        """
        missing = [key for key in self.config.features if key not in features]
        if missing:
            raise ValueError(f"the policy lacks the features {missing}; got {sorted(features)}")
        rows = {key: features[key].flatten(0, 1) for key in self.config.features}
        extra = {}
        if self.belief is not None:
            state, believed = state.split(self._state_sizes, dim=1)
            place, pose = features["place"].float(), features["pose"].float()
            extra["belief"], believed = self.belief(place, pose, believed, starts)
            rows["place"] = extra["belief"].flatten(0, 1).clamp(min=NEVER / 3) / 10
        sensed = self._sensed(rows, starts.flatten()).unflatten(0, starts.shape)
        if isinstance(self.memory, CompassCore):
            hidden, state = self.memory(sensed, features["pose"][..., 2].float(), state, starts)
        else:
            hidden, state = self.memory(sensed, state, starts)
        if self.belief is not None:
            state = torch.cat([state, believed], dim=1)
        if self.locator is not None:
            where = self.locator(hidden)
            extra |= {"bearing": where[..., :2], "log_distance": where[..., 2]}
        return PolicyOutput(self.actor(hidden), self.critic(hidden).squeeze(-1), state, extra)

    def _sensed(self, rows: Mapping[str, Tensor], starts: Tensor) -> Tensor:
        """(B, size), the vectors of all branches side by side."""
        vectors = []
        for key, branch in self.branches.items():
            if key == "shares":
                vectors.append(branch(*(_as_bands(rows[name]) for name in ("mixture", "binaural"))))
            elif key == "numbers":
                vectors.append(relu(branch(self._numbers(rows, starts))))
            elif key == "mono" and rows[key].ndim == 3:
                vectors.append(branch(rows[key][:, None]))
            else:
                vectors.append(branch(rows[key].long() if key == "target" else rows[key]))
        sensed = torch.cat(vectors, dim=-1)
        return dropout(sensed, self.dropout) if self.dropout else sensed

    def _numbers(self, rows: Mapping[str, Tensor], starts: Tensor) -> Tensor:
        parts = []
        if "pose" in rows:
            metres, heading, seconds = rows["pose"].float().split((2, 1, 1), dim=-1)
            near = metres.sign() * metres.abs().log1p()  # far ones stay near those in 0..1
            parts += [near, heading.cos(), heading.sin(), seconds / SECONDS]
        if "collision" in rows:
            parts.append(rows["collision"].float()[:, None])
        if "previous_action" in rows:
            before = rows["previous_action"].long().masked_fill(starts, 0)
            taken = one_hot(before, self.config.n_actions).float()
            parts.append(taken.masked_fill(starts[:, None], 0.0))
        return torch.cat(parts, dim=-1)


def locating_loss(extra: Mapping[str, Tensor], offset: Tensor) -> Tensor:
    """How wrong the auxiliary head is about the target's place, a mean over T and N.

    extra   of a `PolicyOutput` with `auxiliary`
    offset  (T, N, 2) metres from the agent to the target, along its heading and to its left

    Squared errors of cosine and sine and of the log distance. Where the agent stands on the
    target (nearer than 1 cm) there is no direction to be wrong about, and nothing is counted.
    """
    distance = offset.norm(dim=-1)
    counted = distance >= 0.01
    safe = distance.clamp(min=0.01)
    bearing = (extra["bearing"] - offset / safe[..., None]).square().sum(dim=-1)
    far = (extra["log_distance"] - safe.log()).square()
    return ((bearing + far) * counted).sum() / counted.sum().clamp(min=1)


def _as_bands(sound: Tensor) -> Tensor:
    return sound if sound.shape[-1] == PARTS else bands(sound)


def _sound_encoder(inputs: int, config: PolicyConfig) -> nn.Module:
    if config.sound_input == "bands":
        return BandEncoder(inputs, config.branch_size)
    return SpectrogramEncoder(inputs, config.sound_channels, config.branch_size)
