"""Report and picture of the scene that a mesh file becomes: map, nodes and views."""

from av_envs.worlds.inspect_mesh_options import main

if __name__ == "__main__":  # help needs nothing of what follows
    main()
    raise SystemExit

import argparse

import numpy as np

from av_envs.scene import Scene
from av_envs.vision import IMAGE_SIZE, lights_of, render_rgbd
from av_envs.vision.drawing import draw_disc, draw_line
from av_envs.vision.panels import (
    BLUE,
    HEADER,
    HEIGHT,
    VERMILION,
    WIDTH,
    blank_canvas,
    draw_caption,
    draw_map,
    put,
)
from av_envs.worlds.mesh import MeshWorld

GAP = 12  # pixels
MAP = (GAP, HEADER + GAP, WIDTH - IMAGE_SIZE - 3 * GAP, HEIGHT - HEADER - 2 * GAP)
EAST_AND_NORTH = (0, 1)  # steps that way; the others are the same ones back


def carry_out(options: argparse.Namespace) -> None:
    """What the command line asks for; ValueError, OSError or ImportError where it cannot be."""
    world = MeshWorld(
        grid=options.grid,
        root=options.file,
        unit=_number_or_name(options.unit),
        up=options.up,
        default=options.default,
        materials=dict(text.split("=", 1) for text in options.material),
    )
    scene, report = world.read(options.file)
    print(report)
    if options.out:
        from PIL import Image  # of the extra [mesh]; the report does without

        Image.fromarray(picture(scene)).save(options.out)


def picture(scene: Scene) -> np.ndarray:
    """(608, 992, 3) uint8: the map with nodes and edges, and four views from the marked node.

    Views are, from the top, east, north, west and south.
    """
    graph = scene.graph
    canvas = blank_canvas()
    draw_caption(canvas, f"{scene.name[:48]}: {len(graph)} nodes, {graph.grid:g} m apart")
    placed = draw_map(canvas, scene, MAP)
    places = [placed.place(position) for position in graph.positions]
    for heading in EAST_AND_NORTH:
        for node, other in enumerate(graph.neighbours[:, heading]):
            if other >= 0:
                draw_line(canvas, places[node], places[other], 1.5, BLUE)
    for place in places:
        draw_disc(canvas, place, 2.5, BLUE)
    marked = int(graph.walking_distances.max(axis=1).argmin())  # the middle of the place
    draw_disc(canvas, places[marked], 5.0, VERMILION)
    lights = lights_of(scene)
    for heading in range(4):
        view, _ = render_rgbd(scene, graph.heads[marked], heading, lights=lights)
        top = HEADER + GAP // 2 + heading * (IMAGE_SIZE + GAP)
        put(canvas, (WIDTH - IMAGE_SIZE - GAP, top, IMAGE_SIZE, IMAGE_SIZE), view)
    return canvas


def _number_or_name(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
