"""Speed of environments: `python -m av_envs.benchmarks.speed`."""
