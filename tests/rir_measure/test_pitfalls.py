"""What other people's wrappers rely on without saying so."""

import pettingzoo
import pytest
from small_teams import SMALL, STOP, choose, digest, random_walk, team

from av_envs import rir_measure
from av_envs.rir_measure.config import ROUTES

every_route = pytest.mark.parametrize("prediction", ROUTES)


def everything(env):
    """All returned dicts with robots as keys, over an episode."""
    yield env.reset(seed=0)
    while env.agents:
        yield env.step({robot: env.action_space(robot).sample() for robot in env.agents})


@every_route
def test_spaces_are_the_same_objects_every_time(prediction):
    """Wrappers seed the action space once and sample from it ever after."""
    env = team(prediction=prediction, robots=3)
    for robot in env.possible_agents:
        assert env.observation_space(robot) is env.observation_space(robot)
        assert env.action_space(robot) is env.action_space(robot)
        assert env.observation_spaces[robot] is env.observation_space(robot)
        assert env.action_spaces[robot] is env.action_space(robot)
    before = digest([str(env.action_spaces), str(env.observation_spaces)])
    env.reset(seed=0, options={"house": 0})
    assert digest([str(env.action_spaces), str(env.observation_spaces)]) == before


def test_robots_that_do_the_same_have_the_same_spaces():
    """Shared policies need that."""
    for prediction in ROUTES:
        env = team(prediction=prediction, robots=3, observations=("rgb", "heard_rir"))
        first, *others = env.possible_agents
        for robot in others:
            assert env.observation_space(robot) == env.observation_space(first)
            assert env.action_space(robot) == env.action_space(first)


@pytest.mark.parametrize("robots", [1, 2, 12])
def test_names_group_by_their_prefix(robots):
    """As libraries do that make a group of `robot_0`, `robot_1`; in order, not by alphabet."""
    env = team(robots=robots, emitters=[0], fixed_receivers=1)
    assert env.possible_agents == [f"robot_{k}" for k in range(robots)]
    for returned in everything(env):
        for told in returned:
            assert list(told) == env.possible_agents


@every_route
@pytest.mark.parametrize("robots", [2, 3])
def test_all_dicts_are_fresh_and_apart(prediction, robots):
    """RLlib writes "__all__" into what it gets."""
    env, untouched = (team(prediction=prediction, robots=robots) for _ in range(2))
    for one in (env, untouched):
        for robot in one.possible_agents:
            one.action_space(robot).seed(0)
    seen = []
    for returned, expected in zip(everything(env), everything(untouched), strict=True):
        assert digest(returned) == digest(expected)
        dicts = [*returned, *returned[0].values(), *returned[-1].values()]
        assert not {id(one) for one in dicts} & {id(one) for one in seen}
        seen += dicts  # kept, so that no id is used again
        for one in dicts:
            one["__all__"] = True


def test_the_list_of_robots_belongs_to_nobody_else():
    env = team()
    env.reset(seed=0)
    env.agents.clear()
    assert env.possible_agents == ["robot_0", "robot_1"]
    env.reset(seed=0)
    assert env.agents == env.possible_agents
    assert env.agents is not env.possible_agents


@pytest.mark.parametrize("options", [{}, {"stop_mode": "latch"}, {"stop_mode": "any"}])
@pytest.mark.parametrize("robots", [2, 3])
def test_robots_end_alike(options, robots):
    """RLlib's "__all__" is never true where one terminates and another is truncated."""
    env = team(robots=robots, steps=3, **options)
    env.reset(seed=0)
    for moves in ([STOP] + [1] * (robots - 1), [STOP] * robots, [STOP] * robots):
        *_, terminated, truncated, _ = env.step(choose(env, *moves))
        for told in (terminated, truncated):
            assert len(set(told.values())) == 1
            assert all(type(value) is bool for value in told.values())
        if terminated["robot_0"] or truncated["robot_0"]:
            break
    assert terminated["robot_0"] != truncated["robot_0"]
    assert env.agents == []


def test_rewards_are_numbers_of_python():
    env = team(rho=0.5)
    env.reset(seed=0)
    for moves in random_walk(env).tolist():
        _, rewards, *_ = env.step(choose(env, *moves))
        assert all(type(reward) is float for reward in rewards.values())


def test_whoever_wraps_it_may_start_twice():
    """Wrappers reset when they are made, and their users again."""
    once, twice = team(), team()
    twice.reset()
    assert digest(once.reset(seed=3)) == digest(twice.reset(seed=3))


def test_closing_twice_does_no_harm():
    env = team()
    env.close()
    env.close()


@pytest.mark.parametrize("kind", ["parallel", "aec"])
def test_what_the_page_of_an_environment_needs(kind):
    env = pettingzoo.make(kind, "AVRIRMeasure-v0", **SMALL)
    assert env.metadata["name"] == "av_rir_measure_v0"
    assert env.metadata["render_modes"] == ["rgb_array"]
    assert env.metadata["is_parallelizable"]
    assert env.metadata["render_fps"] > 0
    assert env.unwrapped.render_mode is None
    assert {"env", "raw_env", "parallel_env"} <= set(dir(rir_measure))


def test_the_state_is_everybodys_and_a_new_array():
    for env in (team(), rir_measure.env(**SMALL)):
        env.reset(seed=0)
        state = env.state()
        assert env.unwrapped.state_space.contains(state)
        assert digest(state) == digest(env.state())
        state[:] = 7
        assert (env.state() <= 1).all()
