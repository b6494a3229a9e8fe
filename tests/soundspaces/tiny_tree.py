"""A SoundSpaces tree of a few nodes whose responses are one click per ear."""

import gzip
import io
import json
import pickle
import sys
from types import ModuleType

import networkx
import numpy as np
import soundfile

from av_envs.soundspaces import frames
from av_envs.soundspaces.layout import GRIDS, SAMPLE_RATES, standard_layout

COLUMNS, ROWS = 4, 2
ORIGIN = np.array([-2.0, 3.0, 0.2])  # m, of the first node, on the floor
CLICK_SAMPLES = 400


def grid_points(dataset):
    """(8, 3) metres on the floor in the world frame: four columns east, two rows north."""
    steps = [(column, row, 0) for row in range(ROWS) for column in range(COLUMNS)]
    return ORIGIN + GRIDS[dataset] * np.array(steps, float)


def grid_edges():
    for node in range(ROWS * COLUMNS):
        if node % COLUMNS < COLUMNS - 1:
            yield node, node + 1
        if node + COLUMNS < ROWS * COLUMNS:
            yield node, node + COLUMNS


def click(points, receiver, source, heading, rate):
    """(400, 2) float32: one sample per ear, later and weaker from afar, louder on the near ear."""
    offset = points[source] - points[receiver]
    distance = float(np.hypot(*offset[:2]))
    bearing = np.arctan2(offset[1], offset[0]) - heading * np.pi / 2
    lean = 0.5 * np.sin(bearing) if distance else 0.0
    samples = np.zeros((CLICK_SAMPLES, 2), np.float32)
    samples[round(distance / 343 * rate)] = np.array([1 + lean, 1 - lean]) / (1 + distance)
    return samples


def wav_bytes(samples, rate, subtype="FLOAT"):
    """samples  (n, channels)"""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, subtype=subtype, format="WAV")
    return buffer.getvalue()


def write_wav(path, samples, rate, subtype="FLOAT"):
    """samples  (n, channels)"""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(samples, rate, subtype))


def write_points(path, points, dataset):
    """points  (N, 3) metres on the floor in the world frame"""
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = frames.mesh_from_floor(points, dataset)
    lines = [f"{node}\t{x}\t{y}\t{z}" for node, (x, y, z) in enumerate(mesh)]
    path.write_text("\n".join(lines) + "\n")


def nx_graph(points, edges):
    """A graph as SoundSpaces makes it: tuples of np.float64, in habitat's frame."""
    graph = networkx.Graph()
    for node, point in enumerate(frames.habitat_from_world(points)):
        graph.add_node(node, point=tuple(point))
    graph.add_edges_from(edges)
    return graph


def pickled_as(module, name, attributes, protocol=2, items=None):
    """A pickle of an object of a class that is not here: a dict if it has items."""
    kind = type(name, (object if items is None else dict,), {"__module__": module})
    made = kind() if items is None else kind(items)
    made.__dict__.update(attributes)
    parts = module.split(".")
    names = [".".join(parts[: k + 1]) for k in range(len(parts))]
    kept = {known: sys.modules.get(known) for known in names}
    try:
        for known in names:
            sys.modules[known] = ModuleType(known)
        setattr(sys.modules[module], name, kind)
        return pickle.dumps(made, protocol)
    finally:
        for known, before in kept.items():
            if before is None:
                del sys.modules[known]
            else:
                sys.modules[known] = before


def picture(node, theta):
    """What a node looks like towards theta, as habitat stores it."""
    rgb = np.full((128, 128, 3), (node, theta % 256, 7), np.uint8)
    depth = np.full((128, 128, 1), (1 + node) / 20 + theta / 1000, np.float32)
    return {"rgb": rgb, "depth": depth}


def pictures(n_nodes):
    return {
        (node, theta): picture(node, theta) for node in range(n_nodes) for theta in frames.ANGLES
    }


def write_observations(path, views):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(views, 2))


def write_scene(root, scene, dataset="mp3d", with_pictures=True, headings=range(4)):
    layout, points = standard_layout(root, dataset), grid_points(dataset)
    write_points(layout.points(scene), points, dataset)
    layout.graph(scene).write_bytes(pickle.dumps(nx_graph(points, grid_edges()), 2))
    for heading in headings:
        for receiver in range(len(points)):
            for source in range(len(points)):
                path = layout.rir(scene, frames.alpha_of(heading), receiver, source)
                rate = SAMPLE_RATES[dataset]
                write_wav(path, click(points, receiver, source, heading, rate), rate)
    if with_pictures:
        write_observations(layout.pictures(scene), pictures(len(points)))
    return layout


def write_json(path, content):
    """Gzipped JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
        file.write(json.dumps(content).encode())
    path.write_bytes(buffer.getvalue())
