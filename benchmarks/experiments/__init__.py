"""The experiments of the separation paper: `python -m av_envs.benchmarks.experiments`."""
