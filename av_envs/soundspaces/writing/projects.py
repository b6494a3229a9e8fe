"""Folders, class names and split names that the software of SoundSpaces expects.

The three projects and the paths in their configuration files:

    aavidss   Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources",
              ECCV 2022
    aaviss    Majumder, Al-Halah and Grauman, "Move2Hear: Active Audio-Visual Source
              Separation", ICCV 2021
    audionav  Chen et al., "SoundSpaces: Audio-Visual Navigation in 3D Environments", ECCV 2020
"""

from dataclasses import dataclass
from functools import lru_cache

from av_envs.sound import Corpus, open_corpus
from av_envs.sound.corpora import EMBEDDED
from av_envs.sound.embedded import EmbeddedCorpus

MUSIC, BACKGROUND = "music", "esc"  # the classes of the projects that are not speakers
_DYNAMIC = "audio_data/libriSpeech100Classes_MITMusic_ESC50"
_STATIC = "audio_data/VoxCelebV1TenClasses_MITMusic_ESC50"

# Names by label, as their code lists them: speakers are numbered as in LibriSpeech and VoxCeleb.
_LIBRISPEECH = """
    8474 4057 1001 8410 3816 8163 4039 122 2299 5157 345 4051 7460 6300 music 7932 1160 7078
    6509 7067 8028 2319 3448 8742 4441 1052 4116 3083 7445 2764 957 7730 667 868 439 7802 8619
    125 2162 8772 6286 7540 3361 7828 2194 460 637 4731 5115 5390 203 1121 3221 166 3879 2388
    909 8824 119 6139 2514 6880 8194 3703 2758 2137 1578 3436 7117 4640 3105 1460 3851 7258 4853
    3994 5133 1944 3274 2816 597 esc 5727 500 5985 5189 6014 7247 8011 2989 3645 248 1859 5206
    7868 126 2582 8527 5239 3728 5723 5656
"""
_VOXCELEB = """
    id10393 id10583 id10061 id10954 id10355 id10799 id10203 id10371 id10361 id10254 music esc
"""


@dataclass(frozen=True)
class Project:
    """One of the three.

    classes   names of the classes by label
    episodes  folder of the splits below the root of the tree; {dataset} is filled in
    split     name of a split; {name} {unheard} {start} {scenes} {episodes} are filled in
    unheard   {unheard} of a split whose clips are new; "" where they are heard in training
    starts    {start}: where an agent starts, as `SeparationConfig` calls it
    n_sources of an episode
    clips     folder of whole clips by split of the corpus; {} if the project has none
    seconds   folder of pieces of one second
    """

    classes: tuple[str, ...]
    episodes: str
    split: str
    unheard: str
    starts: dict[str, str]
    n_sources: int
    clips: dict[str, str]
    seconds: dict[str, str]


PROJECTS = {
    "aavidss": Project(
        tuple(_LIBRISPEECH.split()),
        "active_datasets/v1",
        "{name}{unheard}_{episodes}episodes",
        "Unheard",
        {"nearTarget": "target"},
        2,
        {
            "train": f"{_DYNAMIC}/min20s_clips/train_preprocessed",
            "val": f"{_DYNAMIC}/min20s_clips/valUnheard_preprocessed",
            "test": f"{_DYNAMIC}/min20s_clips/testUnheard_preprocessed",
        },
        {
            "train": f"{_DYNAMIC}/1s_chunks/train_preprocessed",
            "val": f"{_DYNAMIC}/1s_chunks/valUnheard_preprocessed",
        },
    ),
    "aaviss": Project(
        tuple(_VOXCELEB.split()),
        "active_datasets/v1",
        "{name}{unheard}_{start}_{scenes}scenes_{episodes}episodes",
        "Unheard",
        {"nearTarget": "target", "farTarget": "far"},
        2,
        {},
        {split: f"{_STATIC}/{split}_preprocessed" for split in ("train", "val", "test")},
    ),
    "audionav": Project(
        tuple(_VOXCELEB.split()),
        "datasets/audionav/{dataset}/v1",
        "{name}_multiple{unheard}",
        "_unheard",
        {"farTarget": "far"},
        1,
        {},
        dict.fromkeys(("train", "val", "test"), "sounds/1s_all"),
    ),
}


@lru_cache(maxsize=8)
def open_sounds(project: str, sounds: str) -> Corpus:
    """The corpus of a project; an embedded one has as many voices as the project speakers."""
    if sounds in EMBEDDED:
        return EmbeddedCorpus(len(PROJECTS[project].classes) - 2, sounds)
    return open_corpus(sounds)


def class_names(project: str, sounds: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The project's names of the classes of a corpus, and their labels there.

    Its code knows only its own classes, so voices take the names of speakers. Recordings of
    your own keep their names and labels; its table of classes must then be edited.
    """
    corpus = open_sounds(project, sounds)
    if sounds not in EMBEDDED:
        names = tuple(name.replace("_", "-") for name in corpus.classes)  # "_" ends the class
        if len(set(names)) < len(names):
            raise ValueError(f"classes of {sounds!r} differ by '_' and '-' only: {corpus.classes}")
        return names, tuple(range(len(names)))
    known = PROJECTS[project].classes
    speakers = iter(name for name in known if name not in (MUSIC, BACKGROUND))
    of_others = {"music": MUSIC, "ambience": BACKGROUND}
    names = tuple(
        of_others[name] if name in of_others else next(speakers) for name in corpus.classes
    )
    return names, tuple(known.index(name) for name in names)


def sound_name(class_name: str, split: str, clip: int, second: int | None = None) -> str:
    """Stem of the file of a clip, or of one of its seconds; the class ends at the first "_"."""
    return f"{class_name}_{split}{clip:03d}" + ("" if second is None else f"-{second:03d}")
