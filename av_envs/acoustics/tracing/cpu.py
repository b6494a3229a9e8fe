"""Energy path tracer: energy at every node by time, octave band and direction.

Rays leave a source, scatter and lose energy at surfaces, and deposit energy in
spheres around all nodes at once, in proportion to the length of the chord they cut
(a track-length estimator). It is unbiased for the mean energy in the sphere, treats
specular and diffuse sound alike, and a hundred listeners cost little more than one.

Specular paths of few reflections and the straight line through walls are left out:
image sources and diffraction supply them with exact delays. A ray that enters a wall
pays for the whole wall at once and leaves at its other face: sound does not
reverberate between the two faces, since tables give the loss of the wall as built.
"""

import numpy as np
from numba import njit

from av_envs.acoustics.response import N_BINS, N_GROUPS, N_SECTORS, RESPONSE_SECONDS
from av_envs.acoustics.tracing.detectors import Detectors, deposit
from av_envs.acoustics.tracing.scattering import (
    DIFFUSE,
    TRANSMITTED,
    first_direction,
    interact,
    lambert,
    next_state,
    seeded,
    turn_of,
    uniform,
)
from av_envs.acoustics.tracing.surfaces import make_surfaces
from av_envs.conventions import N_BANDS, SPEED_OF_SOUND
from av_envs.scene import Scene
from av_envs.scene.bvh import closest_hit
from av_envs.threads import in_threads

N_RAYS = 4096
N_CHUNKS = 4  # fixed, so that sums do not depend on the number of workers
OFFSET = np.float32(1e-4)  # m, step off a surface before the next ray
FAINT = np.float32(3e-3)  # of a ray's first energy: below it, rays are thinned out
FAINTER = np.float32(0.2)  # rays halve with each further -7 dB
SILENT = np.float32(1e-7)  # of a ray's first energy
THICKEST_WALL = np.float32(0.5)  # m between two faces that are one wall
PARALLEL = np.float32(0.999)  # cosine between the normals of a wall's faces
NEAR, FAR = np.float32(0), np.float32(1e9)


def trace(
    scene: Scene,
    sources: np.ndarray,
    detectors: Detectors,
    *,
    n_rays: int = N_RAYS,
    image_order: int = 2,
    seed: int = 0,
    workers: int | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Energy from every source at every detector.

    sources  (S, 3) metres
    returns  energy (S, N, 65, 7) and arrival (S, N, 19, 14), float32, air absorption not
             yet applied, and the share of the emitted energy that escaped through gaps

    Specular paths of at most `image_order` reflections are left out. The result is the
    same bit for bit for any number of workers.
    """
    sources = np.atleast_2d(sources).astype(np.float32)
    if n_rays < 1 or n_rays % N_CHUNKS:
        raise ValueError(f"n_rays must be a positive multiple of {N_CHUNKS}, got {n_rays}")
    n_items, n_nodes = len(sources) * N_CHUNKS, len(detectors.order)
    energy = np.zeros((n_items, n_nodes, N_BINS, N_BANDS), np.float32)
    arrival = np.zeros((n_items, n_nodes, N_GROUPS, N_SECTORS), np.float32)
    surfaces = make_surfaces(scene)

    def run(item: int) -> float:
        source, chunk = divmod(item, N_CHUNKS)
        rays = np.arange(chunk, n_rays, N_CHUNKS)
        limits = (n_rays, image_order, seed_of(seed, source))
        return _trace_rays(
            scene.bvh,
            surfaces,
            detectors,
            sources[source],
            rays,
            limits,
            energy[item],
            arrival[item],
        )

    lost = sum(in_threads(run, range(n_items), workers)) / (4 * np.pi * len(sources))
    shape = len(sources), N_CHUNKS, n_nodes
    energy, arrival = (
        chunks.reshape(*shape, *chunks.shape[2:]).sum(axis=1)[:, np.argsort(detectors.order)]
        for chunks in (energy, arrival)
    )
    return energy, arrival, float(lost)


def seed_of(seed: int, source: int) -> np.uint64:
    """Seed of the random numbers of one source."""
    return np.uint64((seed * 1_000_003 + source) & 0xFFFFFFFF)


@njit(cache=True, nogil=True, fastmath=True)
def _trace_rays(bvh, surfaces, detectors, source, rays, limits, energy, arrival):
    """Follow `rays`; returns the energy that left the scene (of 4 pi in all)."""
    n_rays, image_order, seed = limits
    share = np.float32(4.0 * np.pi / n_rays)
    reach = np.float32(RESPONSE_SECONDS * SPEED_OF_SOUND)
    weight = np.empty(N_BANDS, np.float32)
    lost, turn = 0.0, turn_of(seed)
    for ray in rays:
        state = next_state(seeded(seed, ray))
        dx, dy, dz = first_direction(ray, n_rays, uniform(state), turn)
        ox, oy, oz = source[0], source[1], source[2]
        weight[:] = share
        travelled = np.float32(0.0)
        reflections, crossings, specular, inside = 0, 0, True, False
        ex, ey, ez = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        faint = share * FAINT
        while travelled < reach:
            t, triangle = closest_hit(bvh, ox, oy, oz, dx, dy, dz, NEAR, FAR)
            if triangle < 0:
                lost += weight.mean()
                break
            nx, ny, nz = surfaces.normals[triangle]
            facing = dx * nx + dy * ny + dz * nz
            if inside:
                inside = False
                thickness = abs(facing) * t
                if thickness < THICKEST_WALL and abs(nx * ex + ny * ey + nz * ez) > PARALLEL:
                    travelled += t  # the wall's other face: it was paid for at the first one
                    t += OFFSET
                    ox, oy, oz = ox + t * dx, oy + t * dy, oz + t * dz
                    continue
            known = (specular and crossings == 0 and reflections <= image_order) or (
                reflections == 0  # straight through walls
            )
            if not known:
                line = (ox, oy, oz, dx, dy, dz)
                deposit(detectors, line, t, travelled, weight, energy, arrival)
            travelled += t
            if facing > 0:
                nx, ny, nz, facing = -nx, -ny, -nz, -facing
            ox, oy, oz = ox + t * dx, oy + t * dy, oz + t * dz
            material = surfaces.material[triangle]
            outcome, strongest, state = interact(surfaces, material, weight, state)
            if outcome == TRANSMITTED:
                crossings += 1
                inside, ex, ey, ez = True, nx, ny, nz
                nx, ny, nz = -nx, -ny, -nz  # go on at the far side
            else:
                reflections += 1
                if outcome == DIFFUSE:
                    specular = False
                    state = next_state(state)
                    u1 = uniform(state)
                    state = next_state(state)
                    dx, dy, dz = lambert(nx, ny, nz, u1, uniform(state))
                else:
                    dx -= 2 * facing * nx
                    dy -= 2 * facing * ny
                    dz -= 2 * facing * nz
            ox, oy, oz = ox + OFFSET * nx, oy + OFFSET * ny, oz + OFFSET * nz
            if strongest < share * SILENT:
                break
            if strongest < faint:  # thin out: half of the rays go on with twice the energy
                state = next_state(state)
                if uniform(state) < np.float32(0.5):
                    break
                weight *= np.float32(2.0)
                faint *= FAINTER * np.float32(2.0)
    return lost
