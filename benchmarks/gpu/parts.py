"""The parts of `av_envs.benchmarks.gpu`; each yields what it finds as it finds it.

A part is called as part(device, sizes) in a process of its own. Torch is looked up by name when
a part begins: commands that only name these parts do without it.
"""

import importlib
import time
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.acoustics.bank import TraceConfig
from av_envs.acoustics.tracing.cpu import trace
from av_envs.acoustics.tracing.detectors import DETECTOR_RADIUS, make_detectors
from av_envs.benchmarks.speed import timings
from av_envs.threads import available_cores
from av_envs.worlds import bake

ENV_ID = "AVDynamicSep-v0"
BLIND = ("mixture", "target", "pose")
EPISODES = 2  # timed, after one that warms up
PROFILED_STEPS = 4
KERNELS = 20  # listed
MINIBATCHES = 4
GB = 1e9

Finding = dict[str, Any]


def prepare(device: str, sizes: Any) -> Iterator[Finding]:
    """Fill the caches of the pool, responses and views, on all cores, before anything is timed."""
    start = time.perf_counter()
    pool = bake.pool_of(ENV_ID, "train", sizes.houses, views=True)
    blocks = bake.missing_blocks(pool)
    n_nodes = sum(len(nodes) for _, nodes in blocks)
    if blocks:
        bake.bake(pool, blocks, available_cores())
    seconds = time.perf_counter() - start
    yield {"sources": n_nodes, "cores": available_cores(), "bake_s": round(seconds, 1)}


def make(device: str, sizes: Any, num_envs: int, pictures: bool, **options: Any) -> Any:
    """The vector environment that is timed."""
    keys = {} if pictures else {"observations": list(BLIND)}
    pool = {"split": "train", "houses": sizes.houses, "steps": sizes.steps}
    return gym.make_vec(ENV_ID, num_envs, device=device, **pool, **keys, **options)


def speed(device: str, sizes: Any) -> Iterator[Finding]:
    """Steps per second and memory, by number of environments, with pictures and without."""
    for num_envs in sizes.num_envs:
        for pictures in (False, True):
            yield _speed(device, sizes, num_envs, pictures)


def _speed(device: str, sizes: Any, num_envs: int, pictures: bool) -> Finding:
    torch = importlib.import_module("torch")
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    envs = make(device, sizes, num_envs, pictures)
    envs.reset(seed=0)
    _wait(torch, device)
    first_reset_s = time.perf_counter() - start
    n_steps = envs.unwrapped.config.steps + 1  # the last one begins the next episode
    play(torch, envs, n_steps)
    _wait(torch, device)
    start, host = time.perf_counter(), 0.0
    seconds = []
    for _ in range(EPISODES * n_steps):
        begun = time.perf_counter()
        play(torch, envs, 1)
        host += time.perf_counter() - begun
        _wait(torch, device)
        seconds.append(time.perf_counter() - begun)
    whole = time.perf_counter() - start
    made = EPISODES * (n_steps - 1) * num_envs
    finding = {
        "num_envs": num_envs,
        "pictures": pictures,
        "steps_per_s": round(made / whole),
        "ms_step": round(1e3 * float(np.median(seconds)), 3),
        "ms_host": round(1e3 * host / len(seconds), 3),
        "ms_begin_all": round(1e3 * max(seconds), 1),
        "steps_per_s_between_resets": round(num_envs / float(np.median(seconds))),
        "first_reset_s": round(first_reset_s, 1),
        "tables_gb": round(envs.unwrapped.store.used_gb(), 3),
    }
    if device.startswith("cuda"):
        finding["peak_gb"] = round(torch.cuda.max_memory_allocated() / GB, 3)
        reserved = envs.unwrapped.store.pages.data.nbytes / GB
        finding["mb_per_env"] = round(1e3 * (finding["peak_gb"] - reserved) / num_envs, 3)
    envs.close()
    return finding


def play(torch: Any, envs: Any, n_steps: int) -> None:
    """Random actions that are drawn on the device."""
    for _ in range(n_steps):
        actions = torch.randint(4, (envs.num_envs,), device=envs.unwrapped.device)
        envs.step(actions)


def _wait(torch: Any, device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def agreement(device: str, sizes: Any) -> Iterator[Finding]:
    """The same episodes on the device and on the processor: the largest differences."""
    num_envs, steps = (16, 25) if sizes.profiled > 16 else (2, 3)
    options = {"houses": sizes.houses, "split": "train"}
    ours = gym.make_vec(ENV_ID, num_envs, device=device, numpy=True, **options)
    theirs = gym.make_vec(ENV_ID, num_envs, **options)
    worst = {"same_poses": True, "same_pictures": True, "spectrogram": 0.0, "decibels": 0.0}
    _compare(worst, ours.reset(seed=0)[0], theirs.reset(seed=0)[0])
    ours.action_space.seed(0)
    for _ in range(steps):
        actions = ours.action_space.sample()
        mine, expected = ours.step(actions), theirs.step(actions)
        _compare(worst, mine[0], expected[0])
        worst["decibels"] = max(worst["decibels"], float(np.abs(mine[1] - expected[1]).max()))
    ours.close()
    theirs.close()
    yield {**worst, "num_envs": num_envs, "steps": steps}


def _compare(worst: Finding, ours: Finding, theirs: Finding) -> None:
    worst["same_poses"] &= bool(np.array_equal(ours["pose"], theirs["pose"]))
    for key in ("rgb", "depth", "target"):
        worst["same_pictures"] &= bool(np.array_equal(ours[key], theirs[key]))
    error = np.linalg.norm(ours["mixture"] - theirs["mixture"]) / np.linalg.norm(theirs["mixture"])
    worst["spectrogram"] = max(worst["spectrogram"], float(error))


def profile(device: str, sizes: Any) -> Iterator[Finding]:
    """Where the time of a step goes: labelled stages and the kernels that take most."""
    torch = importlib.import_module("torch")
    profiler = importlib.import_module("torch.profiler")
    envs = make(device, sizes, sizes.profiled, True)
    envs.reset(seed=0)
    play(torch, envs, 3)
    _wait(torch, device)
    kinds = [profiler.ProfilerActivity.CPU]
    if device.startswith("cuda"):
        kinds.append(profiler.ProfilerActivity.CUDA)
    with profiler.profile(activities=kinds) as taken:
        play(torch, envs, PROFILED_STEPS)
        _wait(torch, device)
    events = taken.key_averages()
    envs.close()
    scale = 1e-3 / PROFILED_STEPS  # us of all steps to ms of one
    stages = {
        event.key.removeprefix("av_envs: "): {
            "device_ms": round(event.device_time_total * scale, 3),
            "host_ms": round(event.cpu_time_total * scale, 3),
        }
        for event in events
        if event.key.startswith("av_envs: ") and event.cpu_time_total
    }
    yield {"num_envs": sizes.profiled, "stages": stages}
    name = f"self_{'device' if device.startswith('cuda') else 'cpu'}_time_total"
    longest = sorted(events, key=lambda event: -getattr(event, name))[:KERNELS]
    yield {
        "kernels": [
            {
                "name": event.key[:120],
                "ms": round(getattr(event, name) * scale, 3),
                "calls": round(event.count / PROFILED_STEPS, 1),
            }
            for event in longest
        ]
    }


def learner(device: str, sizes: Any) -> Iterator[Finding]:
    """A policy in the loop: act, keep a rollout of an episode, learn from it once."""
    torch = importlib.import_module("torch")
    encoder = importlib.import_module("av_envs.agents.adapters.encoder").ObservationEncoder
    envs = make(device, sizes, sizes.profiled, False)
    network = encoder(envs.single_observation_space).to(device)
    head = torch.nn.Linear(256, 5).to(device)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], 1e-4)
    observation, _ = envs.reset(seed=0)
    for _ in range(2):  # the first turn warms up
        _wait(torch, device)
        start = time.perf_counter()
        observation, rollout = _rollout(torch, envs, network, head, observation)
        _wait(torch, device)
        acted = time.perf_counter()
        _learn(torch, network, head, optimizer, rollout)
        _wait(torch, device)
        done = time.perf_counter()
    made = sizes.profiled * len(rollout)
    envs.close()
    yield {
        "num_envs": sizes.profiled,
        "acting_steps_per_s": round(made / (acted - start)),
        "learning_samples_per_s": round(made / (done - acted)),
        "steps_per_s": round(made / (done - start)),
    }


def _rollout(torch: Any, envs: Any, network: Any, head: Any, observation: Any) -> tuple[Any, list]:
    rollout = []
    for _ in range(envs.unwrapped.config.steps):
        with torch.no_grad():
            actions = head(network(observation))[:, :4].softmax(1).multinomial(1)[:, 0]
        following, rewards, *_ = envs.step(actions)
        rollout.append((observation, actions, rewards))
        observation = following
    return observation, rollout


def _learn(torch: Any, network: Any, head: Any, optimizer: Any, rollout: list) -> None:
    """One pass of actor and critic over the rollout, in minibatches."""
    for observation, actions, rewards in rollout:
        size = -(-len(actions) // MINIBATCHES)
        for first in range(0, len(actions), size):
            part = slice(first, first + size)
            answer = head(network({key: values[part] for key, values in observation.items()}))
            chosen = answer[:, :4].log_softmax(1).gather(1, actions[part, None])[:, 0]
            gain = rewards[part] - answer[:, 4]
            loss = (gain.square() - gain.detach() * chosen).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def tracer(device: str, sizes: Any) -> Iterator[Finding]:
    """Compare the Warp tracer with that of the processor: levels, and time for one house."""
    try:
        warp_trace = importlib.import_module("av_envs.acoustics.tracing.warp").trace_on_device
    except ModuleNotFoundError as error:
        yield {"skipped": f"Warp is not installed ({error})"}
        return
    scene = timings.house_of(sizes.nodes)
    graph = scene.graph
    heads = graph.heads
    spheres = make_detectors(heads, np.minimum(graph.clearance, DETECTOR_RADIUS))
    sources = heads[:: max(1, len(heads) // 8)]
    rays = {"n_rays": sizes.n_rays * 4}
    start = time.perf_counter()
    warp_trace(scene, sources[:1], spheres, n_rays=64, device=device)
    compile_s = time.perf_counter() - start
    one = trace(scene, sources, spheres, **rays)[0]
    other = warp_trace(scene, sources, spheres, device=device, **rays)[0]
    both = _level(one + other)
    apart = (_level(one) - _level(other))[both > both.max() - 25]
    yield {
        "nodes": len(graph),
        "compile_s": round(compile_s, 1),
        "level_mean_db": round(float(abs(apart.mean())), 3),
        "level_median_abs_db": round(float(np.median(abs(apart))), 3),
    }
    for name in ("numba", "warp"):
        config = TraceConfig(n_rays=sizes.n_rays, tracer=name)
        seconds = timings.all_pairs(config, sizes.nodes)["all_pairs_s"]
        yield {f"all_pairs_s_{name}": round(seconds, 2)}


def _level(energy: np.ndarray) -> np.ndarray:
    """DB of all that arrives, per source, place and band."""
    return 10 * np.log10(energy.sum(axis=2) + 1e-30)
