"""Rendering of scenes: RGB-D and category images, a cache of views, and top-down maps."""

from av_envs.vision.camera import IMAGE_SIZE, MAX_DEPTH, render_labels, render_rgbd
from av_envs.vision.light import Lights, lights_of
from av_envs.vision.topdown import GroundPlan, TopDownMap, ground_plan, top_down_map
from av_envs.vision.views import ViewCache
from av_envs.vision.visibility import FIELD_OF_VIEW

__all__ = [
    "FIELD_OF_VIEW",
    "IMAGE_SIZE",
    "MAX_DEPTH",
    "GroundPlan",
    "Lights",
    "TopDownMap",
    "ViewCache",
    "ground_plan",
    "lights_of",
    "render_labels",
    "render_rgbd",
    "top_down_map",
]
