"""Energy factors of surfaces for rays."""

from typing import NamedTuple

import numpy as np

from av_envs.scene import Scene

# of the rays that meet a wall which lets sound through: at least the first, so that some
# pass, and no less than passes in the loudest band, so that none comes out louder
FEWEST_TRANSMITTED, MOST_TRANSMITTED = 0.04, 0.96


class Surfaces(NamedTuple):
    """Energy factors per material and band.

    normals, material   (T, 3) and (T,) of the scene's triangles
    transmitted_share   (M,) probability to pass the wall; the factors make up for it
    reflected           (M, 7) energy that returns, for the rays that do not pass
    scattering          (M, 7) part of the returning energy that leaves in all directions
    transmitted         (M, 7) energy beyond the wall, for the rays that pass
    face_transmission   (M, 7) energy that passes one of a wall's two faces on a straight line
    """

    normals: np.ndarray
    material: np.ndarray
    transmitted_share: np.ndarray
    reflected: np.ndarray
    scattering: np.ndarray
    transmitted: np.ndarray
    face_transmission: np.ndarray


def reflected_energy(scene: Scene) -> np.ndarray:
    """(M, 7) reflected energy fraction: one minus absorption and transmission."""
    return np.maximum(1 - scene.absorption - scene.transmission, 0)  # 0 may come out below 0


def make_surfaces(scene: Scene) -> Surfaces:
    """Energy factors of the scene's materials."""
    loudest = scene.transmission.max(axis=1)
    through = np.where(loudest > 0, np.clip(loudest, FEWEST_TRANSMITTED, MOST_TRANSMITTED), 0)
    reflected = reflected_energy(scene) / (1 - through)[:, None]
    transmitted = scene.transmission / np.maximum(through, FEWEST_TRANSMITTED)[:, None]
    tables = (through, reflected, scene.scattering, transmitted, np.sqrt(scene.transmission))
    return Surfaces(scene.normals, scene.material, *(t.astype(np.float32) for t in tables))
