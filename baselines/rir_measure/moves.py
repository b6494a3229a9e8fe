"""The four actions of a robot as plain numbers, and where a step leads."""

from av_envs.rir_measure.actions import Action

STOP, FORWARD, LEFT, RIGHT = map(int, Action)
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # east and north, by heading
