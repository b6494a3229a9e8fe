"""Scenes from files: meshes, floor plans, Gazebo worlds. Each reader also returns its report."""

from av_envs.scene.importing.floorplans import Storey, read_floorplan
from av_envs.scene.importing.gazebo import read_gazebo_world
from av_envs.scene.importing.mesh import read_mesh

__all__ = ["Storey", "read_floorplan", "read_gazebo_world", "read_mesh"]
