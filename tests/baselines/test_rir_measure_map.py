"""The common map of a team: what depth images, steps and bumps tell it."""

import numpy as np
import pytest
from measure_world import FORWARD, LEFT, MeasureWorld

from av_envs.baselines.rir_measure.mapping import OFFSETS, WIDTH, LatticeMap
from av_envs.baselines.rir_measure.routes import NEVER, routes
from av_envs.baselines.rir_measure.survey import Survey
from av_envs.scene import load_scene
from av_envs.vision import MAX_DEPTH, render_rgbd

EAST, NORTH, WEST, SOUTH = range(4)
CORRIDOR = np.array([[1, -1, -1, -1], [2, -1, 0, -1], [-1, -1, 1, -1]], np.int32)
ROOM = "#...\n0.#.\n...."


def ways(place, heading, passable=(True, True, True), neighbours=CORRIDOR):
    actions, first = routes(neighbours, np.array(passable), place, heading)
    return actions.tolist(), first.tolist()


def test_routes_count_turns():
    assert ways(0, EAST) == ([0, 1, 2], [0, FORWARD, FORWARD])
    assert ways(0, NORTH) == ([0, 2, 3], [0, 3, 3])  # right first
    assert ways(0, SOUTH)[1] == [0, LEFT, LEFT]
    assert ways(0, WEST)[0] == [0, 3, 4]


def test_routes_do_not_lead_through_what_is_impassable_but_may_end_there():
    assert ways(0, EAST, (True, False, True))[0] == [0, 1, NEVER]
    assert ways(0, EAST, (False, True, True))[0] == [0, 1, 2]  # one stands there already


@pytest.mark.parametrize(("name", "grid"), [("flat-2000000", 0.5), ("house-2000001", 1.0)])
def test_looking_from_everywhere_gives_the_navigation_graph(name, grid):
    scene = load_scene(name, grid)
    graph, known_map = scene.graph, LatticeMap(scene.graph.positions[0, :2], grid)
    for position, head in zip(graph.positions, graph.heads, strict=True):
        for heading in range(4):
            depth = render_rgbd(scene, head, heading)[1] / MAX_DEPTH
            known_map.look(position[:2], heading, depth)
    places = np.array([known_map.place(position[:2]) for position in graph.positions])
    free = graph.neighbours >= 0
    seen_free = known_map.neighbours[places] >= 0
    assert seen_free[free].all()  # nothing that is free looks blocked
    assert np.mean(~seen_free[~free]) > 0.95
    reached = routes(known_map.neighbours, known_map.known, int(places[0]), EAST)[0] < NEVER
    assert reached[places].all()
    assert len(set(np.flatnonzero(reached & known_map.known)) - set(places)) < 3


def test_a_step_that_fails_blocks_and_one_that_succeeds_frees_for_good():
    known_map = LatticeMap(np.zeros(2), 0.5)
    here = known_map.place(np.zeros(2))
    known_map.bump(here, EAST)
    assert known_map.neighbours[here].tolist() == [-1, *(here + OFFSETS[1:])]
    assert known_map.neighbours[here + OFFSETS[EAST], WEST] == -1
    wall = np.full((128, 128), 0.045, np.float32)  # 0.45 m ahead
    known_map.look(np.zeros(2), NORTH, wall)
    assert known_map.neighbours[here, NORTH] == -1
    known_map.walk(here, NORTH)
    known_map.look(np.zeros(2), NORTH, wall)
    assert known_map.neighbours[here, NORTH] == here + OFFSETS[NORTH]
    assert known_map.neighbours[here + OFFSETS[NORTH], SOUTH] == here


def test_a_depth_image_becomes_known_floor_and_a_wall():
    world = MeasureWorld("0....#")
    survey = Survey(1)
    survey.update(world.observation())
    known_map, here = survey.map, survey.places[0]
    east_of = here + OFFSETS[EAST] * np.arange(6)
    assert known_map.known[east_of].tolist() == [True, False, False, True, True, False]
    assert known_map.neighbours[east_of[:5], EAST].tolist() == [*east_of[1:5], -1]
    assert (known_map.neighbours[east_of[3:5], NORTH] == -1).all()  # the walls of the corridor
    assert known_map.position(int(east_of[4])) == pytest.approx([12.5, 10.5])


def test_what_is_as_far_as_the_image_reaches_is_unknown():
    known_map = LatticeMap(np.zeros(2), 0.5)
    before = known_map.neighbours.copy()
    known_map.look(np.zeros(2), EAST, np.ones((128, 128), np.float32))
    assert not known_map.known.any()
    assert (known_map.neighbours == before).all()


def test_the_survey_learns_the_stride_from_the_first_step():
    world = MeasureWorld("0...", stride=1.0)
    survey = Survey(1)
    for _ in range(2):
        survey.update(world.observation())
        survey.note([FORWARD])
        world.step([FORWARD])
    assert survey.map.stride == 1.0
    visited = np.flatnonzero(survey.map.visited)
    assert visited.tolist() == [survey.places[0] - OFFSETS[EAST], survey.places[0]]


def test_the_survey_notices_a_bump_that_no_image_foretold():
    world = MeasureWorld("0..\n1#.\n...", headings=(WEST, SOUTH))
    survey = Survey(2)
    for _ in range(2):
        observation = world.observation()
        observation["depth"][:] = 1  # as if nothing were near
        survey.update(observation)
        survey.note([FORWARD, FORWARD])
        world.step([FORWARD, FORWARD])
    first, second = survey.places
    assert survey.map.neighbours[first, WEST] == -1
    assert survey.map.neighbours[first + OFFSETS[WEST], EAST] == -1
    assert second == first + 2 * OFFSETS[SOUTH]
    survey.map.look(world.observation()["position"][1, :2], NORTH, np.full((128, 128), 0.01))
    assert survey.map.neighbours[second, NORTH] == second + OFFSETS[NORTH]  # it came from there


def test_positions_off_the_map_and_frames_of_the_robots_own_are_refused():
    known_map = LatticeMap(np.zeros(2), 0.5)
    with pytest.raises(ValueError, match=r"\(40.0, 0.0\) lies outside the map, which reaches 32 m"):
        known_map.place(np.array([40.0, 0.0]))
    observation = MeasureWorld(ROOM).observation()
    observation["position"] = np.zeros((1, 3), np.float32)
    with pytest.raises(ValueError, match="position_frame='scene'"):
        Survey(1).update(observation)


def test_the_lattice_ends_at_its_border():
    neighbours = LatticeMap(np.zeros(2), 0.5).neighbours
    assert (neighbours[0] == [WIDTH, 1, -1, -1]).all()
    assert (neighbours[-1] == [-1, -1, WIDTH * (WIDTH - 1) - 1, WIDTH * WIDTH - 2]).all()
