"""Where a line of sight meets a triangle, and where on its surface that is."""

from numba import njit


@njit(inline="always", fastmath=True)
def reached(triangles, normals, k, eye, dx, dy, dz):
    """How many d it is from the eye to triangle k."""
    nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
    away = (
        nx * (triangles[k, 0] - eye[0])
        + ny * (triangles[k, 1] - eye[1])
        + nz * (triangles[k, 2] - eye[2])
    )
    return away / (nx * dx + ny * dy + nz * dz)


@njit(inline="always", fastmath=True)
def place_of(nx, ny, nz, t, facing, eye, dx, dy, dz, cos, sin, pixel):
    """(u, v, du, dv) of the point at eye + t d: place on its surface and extent of a pixel there.

    One pixel sideways changes the direction by `pixel` x (sin, -cos, 0), one pixel down
    by -`pixel` x (0, 0, 1); the point slides along its plane accordingly.
    """
    slide_x = t * pixel * (nx * sin - ny * cos) / facing
    slide_z = t * pixel * nz / facing
    x, y, z = eye[0] + t * dx, eye[1] + t * dy, eye[2] + t * dz
    width_x = abs(t * pixel * sin - slide_x * dx) + abs(slide_z * dx)
    width_y = abs(t * pixel * cos + slide_x * dy) + abs(slide_z * dy)
    width_z = abs(slide_x * dz) + abs(t * pixel - slide_z * dz)
    if abs(nz) > 0.7:
        return x, y, width_x, width_y
    if abs(nx) > abs(ny):
        return y, z, width_y, width_z
    return x, z, width_x, width_z
