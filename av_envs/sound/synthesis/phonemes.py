"""The sounds of speech as targets of a formant synthesiser.

Vowels: means of adult speakers after Peterson and Barney, "Control methods used in a study
of the vowels", JASA 24, 1952 (rounded, scaled to a vocal tract of 15.5 cm). Consonants:
typical loci and noise bands after Klatt, "Software for a cascade/parallel formant
synthesizer", JASA 67, 1980, and Stevens, "Acoustic Phonetics", MIT Press, 1998.
"""

from typing import NamedTuple


class Phoneme(NamedTuple):
    """Formant targets and excitation of a phoneme.

    formants    (F1, F2, F3) Hz for a neutral speaker
    seconds     typical duration
    voicing     amplitude of the glottal pulses, 1 in a stressed vowel
    aspiration  amplitude of the noise at the glottis
    frication   amplitude of the noise at the constriction
    noise_hz    centre of the frication noise
    noise_q     its sharpness, centre over bandwidth
    damping     factor on the formant bandwidths (nasals lose energy to the nose)
    burst       True if the frication is a release after a closure
    release     seconds that it lasts
    nasal_hz    resonance that the open nose adds, 0 if the nose is shut
    """

    formants: tuple[float, float, float]
    seconds: float
    voicing: float = 1.0
    aspiration: float = 0.0
    frication: float = 0.0
    noise_hz: float = 4000.0
    noise_q: float = 1.0
    damping: float = 1.0
    burst: bool = False
    release: float = 0.012
    nasal_hz: float = 0.0


VOWELS = {
    "iy": Phoneme((290, 2450, 3120), 0.115),
    "ih": Phoneme((410, 2120, 2720), 0.085),
    "eh": Phoneme((570, 1960, 2640), 0.100),
    "ae": Phoneme((740, 1850, 2560), 0.130),
    "ah": Phoneme((680, 1270, 2560), 0.095),
    "aa": Phoneme((770, 1150, 2580), 0.130),
    "ao": Phoneme((590, 890, 2540), 0.130),
    "uh": Phoneme((460, 1080, 2370), 0.085),
    "uw": Phoneme((330, 930, 2370), 0.120),
    "er": Phoneme((500, 1450, 1800), 0.120),
    "ax": Phoneme((480, 1480, 2560), 0.055, voicing=0.75),
}

DIPHTHONGS = {
    "ay": ("aa", "ih"),
    "ey": ("eh", "iy"),
    "ow": ("ao", "uw"),
    "aw": ("aa", "uh"),
    "oy": ("ao", "ih"),
}

CONSONANTS = {
    "p": Phoneme((300, 900, 2200), 0.085, 0.0, 0.10, 0.30, 1200, 0.7, burst=True),
    "t": Phoneme((300, 1750, 2750), 0.085, 0.0, 0.10, 0.45, 4200, 1.0, burst=True),
    "k": Phoneme((300, 1900, 2400), 0.090, 0.0, 0.10, 0.45, 2000, 1.8, burst=True),
    "b": Phoneme((250, 900, 2200), 0.070, 0.20, 0.0, 0.14, 1000, 0.7, burst=True),
    "d": Phoneme((250, 1750, 2750), 0.065, 0.20, 0.0, 0.22, 4000, 1.0, burst=True),
    "g": Phoneme((250, 1900, 2400), 0.070, 0.20, 0.0, 0.22, 1900, 1.8, burst=True),
    "s": Phoneme((320, 1650, 2650), 0.110, 0.0, 0.0, 0.48, 6000, 1.6),
    "sh": Phoneme((320, 1800, 2550), 0.110, 0.0, 0.0, 0.46, 3000, 1.4),
    "ch": Phoneme((300, 1800, 2650), 0.080, 0.0, 0.0, 0.42, 3200, 1.4, burst=True, release=0.055),
    "jh": Phoneme((260, 1800, 2650), 0.065, 0.20, 0.0, 0.24, 3000, 1.4, burst=True, release=0.035),
    "f": Phoneme((320, 1100, 2300), 0.095, 0.0, 0.0, 0.10, 5000, 0.5),
    "th": Phoneme((320, 1400, 2650), 0.090, 0.0, 0.0, 0.10, 5800, 0.6),
    "z": Phoneme((280, 1650, 2650), 0.080, 0.35, 0.0, 0.24, 6000, 1.6),
    "v": Phoneme((280, 1100, 2300), 0.065, 0.45, 0.0, 0.06, 5000, 0.5),
    "dh": Phoneme((280, 1350, 2650), 0.050, 0.50, 0.0, 0.05, 5800, 0.6),
    "h": Phoneme((480, 1480, 2560), 0.060, 0.10, 0.16),
    "m": Phoneme((260, 1050, 2250), 0.065, 0.36, damping=2.2, nasal_hz=1150),
    "n": Phoneme((260, 1550, 2600), 0.060, 0.36, damping=2.2, nasal_hz=1950),
    "ng": Phoneme((260, 2000, 2700), 0.065, 0.36, damping=2.2, nasal_hz=3200),
    "l": Phoneme((350, 1100, 2700), 0.060, 0.45, damping=1.3),
    "r": Phoneme((370, 1200, 1600), 0.060, 0.50, damping=1.2),
    "w": Phoneme((300, 700, 2250), 0.060, 0.45, damping=1.2),
    "j": Phoneme((280, 2250, 3000), 0.060, 0.45, damping=1.2),
}

# How often each stands before and after a vowel; roughly as in running English.
ONSETS = {
    "": 22, "t": 8, "d": 7, "s": 8, "dh": 9, "h": 7, "w": 7, "m": 6, "n": 6, "r": 6, "l": 6,
    "b": 6, "k": 7, "f": 5, "p": 5, "sh": 2, "v": 2, "g": 3, "j": 3, "th": 2, "z": 1,
}  # fmt: skip
CODAS = {
    "": 50, "n": 12, "t": 10, "d": 8, "s": 6, "z": 6, "l": 5, "r": 7, "m": 4, "k": 4, "v": 3,
    "ng": 4, "f": 2, "p": 2, "th": 1, "sh": 1, "b": 1, "g": 1,
}  # fmt: skip
STRESSED = {
    "iy": 13, "ih": 18, "eh": 10, "ae": 8, "ah": 7, "aa": 5, "ao": 5, "uh": 3, "uw": 6, "er": 5,
    "ay": 8, "ey": 9, "ow": 6, "aw": 3,
}  # fmt: skip
UNSTRESSED = {"ax": 45, "ih": 27, "iy": 15, "er": 8, "ah": 5}
