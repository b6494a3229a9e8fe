import numpy as np
import pytest

from av_envs.conventions import BANDS_HZ
from av_envs.scene import MATERIALS, Material

GOOD = (0.1,) * 7


def test_bands_are_seven_octaves():
    bands = np.array(BANDS_HZ)
    assert bands[0] == 125
    assert (bands[1:] == 2 * bands[:-1]).all()
    assert bands.shape == (7,)


def test_every_material_says_where_its_numbers_come_from():
    for name, material in MATERIALS.items():
        assert material.name == name
        assert len(material.source) > 20, name
        assert (np.diff(material.scattering) >= 0).all(), name


def test_a_light_wall_passes_a_hundredth_of_the_bass_and_a_thousandth_at_1_khz():
    stud = MATERIALS["stud_wall"].transmission
    assert stud[0] == pytest.approx(1e-2)
    assert stud[3] == pytest.approx(1e-3)
    assert (np.array(MATERIALS["masonry_wall"].transmission) < stud).all()


@pytest.mark.parametrize("field", ["absorption", "scattering", "transmission"])
@pytest.mark.parametrize("bad", [(0.1,) * 6, (0.1,) * 6 + (1.2,), (-0.1,) + (0.1,) * 6])
def test_values_outside_their_range_are_refused(field, bad):
    values = {"absorption": GOOD, "scattering": GOOD, "transmission": GOOD, field: bad}
    with pytest.raises(ValueError, match=field):
        Material("mud", **values, source="nowhere")


def test_energy_is_not_created():
    with pytest.raises(ValueError, match="more than arrives"):
        Material("mud", (0.6,) * 7, GOOD, (0.6,) * 7, "nowhere")
