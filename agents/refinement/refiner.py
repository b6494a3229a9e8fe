"""A refiner: what flows, the network that says whereto, and its file.

refiner = Refined("pseudo_real_regression")
better = refiner.refine(response, pose)  # (2, 16000)
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from av_envs.acoustics.refined import EARS, POSE_FIELDS
from av_envs.agents.refinement import levels
from av_envs.agents.refinement.flow import check_solver, follow
from av_envs.agents.refinement.metrics import HEARD_DB
from av_envs.agents.refinement.network import SIZES, FlowConfig, FlowNetwork
from av_envs.agents.separation.checkpoints import Header, network_header, save_network
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line
from av_envs.conventions import SAMPLE_RATE
from av_envs.options import check_choice

AGENT = "refiner"
WEIGHTS = Path(__file__).parent.parent / "weights"
SHIPPED = {  # name: file; what they refine
    "few_rays": WEIGHTS / "few_rays.safetensors",  # T2 to T3
    "few_rays_regression": WEIGHTS / "few_rays_regression.safetensors",  # likewise
    "pseudo_real": WEIGHTS / "pseudo_real.safetensors",  # T3 to T4
    "pseudo_real_regression": WEIGHTS / "pseudo_real_regression.safetensors",  # likewise
}
REPRESENTATIONS = ("levels", "waveform")
POSES = {"none": 0, "relative": 6, "full": len(POSE_FIELDS)}  # the first of POSE_FIELDS
LEVEL_CYCLE = 6  # dilations up to 32 frames: the field of 20 blocks is wider than a response
SOLVER, STEPS = "euler", 4  # of the paper


@dataclass(frozen=True)
class RefinerConfig:
    """What a refiner is built from.

    representation  what flows: levels, by ear, band and frame of 10 ms, or the waveform
    network         its size and conditions
    pose            key of POSES
    is_told_start   whether the network is told all along where the flow began
    is_told_dry     whether it is told what the source plays; of waveforms
    samples         of a waveform that are refined, from the first on; 0: all
    rate            Hz
    """

    representation: str
    network: FlowConfig
    pose: str = "relative"
    is_told_start: bool = False
    is_told_dry: bool = False
    samples: int = 0
    rate: int = SAMPLE_RATE

    def __post_init__(self):
        check_choice("representation", self.representation, REPRESENTATIONS)
        check_choice("pose", self.pose, POSES)
        if self.is_told_dry and self.representation != "waveform":
            raise ValueError("only a refiner of waveforms can be told what the source plays")


def refiner_config(
    representation: str,
    size: str,
    pose: str = "relative",
    is_told_start: bool = False,
    is_told_dry: bool = False,
    samples: int = 0,
    view: int = 0,
) -> RefinerConfig:
    """The config of a size, key of `network.SIZES`."""
    check_choice("representation", representation, REPRESENTATIONS)
    check_choice("size", size, SIZES)
    check_choice("pose", pose, POSES)
    of_levels = representation == "levels"
    signals = levels.CHANNELS if of_levels else EARS
    network = FlowConfig(
        signals=signals,
        cycle=LEVEL_CYCLE if of_levels else FlowConfig.cycle,
        conditions=signals * is_told_start + is_told_dry,
        pose=POSES[pose],
        view=view,
        **SIZES[size],
    )
    return RefinerConfig(representation, network, pose, is_told_start, is_told_dry, samples)


class Start(NamedTuple):
    """Where a flow starts.

    at      (signals, n) float32
    scale   energy that is 0 dB, or amplitude that is 1
    bands   (2, 7, m) of a response that is refined by its levels
    """

    at: np.ndarray
    scale: float
    bands: np.ndarray | None


class FlowRefiner(nn.Module):
    """Moves signals along a learned flow."""

    def __init__(self, config: RefinerConfig, solver: str = SOLVER, steps: int = STEPS):
        super().__init__()
        check_solver(solver, steps)
        self.config, self.solver, self.steps = config, solver, steps
        self.sample_rate, self.channels = config.rate, EARS
        self.network = FlowNetwork(config.network)

    def start(self, signal: np.ndarray) -> Start:
        """Where the flow of a signal (2, n), which is not silent, starts."""
        if self.config.representation == "levels":
            bands, scale = levels.band_signals(signal), float(levels.energy(signal))
            return Start(levels.as_flow(levels.band_energies(bands), scale), scale, bands)
        part = signal[:, : self.config.samples or None]
        loud = part if part.any() else signal  # its sound may come later
        scale = float(np.sqrt(np.mean(np.square(loud, dtype=np.float64))))
        return Start((part / scale).astype(np.float32), scale, None)

    def end(self, signal: np.ndarray, scale: float) -> np.ndarray:
        """Where the flow should end, (signals, n): at the truth, in the scale of the start."""
        if self.config.representation == "levels":
            return levels.as_flow(levels.band_energies(levels.band_signals(signal)), scale)
        return (signal[:, : self.config.samples or None] / scale).astype(np.float32)

    def signal_at(self, signal: np.ndarray, start: Start, after: np.ndarray) -> np.ndarray:
        """(2, n) float32: the signal, moved from `start` to `after` (signals, n)."""
        if start.bands is not None:
            return levels.with_levels(signal, start.bands, start.at, after)
        moved = signal.copy()
        moved[:, : after.shape[1]] += np.float32(start.scale) * (after - start.at)
        return moved

    def velocity(
        self,
        at: Tensor,
        time: Tensor,
        start: Tensor,
        pose: Tensor,
        dry: Tensor | None = None,
        view: Tensor | None = None,
    ) -> Tensor:
        """(B, signals, n): where the flow goes at a place and time.

        at, start  (B, signals, n)
        time       (B,)
        pose       (B, 12), of which the first are used
        dry        (B, n)
        view       (B, features)
        """
        told = [start] if self.config.is_told_start else []
        if self.config.is_told_dry:
            if dry is None:
                raise ValueError("this refiner is told what the source plays, got nothing")
            told.append(dry[:, None])
        used = pose[:, : POSES[self.config.pose]] if self.config.pose != "none" else None
        conditions = torch.cat(told, dim=1) if told else None
        return self.network(at, time, conditions, used, view)

    def moved(
        self,
        start: Tensor,
        pose: Tensor,
        dry: Tensor | None = None,
        view: Tensor | None = None,
        solver: str | None = None,
        steps: int | None = None,
    ) -> Tensor:
        """(B, signals, n): where the flow from `start` ends; see `velocity`."""

        def velocity(at: Tensor, time: Tensor) -> Tensor:
            return self.velocity(at, time, start, pose, dry, view)

        return follow(velocity, start, solver or self.solver, steps or self.steps)

    def error(self, found: Tensor, truth: Tensor) -> Tensor:
        """(B,) mean error of where flows end, (B, signals, n).

        Of levels in dB, those of the truth at most 60 dB below its loudest; or RMS of a waveform.
        """
        if self.config.representation == "waveform":
            return (found - truth).square().mean(dim=(1, 2)).sqrt()
        floor = truth.amax(dim=(1, 2), keepdim=True) - HEARD_DB / levels.UNIT_DB
        judged = truth > floor
        apart = (found.maximum(floor) - truth).abs() * judged
        return apart.sum(dim=(1, 2)) / judged.sum(dim=(1, 2)) * levels.UNIT_DB

    def refine(
        self,
        signal: np.ndarray,
        pose: np.ndarray | None = None,
        dry: np.ndarray | None = None,
        view: np.ndarray | None = None,
    ) -> np.ndarray:
        """(2, n) float32, as loud in proportion as the signal; silence stays silence.

        signal  (2, n) float32
        pose    (12,), see `av_envs.acoustics.refined.pose_of`
        dry     (n,) what the source plays; None: an impulse
        view    (features,) of what the listener sees, of networks that are told
        """
        signal = _checked(signal)
        if not signal.any():
            return signal.copy()
        told = self._told_pose(pose)
        start = self.start(signal)
        played = told_dry(dry, start.at.shape[1]) if self.config.is_told_dry else None
        seen = None if view is None else torch.from_numpy(np.float32(view))[None]
        with torch.inference_mode():
            at = torch.from_numpy(start.at)[None]
            after = self.moved(at, told, played, seen)[0].numpy()
        return self.signal_at(signal, start, after)

    def _told_pose(self, pose: np.ndarray | None) -> Tensor:
        told = np.full(len(POSE_FIELDS), np.nan, np.float32) if pose is None else np.float32(pose)
        used = POSES[self.config.pose]
        if not np.isfinite(told[:used]).all():
            raise ValueError("this refiner is told poses: give RefinedAcoustics the scene")
        return torch.from_numpy(told)[None]


def told_dry(dry: np.ndarray | None, n: int) -> Tensor:
    """(1, n) what a network is told of a dry sound (n,): it in loudness 1, or an impulse."""
    if dry is None:
        return nn.functional.one_hot(torch.tensor([0]), n).float()
    played = np.float32(dry)[:n]
    loudness = np.sqrt(np.mean(np.square(played, dtype=np.float64))) or 1.0
    return torch.from_numpy((played / loudness).astype(np.float32))[None]


class Refined(FlowRefiner):
    """A trained refiner, for `backend="refined"`.

    checkpoint  name of one that ships, or path of a file; None: the identity
    solver      key of SOLVERS
    steps       of the solver; None: STEPS, or 1 for what was trained by regression, which knows
                nothing but the beginning of a flow and is refused with other ones
    """

    def __init__(
        self, checkpoint: str | Path | None = None, solver: str = SOLVER, steps: int | None = None
    ):
        if checkpoint is None:
            steps = STEPS if steps is None else steps
            super().__init__(refiner_config("levels", "tiny", pose="none"), solver, steps)
            self.header: Header | None = None
        else:
            path = SHIPPED.get(str(checkpoint), Path(checkpoint))
            config, self.header = _config_in(path)
            super().__init__(config, solver, _steps_of(path, self.header, solver, steps))
            load_weights(self, path, "refiner")
        self.eval()


def is_regression(header: Header | None) -> bool:
    """Whether a file says that its refiner was trained so."""
    return bool(header) and header.made.get("options", {}).get("objective") == "regression"


def _steps_of(path: Path, header: Header, solver: str, steps: int | None) -> int:
    """See `Refined`; ValueError for those that a refiner cannot take."""
    if not is_regression(header):
        return STEPS if steps is None else steps
    if (solver, steps) not in (("euler", None), ("euler", 1)):
        raise ValueError(
            f"{path}: was trained by regression, which is one step of euler; got steps={steps} of "
            f"{solver}"
        )
    return 1


def save_refiner(refiner: FlowRefiner, path: str | Path, made: dict[str, Any]) -> None:
    """Write a refiner; `made` tells how it was trained."""
    save_network(refiner, path, Header(AGENT, asdict(refiner.config), (), made))


def _config_in(path: Path) -> tuple[RefinerConfig, Header]:
    """ValueError with the file's name if it holds another thing or is damaged."""
    header = network_header(path, AGENT)
    try:
        kept = dict(header.config)
        return RefinerConfig(**{**kept, "network": FlowConfig(**kept["network"])}), header
    except MALFORMED as error:
        raise ValueError(f"{path}: does not describe a refiner: {one_line(error)}") from error


def _checked(signal: np.ndarray) -> np.ndarray:
    signal = np.asarray(signal, np.float32)
    if signal.ndim != 2 or len(signal) != EARS:
        raise ValueError(f"a signal to refine must be (2, n), got {signal.shape}")
    if not np.isfinite(signal).all():
        raise ValueError("a signal to refine has samples that are not finite")
    return signal
