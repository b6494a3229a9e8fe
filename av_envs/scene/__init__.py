"""Scenes: surfaces, materials, rooms and a navigation graph; procedural dwellings."""

from av_envs.scene.bvh import Bvh, any_hit, build_bvh, cast_rays, closest_hit, occluded
from av_envs.scene.materials import MATERIALS, Material
from av_envs.scene.navigation import HEAD_HEIGHT, NavigationGraph
from av_envs.scene.procedural.house import House
from av_envs.scene.procedural.splits import SPLITS, load_scene, scene_name
from av_envs.scene.scene import CATEGORIES, Room, Scene

__all__ = [
    "CATEGORIES",
    "HEAD_HEIGHT",
    "MATERIALS",
    "SPLITS",
    "Bvh",
    "House",
    "Material",
    "NavigationGraph",
    "Room",
    "Scene",
    "any_hit",
    "build_bvh",
    "cast_rays",
    "closest_hit",
    "load_scene",
    "occluded",
    "scene_name",
]
