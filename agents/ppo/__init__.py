"""Recurrent PPO, alone or on several ranks (DD-PPO): one algorithm for all learned agents.

What belongs to a task - networks, what is heard and seen, what is done with a move - comes in
from outside: see `policy.Policy` and `plugins.Plugins`. Read on in `train`, then `collect`,
`update` and `losses`.
"""
