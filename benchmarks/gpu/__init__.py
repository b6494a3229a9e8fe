"""Figures of a GPU: `python -m av_envs.benchmarks.gpu`."""
