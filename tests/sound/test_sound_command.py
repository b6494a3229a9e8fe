"""The command lists classes and writes wavs that can be read back as a corpus."""

import numpy as np
import pytest

from av_envs.sound import SPLITS, open_corpus
from av_envs.sound.__main__ import main, write_clips


def test_it_lists_every_class_with_its_role(capsys):
    main([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["0", "music", "target", "3", "1", "1"]
    assert lines[2].split() == ["1", "ambience", "distractor", "3", "1", "1"]
    assert len(lines) == 1 + len(open_corpus("embedded").classes)


@pytest.mark.slow
def test_written_clips_are_a_corpus(corpus, tmp_path):
    total = write_clips(corpus, tmp_path, ("music", "voice-01"), SPLITS)
    assert total == 2 * 5 * 20
    read_back = open_corpus(str(tmp_path))
    assert read_back.classes == ("music", "voice-01")
    samples = read_back.samples(read_back.clips("test", "music")[0])
    np.testing.assert_allclose(samples, corpus.samples("music/test-0"), atol=1e-4)


@pytest.mark.parametrize("wrong", [["--classes", "dog"], ["--sounds", "nowhere"]])
def test_wrong_names_end_it_with_a_sentence(wrong):
    with pytest.raises(SystemExit, match=r"error: unknown .* valid: "):
        main(wrong)
