"""Separation in torch: houses, sounds and episodes stay on one device. `device=` brings it in.

The only room of `av_envs` that imports torch, and nothing imports it unless asked to.
"""
