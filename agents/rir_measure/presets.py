"""What a team is paid for: the presets of the paper, and its ablation of the reward.

Yu, Chen, Cao, Yang and Sun, "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023:
tables 1, 6 and 10. Their Occupancy and Curiosity are the same network with less of the reward.
"""

from dataclasses import asdict, dataclass
from typing import Any

SIZES = ("small", "paper")
ENVIRONMENTS = {"flats": "AVRIRMeasure-v0", "houses": "AVRIRMeasureHouse-v0"}
NO_SHARING = -1.0  # as rho: every robot gets the whole reward


@dataclass(frozen=True)
class Preset:
    """Weights of the four components of the reward, and how robots share it.

    xi, zeta, psi, phi  of accuracy, coverage, perimeter and area of the hull
    rho                 part of the reward that a network shares out; the rest is split evenly,
                        -1: nothing is shared out, every robot gets all
    """

    xi: float = 1.0
    zeta: float = 0.0
    psi: float = 0.0
    phi: float = 0.0
    rho: float = NO_SHARING

    @property
    def env_options(self) -> dict[str, Any]:
        """Options of the environment that say the same."""
        return {f"alpha_{name}": value for name, value in asdict(self).items() if name != "rho"}


TABLE_6 = {  # by the terms beside accuracy, in the order of the rows
    "zeta": Preset(zeta=1.0),
    "psi": Preset(psi=-1.0),
    "phi": Preset(phi=1.0),
    "zeta_psi": Preset(zeta=1.0, psi=-1.0),
    "zeta_phi": Preset(zeta=1.0, phi=1.0),
    "psi_phi": Preset(psi=-1.0, phi=1.0),
    "zeta_psi_phi": Preset(zeta=1.0, psi=-1.0, phi=1.0),
}
PRESETS = {
    "macma": TABLE_6["zeta_psi_phi"],
    "macmara": Preset(zeta=1.0, psi=-1.0, phi=1.0, rho=0.4),
    "occupancy": TABLE_6["phi"],
    "curiosity": TABLE_6["zeta"],
    **TABLE_6,
}
