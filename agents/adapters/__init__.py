"""What libraries for reinforcement learning need to train on the environments.

`av_envs.agents.adapters.sb3`    Stable-Baselines3 and sb3-contrib
`av_envs.agents.adapters.rllib`  RLlib, in an environment of its own

Nothing is imported here, so that each library is needed only by those who use it.
"""
