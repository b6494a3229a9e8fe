"""Options of the commands, a file each.

Nothing here is imported that computes: `--help` and completion come at once, and a command imports
its work when its words have been read.
"""
