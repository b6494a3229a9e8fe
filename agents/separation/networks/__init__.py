"""Networks of active separation, one file a family.

Spectrograms are linear magnitudes (512 frequencies, 32 frames) of one second at 16 kHz, those of
two ears (2, 512, 32), left first. Nothing is imported here, so that a file can be read alone.
"""
