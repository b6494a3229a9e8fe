"""Adapters of the environments for libraries of reinforcement learning.

`av_envs.agents.adapters.sb3`    Stable-Baselines3 and sb3-contrib
`av_envs.agents.adapters.rllib`  RLlib, in an environment of its own

Nothing is imported here, so that no library is needed unless its adapter is used.
"""
