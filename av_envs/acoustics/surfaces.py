"""What becomes of a ray at each surface."""

from typing import NamedTuple

import numpy as np

from av_envs.scene import Scene

TRANSMITTED_SHARE = 0.04  # of the rays that meet a wall which lets sound through


class Surfaces(NamedTuple):
    """What a ray does at each material, as energy factors per band.

    diffuse_share  (M,) probability to scatter; its factors make up for it
    diffuse, specular, transmitted  (M, 7) energy factors of the three outcomes
    face_transmission  (M, 7) energy that passes one of a wall's two faces on a straight line
    """

    normals: np.ndarray
    material: np.ndarray
    transmitted_share: np.ndarray
    diffuse_share: np.ndarray
    diffuse: np.ndarray
    specular: np.ndarray
    transmitted: np.ndarray
    face_transmission: np.ndarray


def make_surfaces(scene: Scene) -> Surfaces:
    """Energy factors of the scene's materials."""
    reflected = 1 - scene.absorption
    diffuse_share = scene.scattering.mean(axis=1)
    through = np.where(scene.transmission.any(axis=1), TRANSMITTED_SHARE, 0)
    back = (1 - through)[:, None]
    share = diffuse_share[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        diffuse = np.where(share > 0, reflected * scene.scattering / share / back, 0)
        specular = np.where(share < 1, reflected * (1 - scene.scattering) / (1 - share) / back, 0)
    transmitted = scene.transmission / TRANSMITTED_SHARE
    face = np.sqrt(scene.transmission)
    tables = (through, diffuse_share, diffuse, specular, transmitted, face)
    return Surfaces(scene.normals, scene.material, *(t.astype(np.float32) for t in tables))
