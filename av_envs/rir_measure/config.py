"""Options of the measuring task with their units and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from av_envs.options import (
    check_choice,
    check_flag,
    check_number,
    check_share,
    check_whole,
    checked_names,
    is_number,
)
from av_envs.paths import path_text, plain_paths
from av_envs.rir_measure.predictors import RIRPredictor
from av_envs.scene.procedural.floorplan import KINDS
from av_envs.scene.procedural.house import GRIDS
from av_envs.scene.procedural.splits import SPLITS
from av_envs.worlds.base import WorldSettings, sorted_options, world_settings
from av_envs.worlds.facing import STARTS_FACING

DIRECTIONS = ("both", "forward")
ROUTES = ("env", "submit", "action", "none")
TIMINGS = ("post_move", "pre_move")
STOP_MODES = ("mask", "latch", "any")
FRAMES = ("scene", "start")
OBSERVATIONS = (
    "rgb",
    "depth",
    "azimuth",
    "position",
    "action_mask",
    "heard_rir",
    "partner_pose",
    "semantic",
)
MAX_ROBOTS = 16
MAX_FIXED = 64


@dataclass(frozen=True)
class MeasureConfig:
    """Options of the measuring environments; all are JSON-safe, but for a predictor object."""

    split: str = "train"  # of the dwellings: train, val or test
    kind: str = "flat"  # of the dwellings: flat or house
    houses: int = 32  # dwellings of the split that episodes draw from
    grid: float = 0.5  # m between nodes
    steps: int = 250  # actions of an episode, one second each
    robots: int = 2
    starts_facing: str = "any"  # or open: no wall just ahead, where the dwelling allows it
    emitters: tuple[int, ...] | None = None  # robots with a loudspeaker; None: all
    receivers: tuple[int, ...] | None = None  # robots with ears; None: all
    fixed_sources: int = 0  # loudspeakers that stand still
    fixed_receivers: int = 0  # dummy heads that stand still
    directions: str = "both"  # or forward: only from a robot to those of higher number
    prediction: str = "env"  # how predictions come in, one of ROUTES
    predictor: str | RIRPredictor = "mean"  # of responses, with prediction="env"
    xi_timing: str | None = None  # post_move or pre_move; None: what the route allows, post first
    alpha_xi: float = 1.0  # weight of the accuracy's progress
    alpha_zeta: float = 1.0  # of the coverage's
    alpha_psi: float = -1.0  # of the hull's perimeter
    alpha_phi: float = 1.0  # of the hull's area
    rho: float = -1.0  # -1: every robot gets the whole reward; 0..1: (1 - rho) / robots of it
    stop_mode: str = "mask"  # what STOP does, one of STOP_MODES
    terminate_on_full_coverage: bool = False
    observations: tuple[str, ...] = ("rgb", "depth", "azimuth", "position", "action_mask")
    position_frame: str = "scene"  # or start: metres forward, left and up of the own start
    queries: int = 0  # pairs whose prediction is scored while the team learns
    room_errors: bool = False  # errors of room-acoustic measures in the info
    expose_rir: bool = False  # responses in the info, for trainers
    wcr_lambda: float = 0.1  # weight of the accuracy in the metric WCR
    render_levels: bool = False  # show in pictures how loud the first emitter is at every node
    hrtf: str = "kemar"  # or the path of a SOFA file
    backend: str = "traced"  # where the dwellings come from, one of av_envs.worlds.base.BACKENDS
    backend_options: Mapping[str, Any] | None = field(default=None, hash=False)  # of its own

    def __post_init__(self):
        for option, valid in (
            ("split", SPLITS),
            ("kind", tuple(KINDS)),
            ("starts_facing", STARTS_FACING),
            ("directions", DIRECTIONS),
            ("prediction", ROUTES),
            ("stop_mode", STOP_MODES),
            ("position_frame", FRAMES),
        ):
            check_choice(option, getattr(self, option), valid)
        for option, low, high in (
            ("houses", 1, 1_000_000),
            ("steps", 1, 100_000),
            ("robots", 1, MAX_ROBOTS),
            ("fixed_sources", 0, MAX_FIXED),
            ("fixed_receivers", 0, MAX_FIXED),
            ("queries", 0, 10_000),
        ):
            check_whole(option, getattr(self, option), low, high)
        for option in ("terminate_on_full_coverage", "room_errors", "expose_rir", "render_levels"):
            check_flag(option, getattr(self, option))
        for option in (one.name for one in fields(self) if one.name.startswith("alpha_")):
            check_number(option, getattr(self, option))
        if not is_number(self.grid) or self.grid not in GRIDS:
            raise ValueError(f"grid must be one of {GRIDS} m, got {self.grid!r}")
        object.__setattr__(self, "hrtf", path_text(self.hrtf, "hrtf", ["kemar"]))
        check_share("wcr_lambda", self.wcr_lambda)
        if not is_number(self.rho) or not (self.rho == -1 or 0 <= self.rho <= 1):
            raise ValueError(f"rho must be -1 or lie in 0..1, got {self.rho!r}")
        for option in ("emitters", "receivers", "observations"):
            given = getattr(self, option)
            if isinstance(given, list):  # as JSON has it
                object.__setattr__(self, option, tuple(given))
        object.__setattr__(self, "backend_options", plain_paths(self.backend_options))
        _ = self.emitting, self.listening, self.observed, self.timing, self.world  # they raise

    @cached_property
    def world(self) -> WorldSettings:
        """Which world the dwellings are of."""
        own = {"grid": self.grid, "hrtf": self.hrtf, "kind": self.kind}
        return world_settings(self.backend, self.backend_options, **own)

    @classmethod
    def from_keywords(cls, **options) -> "MeasureConfig":
        """The defaults with `options` changed; a name that does not exist is an error."""
        return cls(**sorted_options(options, [field.name for field in fields(cls)]))

    @property
    def emitting(self) -> tuple[int, ...]:
        """Robots with a loudspeaker."""
        return self._robots_of("emitters")

    @property
    def listening(self) -> tuple[int, ...]:
        """Robots with ears."""
        return self._robots_of("receivers")

    def _robots_of(self, option: str) -> tuple[int, ...]:
        chosen = getattr(self, option)
        if chosen is None:
            return tuple(range(self.robots))
        if not isinstance(chosen, tuple):
            raise ValueError(f"{option} must be a list of robots' numbers, got {chosen!r}")
        for robot in chosen:
            check_whole(f"{option}: robot", robot, 0, self.robots - 1)
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"{option} must be different robots, got {chosen!r}")
        return tuple(sorted(chosen))

    @property
    def observed(self) -> tuple[str, ...]:
        """Keys of an observation."""
        if not isinstance(self.observations, tuple):
            raise ValueError(f"observations must be a list of keys, got {self.observations!r}")
        checked_names("observations", self.observations, OBSERVATIONS, "keys")
        if self.queries and self.prediction != "env":
            raise ValueError(f"queries need prediction='env', got {self.prediction!r}")
        if "partner_pose" in self.observations and self.robots == 1:
            raise ValueError("observations: a single robot has no partner_pose")
        # samplers take the mask for that of the whole Dict: it goes into the info
        moved = ("action_mask",) if self.prediction == "action" else ()
        kept = tuple(key for key in self.observations if key not in moved)
        if not kept:
            raise ValueError(f"observations: {self.observations} leaves nothing to observe")
        return kept

    @property
    def timing(self) -> str:
        """When predictions are scored: "post_move", or "pre_move" where they are handed in."""
        before = self.prediction in ("submit", "action")
        if self.xi_timing is None:
            return "pre_move" if before else "post_move"
        check_choice("xi_timing", self.xi_timing, TIMINGS)
        if before and self.xi_timing == "post_move":
            raise ValueError(f"prediction={self.prediction!r} needs xi_timing='pre_move'")
        return self.xi_timing
