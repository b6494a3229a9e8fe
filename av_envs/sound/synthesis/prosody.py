"""Prosody: how long, how loud and how high every phoneme of a phrase is said.

Durations follow the rules of Klatt, "Linguistic uses of segmental duration in English", JASA
59, 1976: stress, clusters, the voicing of what follows, the end of a phrase. Pitch sinks along
a phrase, and accents rise above it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from av_envs.sound.synthesis.articulation import Segment, consonant, vowel
from av_envs.sound.synthesis.lexicon import Word
from av_envs.sound.synthesis.phonemes import CONSONANTS, DIPHTHONGS, VOWELS, Phoneme
from av_envs.sound.synthesis.speakers import Speaker

PASSING, STRESSED, ACCENTED = 0, 1, 2
VOWEL_LENGTH = (0.68, 1.05, 1.25)  # factors, by stress
CONSONANT_LENGTH = (0.95, 1.1, 1.25)
LOUDNESS = (0.6, 0.9, 1.1)
EFFORT = (0.15, 0.5, 0.85)
REACH = (0.65, 0.88, 0.97)  # weak vowels are not reached
CLUSTER = 0.75  # factor on the length of consonants beside others
SYLLABIC = 1.5  # and of those that stand for a vowel, as in "people"
FINAL = 1.45  # and from the last vowel of a phrase on
BEFORE_VOICED, BEFORE_VOICELESS = 1.1, 0.85  # factors on a vowel
TUG = 0.8  # semitones by which consonants pull the pitch up, or down if voiced
LOWEST, HIGHEST = -9.0, 15.0  # semitones, where a voice breaks
SONORANT = 0.35  # voicing of consonants that can stand for a vowel, least


class Phone(NamedTuple):
    """A phoneme, the stress of its syllable, and whether the last syllable has begun."""

    name: str
    stress: int
    final: bool

    @property
    def is_vowel(self) -> bool:
        """Or a diphthong."""
        return self.name not in CONSONANTS


@dataclass(frozen=True)
class Contour:
    """The melody of a phrase, in semitones above the speaker's pitch.

    start, fall  where it begins, and how far it has sunk at the end
    accent       how far an accent rises
    turn         what the last syllable adds
    """

    start: float
    fall: float
    accent: float
    turn: float

    def tone(self, phone: Phone, progress: float, height: float) -> float:
        """Of a phone at a place between 0 and 1; `height` says how strong its accent is."""
        tone = self.start - self.fall * progress
        tone += self.accent * height * (0.0, 0.35, 1.0)[phone.stress]
        tone += self.turn * phone.final
        return min(max(tone, LOWEST), HIGHEST)


def phones_of(words: list[Word], rng: np.random.Generator) -> list[Phone]:
    """Phones of a phrase: the last stressed word and three of five others are accented."""
    stressed = [i for i, word in enumerate(words) if word.stress >= 0]
    phones: list[Phone] = []
    for i, word in enumerate(words):
        is_accented = i in stressed and (i == stressed[-1] or rng.random() < 0.6)
        strong = ACCENTED if is_accented else STRESSED
        # Consonants before the stressed vowel belong to its syllable.
        first = word.stress
        while first > 0 and word.phonemes[first - 1] in CONSONANTS:
            first -= 1
        for k, name in enumerate(word.phonemes):
            phones.append(Phone(name, strong if first <= k <= word.stress else PASSING, False))
    last = max(i for i, phone in enumerate(phones) if phone.is_vowel)
    return [phone._replace(final=i >= last) for i, phone in enumerate(phones)]


def said(
    speaker: Speaker,
    phones: list[Phone],
    contour: Contour,
    tempo: float,
    rng: np.random.Generator,
) -> list[Segment]:
    """Segments of a phrase.

    tempo  factor on all durations
    """
    said_alone = {
        part: vowel(speaker, part, 1.0, 0.0, 1.0).phoneme
        for phone in phones
        if phone.is_vowel
        for part in DIPHTHONGS.get(phone.name, (phone.name,))
    }
    segments: list[Segment] = []
    height = 1.0
    for i, phone in enumerate(phones):
        progress = i / len(phones)
        if phone.is_vowel:
            height = float(rng.uniform(0.5, 1.4))
        tone = contour.tone(phone, progress, height)
        loudness = LOUDNESS[phone.stress] * 10 ** (-0.2 * progress) * rng.uniform(0.85, 1.15)
        length = tempo * _length(phones, i) * rng.uniform(0.87, 1.13)
        made = _said_one(speaker, phones, i, length, tone, loudness, said_alone)
        segments += [segment._replace(effort=EFFORT[phone.stress]) for segment in made]
    return segments


def _said_one(
    speaker: Speaker,
    phones: list[Phone],
    i: int,
    length: float,
    tone: float,
    loudness: float,
    said_alone: dict[str, Phoneme],
) -> list[Segment]:
    """Segments of phone `i`; `said_alone` are the vowels of the phrase."""
    phone = phones[i]
    if phone.is_vowel:
        parts = DIPHTHONGS.get(phone.name, (phone.name,))
        share = 0.72 if len(parts) == 2 else 1.0
        reach = REACH[phone.stress]
        return [vowel(speaker, part, share * length, tone, loudness, reach) for part in parts]
    near = said_alone[_nearest_vowel(phones, i)]
    voicing = CONSONANTS[phone.name].voicing
    tug = TUG if voicing == 0 else -TUG if CONSONANTS[phone.name].frication > 0 else 0.0
    puff = _is_vowel(phones, i + 1) and not (i > 0 and phones[i - 1].name == "s")
    made = consonant(speaker, phone.name, near, length, tone + tug, loudness, puff)
    if _is_syllabic(phones, i):
        made = [segment._replace(voicing=max(segment.voicing, 0.8 * loudness)) for segment in made]
    return made


def _length(phones: list[Phone], i: int) -> float:
    """Factor on the typical duration of phone `i`."""
    phone = phones[i]
    factor = FINAL if phone.final else 1.0
    if phone.is_vowel:
        factor *= VOWEL_LENGTH[phone.stress]
        if i + 1 < len(phones) and not phones[i + 1].is_vowel:
            is_voiced = CONSONANTS[phones[i + 1].name].voicing > 0
            factor *= BEFORE_VOICED if is_voiced else BEFORE_VOICELESS
        return factor
    factor *= CONSONANT_LENGTH[phone.stress]
    if _is_syllabic(phones, i):
        return factor * SYLLABIC
    beside = _is_consonant(phones, i - 1) or _is_consonant(phones, i + 1)
    return factor * (CLUSTER if beside else 1.0)


def _is_vowel(phones: list[Phone], i: int) -> bool:
    return 0 <= i < len(phones) and phones[i].is_vowel


def _is_consonant(phones: list[Phone], i: int) -> bool:
    return 0 <= i < len(phones) and not phones[i].is_vowel


def _is_syllabic(phones: list[Phone], i: int) -> bool:
    """A sonorant without a vowel beside it, as the l of "people"."""
    phoneme = CONSONANTS[phones[i].name]
    is_sonorant = phoneme.voicing >= SONORANT and phoneme.frication == 0
    return is_sonorant and not _is_vowel(phones, i - 1) and not _is_vowel(phones, i + 1)


def _nearest_vowel(phones: list[Phone], i: int) -> str:
    """The vowel that colours a consonant: the next one, else the one before."""
    after = (phone.name for phone in phones[i + 1 :] if phone.is_vowel)
    before = (phone.name for phone in reversed(phones[:i]) if phone.is_vowel)
    name = next(after, None) or next(before)
    return name if name in VOWELS else DIPHTHONGS[name][0]
