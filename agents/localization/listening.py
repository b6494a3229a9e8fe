"""What a localiser finds in sequences, ready to be scored."""

import torch

from av_envs.agents.localization.localizer import Localizer
from av_envs.agents.localization.metrics import Frames
from av_envs.agents.localization.sequences import Sequences


def found_in(localizer: Localizer, recording: Sequences) -> Frames:
    """Found and true directions of one recording; its sequences follow each other."""
    localizer.eval()
    with torch.inference_mode():
        directions, logits = localizer(torch.from_numpy(recording.maps))
    sounding = torch.ones(directions.shape[:-1], dtype=torch.bool) if logits is None else logits > 0
    found = (directions.numpy(), sounding.numpy(), *recording[1:])
    return Frames(*(part.reshape(-1, *part.shape[2:]) for part in found))
