"""Real corpora as folders of clips: `python -m av_envs.sound import KIND SRC --out DIR`.

`layouts` knows where the recordings of each corpus lie, `division` shares them among the splits,
`cutting` makes clips of equal length of them, `folders` writes the folder that
`open_corpus(DIR)` reads. Everything is the same on every machine; nothing is drawn by chance.
"""

from av_envs.sound.importing.folders import Import, import_corpus
from av_envs.sound.importing.layouts import LAYOUTS, Recording

__all__ = ["LAYOUTS", "Import", "Recording", "import_corpus"]
