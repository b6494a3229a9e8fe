"""Meshes that tests stand in."""

from pathlib import Path

import numpy as np
import pytest

_FACES = np.array(  # corners of a unit box, wound to be seen from outside
    [
        [(1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)],
        [(1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)],
        [(0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)],
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
        [(0, 1, 0), (1, 1, 0), (1, 0, 0), (0, 0, 0)],
    ],
    float,
)


def box_triangles(low, high) -> np.ndarray:
    """(12,3,3) triangles of a box; rooms are boxes seen from inside, `[:, ::-1]`."""
    quads = np.asarray(low, float) + _FACES * (np.asarray(high, float) - low)
    return quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3)


@pytest.fixture
def box():
    return box_triangles


@pytest.fixture
def save_mesh(tmp_path):
    """Writes {name: triangles} into a file of that name and returns its path."""
    trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")

    def save(file: str, **parts: np.ndarray) -> Path:
        scene = trimesh.Scene()
        for name, triangles in parts.items():
            mesh = trimesh.Trimesh(
                triangles.reshape(-1, 3),
                np.arange(3 * len(triangles)).reshape(-1, 3),
                process=False,
            )
            scene.add_geometry(mesh, node_name=name, geom_name=name)
        path = tmp_path / file
        if path.suffix in (".glb", ".obj"):
            scene.export(path)
        else:
            scene.to_geometry().export(path)
        return path

    return save
