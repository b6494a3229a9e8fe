"""Acoustics: impulse responses of scenes, binaural rendering and spectrograms."""

from av_envs.acoustics.backend import AcousticBackend, TracedAcoustics
from av_envs.acoustics.bank import ResponseBank, TraceConfig
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import Hrtf

__all__ = ["AcousticBackend", "Hrtf", "ResponseBank", "TraceConfig", "TracedAcoustics", "load_hrtf"]
