"""Acoustic engines compared: `python -m av_envs.benchmarks.engines`."""
