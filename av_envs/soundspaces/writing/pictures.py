"""The views of a scene, as SoundSpaces keeps them once they are rendered."""

from av_envs.conventions import N_HEADINGS
from av_envs.scene import Scene
from av_envs.soundspaces.frames import theta_of
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.files import on_disk
from av_envs.soundspaces.writing.pickled import pictures_pickle
from av_envs.vision.views import VIEW
from av_envs.whole_files import write_whole

PICTURE_BYTES = VIEW["rgb"].itemsize + 2 * VIEW["depth"].itemsize + 64  # depth is float32 here


def pictures_bytes(scene: Scene) -> int:
    """About what the views of a scene take on a disk."""
    return on_disk(PICTURE_BYTES * N_HEADINGS * len(scene.graph))


def write_pictures(export: Export, name: str) -> None:
    """The views from every node in every heading."""
    dwelling, pictures = export.open(name), {}
    for node in range(len(dwelling.scene.graph)):
        for heading in range(N_HEADINGS):
            rgb, depth = dwelling.views.view(node, heading)
            pictures[node, theta_of(heading)] = {"rgb": rgb, "depth": depth}
    write_whole(export.layout.pictures(dwelling.scene.name), pictures_pickle(pictures))
