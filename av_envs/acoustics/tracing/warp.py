"""The energy path tracer of `tracing` for graphics processors, in NVIDIA Warp.

The same physics with other random numbers, so levels agree but not bits; on a graphics
processor the order of additions varies, and with it the last bits from run to run. It is
an option (`TraceConfig(tracer="warp")`, `pip install -e ".[warp]"`): its results are
cached apart from those of the CPU tracer.
"""

import numpy as np
import warp as wp

from av_envs.acoustics.response import (
    COARSE_BIN,
    DIRECTION_GROUP,
    DOWN,
    FINE_BIN,
    N_AZIMUTHS,
    N_BINS,
    N_FINE,
    N_GROUPS,
    N_SECTORS,
    RESPONSE_SECONDS,
    UP,
)
from av_envs.acoustics.tracing.cpu import (
    FAINT,
    FAINTER,
    FAR,
    N_RAYS,
    OFFSET,
    PARALLEL,
    SILENT,
    THICKEST_WALL,
    seed_of,
)
from av_envs.acoustics.tracing.detectors import Detectors
from av_envs.acoustics.tracing.scattering import DIFFUSE, GOLDEN, SPECULAR, TRANSMITTED, turn_of
from av_envs.acoustics.tracing.surfaces import Surfaces, make_surfaces
from av_envs.conventions import N_BANDS, SPEED_OF_SOUND
from av_envs.scene import Scene

wp.config.log_level = wp.LOG_WARNING  # no banner whenever an environment begins to trace

FINE_BINS, FINE, COARSE = (wp.constant(value) for value in (N_FINE, FINE_BIN, COARSE_BIN))
BANDS, LAST_BIN = wp.constant(N_BANDS), wp.constant(N_BINS - 1)
SPEED, REACH = wp.constant(SPEED_OF_SOUND), wp.constant(RESPONSE_SECONDS * SPEED_OF_SOUND)
STEP, NO_HIT = wp.constant(float(OFFSET)), wp.constant(float(FAR))
THIN, THINNER, NOTHING = (wp.constant(float(value)) for value in (FAINT, FAINTER, SILENT))
THICKEST, ALIKE = wp.constant(float(THICKEST_WALL)), wp.constant(float(PARALLEL))
GOLDEN_PART = wp.constant(wp.float64(GOLDEN))
CAP = wp.constant(0.8660254)  # z of directions that count as up or down
AROUND, ABOVE, BELOW = wp.constant(N_AZIMUTHS), wp.constant(UP), wp.constant(DOWN)  # sectors
MIRRORED, SCATTERED, THROUGH = (wp.constant(k) for k in (SPECULAR, DIFFUSE, TRANSMITTED))

Bands = wp.types.vector(length=N_BANDS, dtype=wp.float32)


@wp.struct
class World:
    """Scene data on the device: `Surfaces` and `Detectors`."""

    mesh: wp.uint64
    material: wp.array(dtype=wp.int32)
    transmitted_share: wp.array(dtype=wp.float32)
    reflected: wp.array(dtype=Bands)
    scattering: wp.array(dtype=Bands)
    transmitted: wp.array(dtype=Bands)
    spheres: wp.array2d(dtype=wp.float32)
    group: wp.array(dtype=wp.int32)
    low: wp.float32
    high: wp.float32


def trace_on_device(
    scene: Scene,
    sources: np.ndarray,
    detectors: Detectors,
    *,
    n_rays: int = N_RAYS,
    image_order: int = 2,
    seed: int = 0,
    device: str | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Energy from every source at every detector; arguments and results as for `trace`.

    device  "cuda", "cuda:1" or "cpu"; None: a graphics processor if there is one
    """
    if n_rays < 1:
        raise ValueError(f"n_rays must be positive, got {n_rays}")
    sources = np.atleast_2d(sources).astype(np.float32)
    device = _device(device)
    n_sources, n_nodes = len(sources), len(detectors.order)
    mesh, world = _world(scene, detectors, device)  # the mesh must outlive the launch
    energy = wp.zeros((n_sources * n_nodes, N_BINS, N_BANDS), dtype=wp.float32, device=device)
    arrival = wp.zeros((n_sources * n_nodes, N_GROUPS, N_SECTORS), dtype=wp.float32, device=device)
    lost = wp.zeros(1, dtype=wp.float32, device=device)
    turns = np.array([turn_of(seed_of(seed, source)) for source in range(n_sources)])
    wp.launch(
        _trace_rays,
        dim=(n_sources, n_rays),
        inputs=[
            world,
            wp.array(sources, dtype=wp.vec3, device=device),
            wp.array(turns, dtype=wp.float32, device=device),
            n_rays,
            image_order,
            seed,
            energy,
            arrival,
            lost,
        ],
        device=device,
    )
    energy, arrival = (
        array.numpy().reshape(n_sources, n_nodes, *array.shape[1:])[:, np.argsort(detectors.order)]
        for array in (energy, arrival)
    )
    del mesh
    return energy, arrival, float(lost.numpy()[0]) / (4 * np.pi * n_sources)


def _device(name: str | None) -> wp.Device:
    """The Warp device of that name; an unknown one is an error that lists what there is."""
    if name is None:
        return wp.get_preferred_device()
    try:
        return wp.get_device(name)
    except (ValueError, RuntimeError) as error:
        names = ", ".join(str(device) for device in wp.get_devices())
        raise ValueError(f"device {name!r} is not there; choose from {names}") from error


def _world(scene: Scene, detectors: Detectors, device: wp.Device) -> tuple[wp.Mesh, World]:
    surfaces: Surfaces = make_surfaces(scene)
    points = scene.triangles.reshape(-1, 3)
    mesh = wp.Mesh(
        wp.array(points, dtype=wp.vec3, device=device),
        wp.array(np.arange(len(points), dtype=np.int32), dtype=wp.int32, device=device),
    )
    world = World()
    world.mesh = mesh.id
    world.material = wp.array(surfaces.material, dtype=wp.int32, device=device)
    world.transmitted_share = wp.array(surfaces.transmitted_share, dtype=wp.float32, device=device)
    world.reflected = wp.array(surfaces.reflected, dtype=Bands, device=device)
    world.scattering = wp.array(surfaces.scattering, dtype=Bands, device=device)
    world.transmitted = wp.array(surfaces.transmitted, dtype=Bands, device=device)
    world.spheres = wp.array(detectors.spheres, dtype=wp.float32, device=device)
    world.group = wp.array(DIRECTION_GROUP.astype(np.int32), dtype=wp.int32, device=device)
    world.low, world.high = float(detectors.low), float(detectors.high)
    return mesh, world


@wp.func
def _time_bin(seconds: float):
    late = seconds - FINE * float(FINE_BINS)
    if late < 0.0:
        return int(seconds / FINE)
    return wp.min(LAST_BIN, FINE_BINS + int(late / COARSE))


@wp.func
def _sector(towards: wp.vec3):
    if towards[2] > CAP:
        return ABOVE
    if towards[2] < -CAP:
        return BELOW
    turn = wp.atan2(towards[1], towards[0]) * (float(AROUND) / (2.0 * wp.pi))
    number = int(wp.floor(turn + 0.5))
    return (number + AROUND) % AROUND


@wp.func
def _first_direction(ray: int, n_rays: int, jitter: float, turn: float):
    """As `scattering.first_direction`."""
    z = 1.0 - 2.0 * (float(ray) + jitter) / float(n_rays)
    turns = wp.float64(ray) * GOLDEN_PART + wp.float64(turn)
    angle = 2.0 * wp.pi * float(turns - wp.floor(turns))
    around = wp.sqrt(wp.max(0.0, 1.0 - z * z))
    return wp.vec3(around * wp.cos(angle), around * wp.sin(angle), z)


@wp.func
def _lambert(normal: wp.vec3, u1: float, u2: float):
    """As `scattering.lambert`."""
    axis = wp.vec3(1.0, 0.0, 0.0)
    if wp.abs(normal[0]) > 0.9:
        axis = wp.vec3(0.0, 1.0, 0.0)
    tangent = wp.normalize(wp.cross(normal, axis))
    other = wp.cross(normal, tangent)
    angle, along = 2.0 * wp.pi * u2, wp.sqrt(u1)
    up = wp.sqrt(wp.max(0.0, 1.0 - u1))
    return along * wp.cos(angle) * tangent + along * wp.sin(angle) * other + up * normal


@wp.func
def _interact(world: World, material: int, weight: Bands, u1: float, u2: float):
    """As `scattering.interact`: what happens, the energies after it and their largest."""
    outcome = MIRRORED
    if u1 < world.transmitted_share[material]:
        outcome = THROUGH
        weight = wp.cw_mul(weight, world.transmitted[material])
    else:
        weight = wp.cw_mul(weight, world.reflected[material])
        scattered = wp.dot(weight, world.scattering[material])
        total = 1e-30
        for band in range(BANDS):
            total += weight[band]
        share = scattered / total
        spread = wp.cw_mul(weight, world.scattering[material])
        if u2 < share:
            outcome = SCATTERED
            weight = spread / share
        else:
            weight = (weight - spread) / (1.0 - share)
    return outcome, weight, wp.max(weight)


@wp.func
def _deposit(
    world: World,
    first: int,
    origin: wp.vec3,
    direction: wp.vec3,
    length: float,
    travelled: float,
    weight: Bands,
    energy: wp.array3d(dtype=wp.float32),
    arrival: wp.array3d(dtype=wp.float32),
):
    """As `detectors.deposit`, with all spheres tried; rows of a source begin at `first`."""
    total = 0.0
    for band in range(BANDS):
        total += weight[band]
    where_from = _sector(-direction)
    lowest = wp.min(origin[2], origin[2] + length * direction[2])
    highest = wp.max(origin[2], origin[2] + length * direction[2])
    if highest > world.low and lowest < world.high:
        for i in range(world.spheres.shape[0]):
            to = wp.vec3(world.spheres[i, 0], world.spheres[i, 1], world.spheres[i, 2]) - origin
            nearest = wp.dot(to, direction)
            beside = world.spheres[i, 3] - (wp.dot(to, to) - nearest * nearest)
            if beside > 0.0:
                half = wp.sqrt(beside)
                enter, leave = wp.max(nearest - half, 0.0), wp.min(nearest + half, length)
                middle = travelled + 0.5 * (enter + leave)
                if leave > enter and middle < REACH:
                    k = _time_bin(middle / SPEED)
                    share = (leave - enter) * world.spheres[i, 4]
                    for band in range(BANDS):
                        wp.atomic_add(energy, first + i, k, band, weight[band] * share)
                    wp.atomic_add(arrival, first + i, world.group[k], where_from, total * share)


@wp.kernel
def _trace_rays(
    world: World,
    sources: wp.array(dtype=wp.vec3),
    turns: wp.array(dtype=wp.float32),
    n_rays: int,
    image_order: int,
    seed: int,
    energy: wp.array3d(dtype=wp.float32),
    arrival: wp.array3d(dtype=wp.float32),
    lost: wp.array(dtype=wp.float32),
):
    """Follow one ray, as `tracing._trace_rays` does."""
    source, ray = wp.tid()
    chance = wp.rand_init(seed * 1000003 + source, ray)
    share = 4.0 * wp.pi / float(n_rays)
    origin = sources[source]
    direction = _first_direction(ray, n_rays, wp.randf(chance), turns[source])
    weight = Bands()
    for band in range(BANDS):
        weight[band] = share
    first = source * world.spheres.shape[0]
    # what a loop changes must not be a literal: Warp would take it for a constant
    travelled, faint = float(0.0), float(share * THIN)
    reflections, crossings = int(0), int(0)
    specular, inside, going = bool(True), bool(False), bool(True)
    entered = wp.vec3()
    while going and travelled < REACH:
        hit = wp.mesh_query_ray(world.mesh, origin, direction, NO_HIT)
        if not hit.result:
            for band in range(BANDS):
                wp.atomic_add(lost, 0, weight[band] / float(BANDS))
            going = False
        else:
            normal = wp.mesh_eval_face_normal(world.mesh, hit.face)
            facing = wp.dot(direction, normal)
            other_face = (
                inside
                and wp.abs(facing) * hit.t < THICKEST
                and wp.abs(wp.dot(normal, entered)) > ALIKE
            )
            inside = False
            if other_face:  # of the wall that was paid for at the first one
                travelled += hit.t
                origin += (hit.t + STEP) * direction
            else:
                known = specular and crossings == 0 and reflections <= image_order
                if not (known or reflections == 0):
                    _deposit(
                        world, first, origin, direction, hit.t, travelled, weight, energy, arrival
                    )
                travelled += hit.t
                if facing > 0.0:
                    normal, facing = -normal, -facing
                origin += hit.t * direction
                material = world.material[hit.face]
                outcome, weight, strongest = _interact(
                    world, material, weight, wp.randf(chance), wp.randf(chance)
                )
                if outcome == THROUGH:
                    crossings += 1
                    inside, entered = True, normal
                    normal = -normal
                else:
                    reflections += 1
                    if outcome == SCATTERED:
                        specular = False
                        direction = _lambert(normal, wp.randf(chance), wp.randf(chance))
                    else:
                        direction -= 2.0 * facing * normal
                origin += STEP * normal
                if strongest < share * NOTHING:
                    going = False
                elif strongest < faint:  # thin out: half go on with twice the energy
                    if wp.randf(chance) < 0.5:
                        going = False
                    weight *= 2.0
                    faint *= THINNER * 2.0
