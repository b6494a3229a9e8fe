"""Episodes of the published data sets: of navigation, and of active separation.

A split is one <split>.json.gz, and the episodes of each scene are in it or in
content/<scene>.json.gz beside it; both are read. Positions are given in the world frame, on the
floor, with the node that stands there; headings as theta, see `frames`, and in quarter turns.

SoundSpaces takes the angle of `start_rotation` without its axis, so it would read a turn to the
right as one to the left. Where that makes a difference a warning says so, once per file, and
`legacy_heading` has what SoundSpaces makes of it.
"""

import gzip
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from av_envs.json_files import LARGEST_JSON, parse_json
from av_envs.soundspaces.errors import (
    MissingFileError,
    SoundSpacesError,
    UnreadableFileError,
)
from av_envs.soundspaces.frames import (
    legacy_theta_of_quaternion,
    nearest_heading,
    theta_of_quaternion,
    world_from_habitat,
)
from av_envs.soundspaces.layout import content_file
from av_envs.soundspaces.reading.episode_fields import (
    action_of,
    amount,
    name_of,
    node_of,
    the_list,
    whole,
)
from av_envs.soundspaces.reading.graph import NodeGraph

TASKS = ("audionav", "semantic", "aaviss", "aavidss")
# What a record in the wrong form can raise while it is taken apart.
MALFORMED = (
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Somewhere in a scene.

    position  metres in the world frame, on the floor
    node      number of the node that is there, None if none is within a centimetre
    """

    position: tuple[float, float, float]
    node: int | None


@dataclass(frozen=True)
class Start:
    """Initial pose of an agent.

    theta           degrees counter-clockwise from habitat's -z
    heading         quarter turns from east, the nearest to theta
    legacy_heading  the same as SoundSpaces reads it
    """

    place: Place
    theta: float
    heading: int
    legacy_heading: int


@dataclass(frozen=True)
class Goal:
    """Goal of navigation; the last fields are of semantic episodes only.

    view_points  places that it can be seen from
    """

    place: Place
    radius: float | None = None
    object_id: int | str | None = None
    object_name: str | None = None
    object_category: str | None = None
    room_id: int | str | None = None
    room_name: str | None = None
    view_points: tuple[Place, ...] = ()


@dataclass(frozen=True)
class NavigationEpisode:
    """An episode of audio-visual navigation; fields with a default may be absent.

    sound             name of a clip without or, semantic, with its folder and ".wav"
    geodesic_distance metres of walking, in hops times the grid
    num_action        actions of the shortest way
    offset, duration  seconds of the clip, of semantic episodes
    """

    episode_id: str
    scene: str
    start: Start
    goals: tuple[Goal, ...]
    sound: str | None
    geodesic_distance: float | None = None
    num_action: int | None = None
    object_category: str | None = None
    offset: int | None = None
    duration: int | None = None
    distractor_sound: str | None = None
    distractor_node: int | None = None
    start_room: str | None = None


@dataclass(frozen=True)
class SoundingSource:
    """A source of an episode of separation.

    sound         name of its clip, without ".wav"
    label         class of the sound, if known
    first_second  of the clip, of dynamic episodes
    """

    place: Place
    sound: str
    label: int | None = None
    first_second: int | None = None
    geodesic_distance: float | None = None
    num_action: int | None = None


@dataclass(frozen=True)
class SeparationEpisode:
    """An episode of active separation; sources[0] is the target."""

    episode_id: str
    scene: str
    start: Start
    sources: tuple[SoundingSource, ...]
    actions: tuple[int, ...] | None = None


Graphs = Callable[[str], NodeGraph]  # of a scene, by name


def read_episodes(
    path: Path, task: str, scenes: Sequence[str], graph_of: Graphs, only: str | None = None
) -> Iterator[NavigationEpisode | SeparationEpisode]:
    """The episodes of a split, file after file; a file is read when its first one is asked for.

    path    <split>.json.gz
    scenes  names that a scene of an episode can have
    only    the scene whose episodes are wanted; None: all
    """
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}; choose from {', '.join(TASKS)}")
    parse = _separation if task in ("aaviss", "aavidss") else _navigation
    for file in _files(path, only):
        warned = False
        for number, record in enumerate(_records(file)):
            try:
                scene = scene_of(str(record["scene_id"]), scenes)
                if only is not None and scene != only:
                    continue
                episode = parse(record, scene, graph_of(scene))
                _check_nodes(episode)
            except SoundSpacesError:
                raise
            except MALFORMED as error:
                reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                raise UnreadableFileError(file, f"episode {number} {reason}") from None
            if episode.start.heading != episode.start.legacy_heading and not warned:
                warned = True
                warnings.warn(
                    f"{file}: SoundSpaces reads the start_rotation of episode "
                    f"{episode.episode_id} as {episode.start.legacy_heading} quarter turns from "
                    f"east, it is {episode.start.heading}; others may be alike",
                    stacklevel=2,
                )
            yield episode


def scene_of(scene_id: str, scenes: Sequence[str]) -> str:
    """The scene that a path such as "mp3d/17DRP5sb8fy/17DRP5sb8fy.glb" is of."""
    path = PurePosixPath(scene_id.replace("\\", "/"))
    for name in (path.name.partition(".")[0], *reversed(path.parts)):
        if name in scenes:
            return name
    raise ValueError(f"is of the scene {scene_id!r}, of which there are no metadata")


def _files(path: Path, only: str | None) -> list[Path]:
    """The file of a split and those with its content, of one scene if it has one of its own."""
    contents = sorted((path.parent / "content").glob("*.json.gz"))
    if not path.is_file() and not contents:
        raise MissingFileError(path, "there are no episodes of this split")
    if only is not None:
        contents = [file for file in contents if file == content_file(path, only)]
    return [*([path] if path.is_file() else []), *contents]


def _records(file: Path) -> list[Mapping[str, Any]]:
    try:
        with gzip.open(file) as stream:
            text = stream.read(LARGEST_JSON + 1)  # and no more, however much there is
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(file, f"this is no whole gzip file: {error}") from None
    try:
        records = parse_json(text)["episodes"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(file, f"this is no JSON with episodes: {error}") from None
    if not isinstance(records, list):
        raise UnreadableFileError(file, "episodes must be a list")
    return records


def _place(position: Sequence[float], graph: NodeGraph) -> Place:
    point = np.array(position, float)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise ValueError(f"has a position that is no x, y, z: {str(position)[:80]}")
    point = world_from_habitat(point)
    return Place(tuple(float(x) for x in point), graph.node_at(point))


def _start(record: Mapping[str, Any], graph: NodeGraph) -> Start:
    rotation = record["start_rotation"]
    theta, legacy = theta_of_quaternion(rotation), legacy_theta_of_quaternion(rotation)
    place = _place(record["start_position"], graph)
    return Start(place, theta, nearest_heading(theta), nearest_heading(legacy))


def _navigation(record: Mapping[str, Any], scene: str, graph: NodeGraph) -> NavigationEpisode:
    info = record.get("info") or {}
    goals = the_list(record, "goals")
    if not goals:
        raise ValueError("has no goals")
    return NavigationEpisode(
        episode_id=str(record["episode_id"]),
        scene=scene,
        start=_start(record, graph),
        goals=tuple(_goal(goal, graph) for goal in goals),
        sound=name_of(record, "sound_id") or name_of(info, "sound"),
        geodesic_distance=amount(info, "geodesic_distance"),
        num_action=whole(info, "num_action"),
        object_category=name_of(record, "object_category"),
        offset=amount(record, "offset"),
        duration=amount(record, "duration", positive=True),
        distractor_sound=name_of(record, "distractor_sound_id"),
        distractor_node=node_of(record, "distractor_position_index", graph),
        start_room=name_of(record, "start_room"),
    )


def _goal(goal: Mapping[str, Any], graph: NodeGraph) -> Goal:
    words = ("object_id", "object_name", "object_category", "room_id", "room_name")
    return Goal(
        _place(goal["position"], graph),
        **{word: goal.get(word) for word in words},
        radius=amount(goal, "radius"),
        view_points=tuple(_place(_seen_from(one), graph) for one in goal.get("view_points") or ()),
    )


def _seen_from(view_point: Any) -> Sequence[float]:
    """The position of a view point, which some files wrap as habitat does."""
    if isinstance(view_point, Mapping):
        state = view_point["agent_state"]
        return state["position"] if isinstance(state, Mapping) else state
    return view_point


def _separation(record: Mapping[str, Any], scene: str, graph: NodeGraph) -> SeparationEpisode:
    goals, infos, actions = the_list(record, "goals"), record["info"], record.get("gt_actions")
    if not goals:
        raise ValueError("has no sources: its goals are empty")
    if not isinstance(infos, list) or len(infos) != len(goals):
        raise ValueError(f"must have info of each of its {len(goals)} sources")
    return SeparationEpisode(
        episode_id=str(record["episode_id"]),
        scene=scene,
        start=_start(record, graph),
        sources=tuple(
            SoundingSource(
                place=_place(goal["position"], graph),
                sound=str(info["sound"]),
                label=whole(info, "target_label"),
                first_second=whole(info, "start_idx"),
                geodesic_distance=amount(info, "geodesic_distance"),
                num_action=whole(info, "num_action"),
            )
            for goal, info in zip(goals, infos, strict=True)
        ),
        actions=None if actions is None else tuple(action_of(action) for action in actions),
    )


def _check_nodes(episode: NavigationEpisode | SeparationEpisode) -> None:
    """Agents and sources stand on nodes; objects that are to be found need not."""
    places = {"start": episode.start.place}
    if isinstance(episode, SeparationEpisode):
        places |= {f"source {k}": one.place for k, one in enumerate(episode.sources)}
    for what, place in places.items():
        if place.node is None:
            raise ValueError(
                f"has its {what} at {place.position}, where no node of {episode.scene} is"
            )
