"""Meshes of scenes as glb, for software that renders them."""

from pathlib import Path

import numpy as np

from av_envs.scene import Scene
from av_envs.soundspaces.writing.config import Export
from av_envs.whole_files import write_whole

MESHES = {"mp3d": "{0}/{0}.glb", "replica": "{0}/habitat/mesh_semantic.ply"}  # of a scene


def write_mesh(export: Export, scene: Scene) -> None:
    """The mesh of a scene; only Matterport3D's are of a kind that others write."""
    if export.dataset != "mp3d":
        raise ValueError(f"meshes are written for mp3d only, got {export.dataset!r}")
    write_whole(scenes_folder(export) / MESHES["mp3d"].format(scene.name), mesh_file(scene))


def scenes_folder(export: Export) -> Path:
    """SCENES_DIR of the configuration files; it must exist even if no mesh is opened."""
    return export.root / "scene_datasets" / export.dataset


def mesh_file(scene: Scene) -> bytes:
    """A glb of coloured triangles, z up: habitat takes every glb for one of Matterport3D.

    Textures are left out. Needs trimesh (extra [mesh]).
    """
    try:
        import trimesh
    except ImportError:
        raise ImportError("writing meshes needs trimesh: pip install -e '.[mesh]'") from None
    corners = scene.triangles.reshape(-1, 3)
    mesh = trimesh.Trimesh(
        vertices=corners,
        faces=np.arange(len(corners)).reshape(-1, 3),
        vertex_colors=np.repeat(scene.colour, 3, axis=0),
        process=False,  # which would join corners of different colours
    )
    return mesh.export(file_type="glb")
