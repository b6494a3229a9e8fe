"""Numbers that every room agrees on (units: metres, seconds, hertz, radians).

World frame: x east, y north, z up. Headings count counter-clockwise from +x in
quarter turns: 0 east, 1 north, 2 west, 3 south.
"""

SAMPLE_RATE = 16_000  # Hz
SPEED_OF_SOUND = 343.0  # m/s, dry air at 20 degrees C
BANDS_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # octave band centres
N_BANDS = len(BANDS_HZ)
N_HEADINGS = 4
HEADING_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # by heading: one step east, north; cos, sin
