"""English words spelt in phonemes, and sentences that are grammatical, if not sensible.

A vowel with an apostrophe has the stress of its word; words without one are said in passing.
Pronunciations are those of any dictionary, General American without the finer points.
"""

from typing import NamedTuple

import numpy as np

from av_envs.sound.synthesis.phonemes import CONSONANTS, DIPHTHONGS, VOWELS


class Word(NamedTuple):
    """phonemes of it, and the place of the stressed vowel among them, -1 if it has none."""

    phonemes: tuple[str, ...]
    stress: int

    @classmethod
    def spelt(cls, spelling: str) -> "Word":
        """From phonemes between spaces."""
        parts = spelling.split()
        stressed = [i for i, part in enumerate(parts) if part.endswith("'")]
        phonemes = tuple(part.rstrip("'") for part in parts)
        unknown = set(phonemes) - VOWELS.keys() - DIPHTHONGS.keys() - CONSONANTS.keys()
        if unknown or len(stressed) > 1:
            raise ValueError(f"no word is spelt {spelling!r}; unknown: {sorted(unknown)}")
        return cls(phonemes, stressed[0] if stressed else -1)


def _words(spellings: str) -> tuple[Word, ...]:
    return tuple(Word.spelt(spelling) for spelling in spellings.split(","))


LEXICON: dict[str, tuple[Word, ...]] = {
    "noun": _words(
        # man woman water morning house river window people children story garden mountain
        # summer evening father mother table village money letter question answer doctor
        # captain forest city music picture bottle daughter hour voice road friend school
        # country world family number machine station afternoon shadow animal
        "m ae' n,w uh' m ax n,w ao' t er,m ao' r n ih ng,h aw' s,r ih' v er,w ih' n d ow,"
        "p iy' p l,ch ih' l d r ax n,s t ao' r iy,g aa' r d ax n,m aw' n t ax n,s ah' m er,"
        "iy' v n ih ng,f aa' dh er,m ah' dh er,t ey' b l,v ih' l ih jh,m ah' n iy,l eh' t er,"
        "k w eh' s ch ax n,ae' n s er,d aa' k t er,k ae' p t ax n,f ao' r ax s t,s ih' t iy,"
        "m j uw' z ih k,p ih' k ch er,b aa' t l,d ao' t er,aw' er,v oy' s,r ow' d,f r eh' n d,"
        "s k uw' l,k ah' n t r iy,w er' l d,f ae' m l iy,n ah' m b er,m ax sh iy' n,"
        "s t ey' sh ax n,ae f t er n uw' n,sh ae' d ow,ae' n ih m l"
    ),
    "verb": _words(
        # walked carried found followed opened remembered watched brought believed asked left
        # noticed wanted crossed answered called finished expected began taught heard sold
        "w ao' k t,k ae' r iy d,f aw' n d,f aa' l ow d,ow' p n d,r ih m eh' m b er d,w aa' ch t,"
        "b r ao' t,b ih l iy' v d,ae' s k t,l eh' f t,n ow' t ih s t,w aa' n t ih d,k r ao' s t,"
        "ae' n s er d,k ao' l d,f ih' n ih sh t,ih k s p eh' k t ih d,b ih g ae' n,t ao' t,"
        "h er' d,s ow' l d"
    ),
    "adjective": _words(
        # old little early beautiful small green quiet heavy young dark important simple
        # golden second broken better general happy wooden large
        "ow' l d,l ih' t l,er' l iy,b j uw' t ih f l,s m ao' l,g r iy' n,k w ay' ax t,h eh' v iy,"
        "j ah' ng,d aa' r k,ih m p ao' r t n t,s ih' m p l,g ow' l d n,s eh' k ax n d,"
        "b r ow' k n,b eh' t er,jh eh' n r l,h ae' p iy,w uh' d n,l aa' r jh"
    ),
    "adverb": _words(
        # slowly again yesterday always often never suddenly almost together perhaps
        "s l ow' l iy,ax g eh' n,j eh' s t er d ey,ao' l w iy z,ao' f n,n eh' v er,s ah' d n l iy,"
        "ao' l m ow s t,t ax g eh' dh er,p er h ae' p s"
    ),
    "determiner": _words("dh ax,dh ax,ax,h ih z,h er,dh ih s,m ay,eh' v r iy"),
    "pronoun": _words("h iy,sh iy,w iy,dh ey,j uw,ih t,ay"),
    "preposition": _words("ax v,ih n,t uw,w ih dh,f r ax m,ae t,ah' n d er,ih n t uw,b ih f ao' r"),
    "auxiliary": _words("w ax z,h ae d,w uh d,k uh d,d ih d n t"),
    "conjunction": _words("ax n d,ax n d,b ah t,w eh n,b ih k ax z,dh ae t"),
}

NOUN_PHRASES = (("determiner", "noun"), ("determiner", "adjective", "noun"), ("pronoun",))
VERB_PHRASES = (("verb",), ("adverb", "verb"), ("auxiliary", "adverb", "verb"), ("verb", "adverb"))
PLACES = (("preposition", "determiner", "noun"), ("preposition", "determiner", "adjective", "noun"))


def sentence(rng: np.random.Generator) -> list[list[Word]]:
    """Phrases, one breath each: a clause, perhaps where it happens, perhaps another clause."""
    phrases = [_clause(rng)]
    if rng.random() < 0.5:
        phrases.append(_said(_pick(PLACES, rng), rng))
    if rng.random() < 0.5:
        phrases.append(_said(("conjunction",), rng) + _clause(rng))
    return phrases


def _clause(rng: np.random.Generator) -> list[Word]:
    kinds = (*_pick(NOUN_PHRASES, rng), *_pick(VERB_PHRASES, rng))
    kinds += _pick((*NOUN_PHRASES[:2], *PLACES[:1]), rng)
    return _said(kinds, rng)


def _said(kinds: tuple[str, ...], rng: np.random.Generator) -> list[Word]:
    return [_pick(LEXICON[kind], rng) for kind in kinds]


def _pick(choices: tuple, rng: np.random.Generator):
    return choices[rng.integers(len(choices))]
