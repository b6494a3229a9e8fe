"""points.txt and graph.pkl of a scene, and what all its files depend on."""

import json

import numpy as np

from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.scene import Scene
from av_envs.soundspaces.errors import SoundSpacesError
from av_envs.soundspaces.frames import habitat_from_world, mesh_from_floor
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.pickled import graph_pickle
from av_envs.vision.views import LOOKS, pictures_version
from av_envs.whole_files import write_whole

STAMP = "export.json"  # beside the graph


def write_metadata(export: Export, scene: Scene) -> None:
    """points.txt, graph.pkl and the stamp."""
    layout = export.layout
    stamp = json.dumps(stamp_of(export, scene), indent=1)
    write_whole(layout.metadata / scene.name / STAMP, stamp.encode())
    write_whole(layout.points(scene.name), points_text(scene, export.dataset).encode())
    graph = graph_pickle(habitat_positions(scene), scene.graph.neighbours)
    write_whole(layout.graph(scene.name), graph)


def check_metadata(export: Export, scene: Scene) -> None:
    """Refuse a folder that holds something else than this scene, exported this way."""
    layout, stamp = export.layout, stamp_of(export, scene)
    path = layout.metadata / scene.name / STAMP
    if not path.exists():
        if layout.points(scene.name).exists():
            raise SoundSpacesError(
                layout.points(scene.name), "this was not exported from here; choose another folder"
            )
        return
    found = json.loads(path.read_text())
    changed = [key for key in stamp if found.get(key) != stamp[key]]
    if changed:
        differences = ", ".join(f"{key} {found.get(key)!r}, not {stamp[key]!r}" for key in changed)
        raise SoundSpacesError(
            path, f"this scene was exported with {differences}; choose the same or another folder"
        )


def stamp_of(export: Export, scene: Scene) -> dict:
    """Settings that all files of a scene depend on."""
    options = json.loads(export.world.options)
    return {
        "scene": scene.name,
        "fingerprint": scene.fingerprint,
        "engine": ENGINE_VERSION,
        "camera": pictures_version(options.get("look", LOOKS[0])),
        "backend": export.world.backend,
        "options": options,
        "hrtf": export.world.hrtf,
        "rate": export.rate,
        "trimmed": export.trimmed,
    }


def points_text(scene: Scene, dataset: str) -> str:
    """Number and mesh coordinates of every node, a line each."""
    points = mesh_from_floor(scene.graph.positions, dataset) + 0.0  # no minus zero
    lines = ("\t".join(map(repr, [node, *point])) for node, point in enumerate(points.tolist()))
    return "\n".join(lines) + "\n"


def habitat_positions(scene: Scene) -> np.ndarray:
    """(N, 3) metres, every node in habitat's frame, without a minus zero.

    SoundSpaces looks nodes up by their coordinates in writing, where -0.00 is not 0.00.
    """
    return habitat_from_world(scene.graph.positions) + 0.0
