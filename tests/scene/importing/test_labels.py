import pytest

from av_envs.scene import CATEGORIES, MATERIALS, Material
from av_envs.scene.importing.finish import finish_parts
from av_envs.scene.importing.labels import COLOURS, RULES, as_material, rule_of, words_of


def material_of(*names):
    rule = rule_of(names)
    return None if rule is None else rule.material


def test_rules_name_materials_and_categories_that_exist():
    assert {rule.material for rule in RULES} <= set(MATERIALS)
    assert {rule.category for rule in RULES} <= set(CATEGORIES)
    assert set(COLOURS) <= set(MATERIALS)


def test_names_fall_into_words():
    assert words_of("aws_RoomWall_01.002") == "aws room wall"
    assert words_of("TVCabinet") == "tv cabinet"


@pytest.mark.parametrize(
    ("name", "material"),
    [
        ("LivingRoom_Carpet.001", "carpet"),
        ("SafetyGlass", "single_glass"),
        ("RoomWindow_01", "window_glass"),
        ("bedroom_wall", "lined_outer_wall"),
        ("BedroomCeiling", "plaster_ceiling"),
        ("Bed_01", "mattress"),
        ("red brick wall", "outer_wall"),
        ("bathroom tiles", "tile_floor"),
        ("kitchen_floor", "wood_floor"),
        ("KitchenTable", "wood_furniture"),
        ("Rug", "rug"),
        ("textile", "upholstery"),
        ("drugstore", None),
        ("Cube.003", None),
        ("", None),
    ],
)
def test_what_a_name_means(name, material):
    assert material_of(name) == material


def test_the_material_speaks_before_the_object_and_both_may_speak_together():
    assert material_of("glass", "front door") == "single_glass"
    assert material_of("Material.001", "front door") == "wooden_door"
    assert material_of("Wood", "Floor") == "wood_floor"
    assert material_of("Wood", "Sofa") == "wood_furniture"


def test_users_come_first_and_the_longest_keyword_of_theirs():
    foil = Material("foil", (0.3,) * 7, (0.1,) * 7, (0.0,) * 7, "made up for this test")
    finish = finish_parts(
        (("Wall_East",), ("Wall_West",), ("Chair",), ("Cube",)),
        {"wall": "concrete", "Wall_W": foil, "lamp": "metal"},
        {"wall": "carpet"},
        "unknown",
    )
    names = [finish.materials[k].name for k in finish.material]
    assert names == ["concrete", "foil", "upholstery", "unknown"]
    assert finish.matched == {
        "concrete": ("Wall_East",), "foil": ("Wall_West",), "upholstery": ("Chair",)
    }  # fmt: skip
    assert finish.defaulted == ("Cube",)
    assert finish.unused == ("lamp",)
    assert CATEGORIES[finish.category[0]] == "wall"


def test_materials_that_do_not_exist_are_refused_with_a_list():
    with pytest.raises(ValueError, match=r"materials\['wall'\]: .*'mud'; there is .*carpet"):
        finish_parts((("wall",),), {"wall": "mud"}, {}, "unknown")
    with pytest.raises(ValueError, match="default: no material is called 'mud'"):
        as_material("default", "mud")
