"""The data set that the engine writes."""

import numpy as np
import pytest

from av_envs.agents.localization.dcase import (
    metadata_path,
    read_metadata,
    read_recording,
    recordings_in,
    slots_of,
    sound_path,
)
from av_envs.agents.localization.generate import main


def test_no_folder_is_written_into_twice(recordings, capsys):
    with pytest.raises(SystemExit):
        main(["--out", str(recordings)])
    assert "holds recordings already; choose another --out" in capsys.readouterr().err


@pytest.mark.slow
def test_a_small_data_set(tmp_path):
    """Six folds with a recording in both formats, whose metadata fit."""
    out = tmp_path / "data"
    assert main(["--out", str(out), "--per-fold", "2", "--rooms", "1", "--seconds", "2"]) == 0
    foa, mic = (recordings_in(out, form, range(1, 7)) for form in ("foa", "mic"))
    assert foa == mic
    assert [name.overlap for name in foa] == [1, 2] * 6
    for name in foa:
        for form in ("foa", "mic"):
            signals = read_recording(sound_path(out, form, name), form)
            assert signals.shape == (4, 48_000)
            assert np.abs(signals).max() == pytest.approx(0.9, abs=1e-3)
        path = metadata_path(out, name)
        _, active = slots_of(read_metadata(path), 20, name.overlap, path)
        assert active.any()
