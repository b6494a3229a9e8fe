"""Episodes, and the examples that separators are trained on, of the scenes of a tree."""

import gzip
import json
import pickle
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph, Scene
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.episode import Episode, NoRoomError, draw_episode
from av_envs.soundspaces.frames import alpha_of, quaternion_of
from av_envs.soundspaces.layout import content_file
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.meshes import MESHES
from av_envs.soundspaces.writing.metadata import habitat_positions
from av_envs.soundspaces.writing.projects import (
    PROJECTS,
    Project,
    class_names,
    open_sounds,
    sound_name,
)
from av_envs.whole_files import write_whole

GOAL_RADIUS = 1e-5  # m: on the node
CLIP_SPLITS = {  # of each split of dwellings: that of the clips, and whether they are unheard
    "train": (("train", False),),
    "val": (("train", False), ("val", True)),
    "test": (("train", False), ("test", True)),
}
_DRAWN_AS = {"train": "train", "val": "val", "test": "test_unheard"}  # by split of the clips


class Draw(NamedTuple):
    """Options of the drawing of episodes.

    per_scene            how many for each scene and split
    min_source_distance  of `SeparationConfig`
    start                of `SeparationConfig`; None: all that the project has
    seed                 of the whole tree
    sounds               name of the corpus
    """

    per_scene: int = 100
    min_source_distance: float | None = None
    start: str | None = None
    seed: int = 0
    sounds: str = "embedded"


def write_episodes(
    export: Export, project: str, split: str, scenes: Sequence[Scene], draw: Draw
) -> list[str]:
    """All episodes of a project in the scenes of one split of dwellings; names of its splits.

    Episodes are in a file per scene; the file that names the split has none of its own.
    """
    written, kind = [], PROJECTS[project]
    for clips, is_unheard in CLIP_SPLITS[split]:
        for start, from_where in _starts(kind, draw).items():
            name = kind.split.format(
                name=split,
                unheard=kind.unheard if is_unheard else "",
                start=start,
                scenes=len(scenes),
                episodes=len(scenes) * draw.per_scene,
            )
            folder = export.root / kind.episodes.format(dataset=export.dataset)
            path = folder / name / f"{name}.json.gz"
            config = _config(export, draw, kind.n_sources, clips, from_where)
            for scene in scenes:
                episodes = _drawn(scene, config, draw, project, f"{split} {clips} {start}")
                records = [
                    episode_record(export, project, scene, str(k), episode, config, draw.sounds)
                    for k, episode in enumerate(episodes)
                ]
                write_whole(content_file(path, scene.name), _zipped(records))
            write_whole(path, _zipped([]))
            written.append(name)
    return written


def write_passive(export: Export, split: str, scene: Scene, draw: Draw) -> None:
    """Places of a listener and of two sources, and an alpha: what passive separators learn from.

    The listener is near the first source, 2 to 5 m of walking, unless `draw.start` says otherwise.
    """
    config = _config(export, draw, 2, "train", draw.start or "near")
    examples = [
        {
            "r": episode.start_node,
            "azimuth": alpha_of(episode.start_heading),
            "all_s": episode.source_nodes.tolist(),
        }
        for episode in _drawn(scene, config, draw, "aaviss", f"passive {split}")
    ]
    path = export.layout.passive_examples(split, scene.name)
    write_whole(path, pickle.dumps({scene.name: examples}, protocol=2))


def episode_record(
    export: Export,
    project: str,
    scene: Scene,
    episode_id: str,
    episode: Episode,
    config: SeparationConfig,
    sounds: str,
) -> dict:
    """One episode as the data sets of habitat have it; goals and infos are those of the sources."""
    positions = habitat_positions(scene)
    record = {
        "episode_id": episode_id,
        "scene_id": MESHES[export.dataset].format(scene.name),
        "start_position": positions[episode.start_node].tolist(),
        "start_rotation": list(quaternion_of(episode.start_heading)),
        "goals": [
            {"position": positions[sound.node].tolist(), "radius": GOAL_RADIUS}
            for sound in episode.sounds
        ],
        "start_room": None,
        "shortest_paths": None,
        "info": _infos(project, scene.graph, episode, config, sounds),
    }
    if project == "audionav":
        # One source, and the agent says with one more action that it has arrived.
        (info,) = record["info"]
        kept = {key: info[key] for key in ("sound", "geodesic_distance")}
        return record | {"info": kept | {"num_action": info["num_action"] + 1}}
    walks = scene.graph.walking_distances
    nodes = episode.source_nodes
    distances = {
        "agent_to_sources": walks[episode.start_node, nodes].tolist(),
        "between_sources": walks[np.ix_(nodes, nodes)].tolist(),
    }
    return record | {"all_geodesic_distances": distances, "gt_actions": None}


def _infos(
    project: str, graph: NavigationGraph, episode: Episode, config: SeparationConfig, sounds: str
) -> list[dict]:
    corpus, (names, labels) = open_sounds(project, sounds), class_names(project, sounds)
    has_clips, infos = bool(PROJECTS[project].clips), []
    split = SPLITS[config.split][1]
    for sound in episode.sounds:
        clip = corpus.clips(split, corpus.classes[sound.label]).index(sound.clip)
        second = None if has_clips else sound.first_second
        infos.append(
            {
                "sound": sound_name(names[sound.label], split, clip, second),
                "target_label": labels[sound.label],
                "start_idx": sound.first_second if has_clips else 0,
                "geodesic_distance": float(graph.walking_distances[episode.start_node, sound.node]),
                "num_action": int(
                    fewest_actions(graph, sound.node)[episode.start_node, episode.start_heading]
                ),
            }
        )
    return infos


def fewest_actions(graph: NavigationGraph, goal: int) -> np.ndarray:
    """(N, 4) float, steps and quarter turns from every pose to a node, in any heading."""
    n_poses = N_HEADINGS * len(graph)  # pose = 4 node + heading
    pose = np.arange(n_poses).reshape(-1, N_HEADINGS)
    ahead = N_HEADINGS * graph.neighbours + np.arange(N_HEADINGS)
    free = graph.neighbours >= 0
    begin = np.concatenate([pose[free], pose.ravel(), pose.ravel()])
    end = np.concatenate([ahead[free], np.roll(pose, -1, 1).ravel(), np.roll(pose, 1, 1).ravel()])
    backwards = csr_array((np.ones(len(begin)), (end, begin)), (n_poses, n_poses))
    return dijkstra(backwards, indices=pose[goal], min_only=True).reshape(-1, N_HEADINGS)


def _starts(kind: Project, draw: Draw) -> dict[str, str]:
    """Where agents start, by what the project calls that."""
    if draw.start is None:
        return kind.starts
    return {"farTarget" if draw.start == "far" else "nearTarget": draw.start}


def _config(export: Export, draw: Draw, n_sources: int, clips: str, start: str) -> SeparationConfig:
    return SeparationConfig(
        split=_DRAWN_AS[clips],
        num_sources=n_sources,
        start=start,
        min_source_distance=draw.min_source_distance,
        grid=export.world.grid,
        sounds=draw.sounds,
    )


def _drawn(
    scene: Scene, config: SeparationConfig, draw: Draw, project: str, what: str
) -> list[Episode]:
    """Episodes that depend on nothing but the scene, what they are for and the seed."""
    rng = np.random.default_rng([draw.seed, *f"{scene.name} {project} {what}".encode()])
    corpus = open_sounds(project, draw.sounds)
    try:
        return [draw_episode(config, scene.graph, corpus, rng) for _ in range(draw.per_scene)]
    except NoRoomError as error:
        raise ValueError(f"scene {scene.name!r}: {error}") from error


def _zipped(records: list[dict]) -> bytes:
    return gzip.compress(json.dumps({"episodes": records}).encode(), mtime=0)
