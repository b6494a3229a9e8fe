"""The picture of an episode at one second."""

from collections.abc import Sequence

import numpy as np

from av_envs.separation.config import SeparationConfig
from av_envs.separation.rendering import FrameContent, episode_frame
from av_envs.separation.state import EpisodeState


def shown_state(
    state: EpisodeState, config: SeparationConfig, classes: Sequence[str]
) -> np.ndarray:
    """(608, 992, 3) uint8, see `episode_frame`.

    classes  names of the corpus's classes
    """
    is_compared = "si_sdr_gain" in state.score
    name = classes[state.target.label].encode("ascii", "replace").decode()  # all the font has
    return episode_frame(
        FrameContent(
            scene=state.dwelling.scene,
            trajectory=state.trajectory,
            source_nodes=state.episode.source_nodes,
            view=state.dwelling.picture(*state.pose),
            mixture=state.audio.spectrogram,
            estimate=_scored(state, config),
            target=state.truth.magnitude,
            history=state.history,
            worth="SI-SDR gain over the start" if is_compared else "SI-SDR",
            steps=config.steps,
            caption=f"step {state.t} of {config.steps}   target {name}",
            estimate_title="scored, 1 s ago" if state.own_estimate else "scored",
            facts=_facts(state),
        )
    )


def _scored(state: EpisodeState, config: SeparationConfig) -> np.ndarray | None:
    """The estimate that was scored; None in a copy of an environment, which has not kept it."""
    if state.judged is not None:
        return state.judged
    of_mixture = config.estimator == "mixture" and not state.own_estimate
    return state.audio.mixture if of_mixture or state.t == 0 else None


def _facts(state: EpisodeState) -> list[tuple[str, str]]:
    score = state.score
    facts = [("SI-SDR", f"{score['si_sdr']:.1f} dB")]
    if "si_sdr_gain" in score:
        facts.insert(0, ("gain over start", f"{score['si_sdr_gain']:+.1f} dB"))
    facts.append(("target to rest", f"{score['target_to_rest_db']:+.0f} dB"))
    facts.append(("way to target", f"{state.metres_to_target:.0f} m"))
    return facts
