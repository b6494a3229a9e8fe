"""Materials and categories by keywords in names: "LivingRoom_Carpet.001" is a carpet.

A keyword of up to three letters must be a whole word of the name ("rug", but not in
"drugstore"), a longer one may stand anywhere in it ("glass" in "SafetyGlass"). Rules
come in order: what a thing is made of, then what part of a building it is, then
furniture, so that the wall of a bedroom is a wall and not a bed.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from av_envs.scene.materials import MATERIALS, Material

Colour = tuple[int, int, int]


class Rule(NamedTuple):
    """Material and category of names with one of the keywords.

    material  name in MATERIALS
    category  one of `av_envs.scene.CATEGORIES`, "void" where the keyword does not tell
    """

    keywords: tuple[str, ...]
    material: str
    category: str = "void"


RULES: tuple[Rule, ...] = (
    Rule(("wall hanging", "tapestry"), "wall_hanging"),
    Rule(("carpet", "moquette"), "carpet", "rug"),
    Rule(("rug", "doormat", "floormat"), "rug", "rug"),
    Rule(("curtain", "drape", "blinds"), "curtain", "curtain"),
    Rule(("windowframe", "window frame", "doorframe", "door frame"), "wooden_door", "door frame"),
    Rule(("window", "double glazing", "doubleglazing"), "window_glass", "window"),
    Rule(("glass", "glazing", "mirror"), "single_glass", "window"),
    Rule(("acoustic", "absorber"), "acoustic_ceiling"),
    Rule(("leather",), "leather"),
    Rule(("textile", "fabric", "upholster", "cloth", "velvet", "linen"), "upholstery"),
    Rule(("foam", "mattress"), "mattress", "bed"),
    Rule(("brick", "masonry"), "outer_wall", "wall"),
    Rule(("concrete", "cement", "asphalt"), "concrete"),
    Rule(("linoleum", "vinyl", "rubber", "cork"), "linoleum"),
    Rule(("parquet", "hardwood", "plank", "laminate", "woodfloor", "wood floor"), "wood_floor"),
    Rule(("tile", "tiling"), "tile_floor"),
    Rule(("marble", "granite", "worktop", "countertop"), "worktop"),
    Rule(("stone",), "stone_wall"),
    Rule(("ceramic", "porcelain"), "ceramic"),
    Rule(("drywall", "gypsum", "plasterboard", "sheetrock"), "lined_outer_wall", "wall"),
    Rule(("ceiling",), "plaster_ceiling", "ceiling"),
    Rule(("plaster", "stucco"), "outer_wall", "wall"),
    Rule(("metal", "steel", "aluminium", "aluminum", "chrome", "copper"), "metal"),
    Rule(("wood", "timber", "oak", "mdf"), "wood_furniture"),
    Rule(("plant", "foliage", "leaf", "leaves", "flower"), "plant"),
    Rule(("door",), "wooden_door", "door"),
    Rule(("wall",), "lined_outer_wall", "wall"),
    Rule(("floor", "ground"), "wood_floor", "floor"),
    Rule(("roof",), "plaster_ceiling", "ceiling"),
    Rule(("picture", "painting", "portrait", "poster"), "wall_hanging", "picture"),
    Rule(("tablet", "television", "monitor", "screen", "lamp", "light"), "single_glass"),
    Rule(("tableware", "vase"), "ceramic"),
    Rule(("sofa", "couch", "settee"), "upholstery", "sofa"),
    Rule(("chair", "stool", "ottoman", "cushion", "pillow", "seat"), "upholstery", "armchair"),
    Rule(("bed", "beds", "quilt", "blanket", "duvet"), "mattress", "bed"),
    Rule(("bookshel", "bookcase", "book"), "bookshelf", "bookshelf"),
    Rule(("wardrobe", "closet"), "wood_furniture", "wardrobe"),
    Rule(("nightstand", "night stand", "bedside"), "wood_furniture", "nightstand"),
    Rule(("shoe",), "wood_furniture", "shoe cabinet"),
    Rule(("coffeetable", "coffee table"), "wood_furniture", "coffee table"),
    Rule(("desk",), "wood_furniture", "desk"),
    Rule(("table",), "wood_furniture", "dining table"),
    Rule(("cabinet", "cupboard", "dresser", "drawer", "shelf", "shelves"), "wood_furniture",
         "sideboard"),
    Rule(("kitchen", "counter"), "worktop", "kitchen counter"),
    Rule(("fridge", "refrigerator", "freezer"), "metal", "fridge"),
    Rule(("oven", "stove", "rangehood", "dishwasher"), "metal", "kitchen counter"),
    Rule(("bathtub", "shower"), "ceramic", "bathtub"),
    Rule(("basin", "sink"), "ceramic", "basin"),
    Rule(("toilet", "wc"), "ceramic", "toilet"),
)  # fmt: skip

# Of surfaces without a colour of their own; everything else is grey.
COLOURS: dict[str, Colour] = {
    "carpet": (150, 128, 110), "rug": (146, 92, 84), "curtain": (188, 170, 148),
    "window_glass": (178, 206, 220), "single_glass": (178, 206, 220),
    "outer_wall": (222, 214, 200), "masonry_wall": (222, 214, 200),
    "lined_outer_wall": (228, 224, 214), "stud_wall": (228, 224, 214),
    "plaster_ceiling": (240, 240, 236), "acoustic_ceiling": (232, 232, 226),
    "wood_floor": (174, 132, 92), "tile_floor": (196, 196, 190), "linoleum": (160, 168, 164),
    "concrete": (168, 168, 164), "stone_wall": (180, 172, 158), "worktop": (120, 118, 116),
    "wooden_door": (156, 112, 76), "wood_furniture": (150, 108, 72), "bookshelf": (134, 96, 66),
    "upholstery": (108, 122, 146), "leather": (112, 76, 56), "mattress": (214, 210, 204),
    "wall_hanging": (160, 120, 100), "ceramic": (236, 236, 232), "metal": (150, 154, 160),
    "plant": (92, 132, 76),
}  # fmt: skip
GREY: Colour = (186, 184, 180)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words_of(name: str) -> str:
    """The words of a name in small letters: "aws_RoomWall_01.002" has "aws room wall"."""
    return " ".join(_WORD.findall(name)).lower()


def has_keyword(name: str, keyword: str) -> bool:
    """Whether the name of a thing holds the keyword, see the module."""
    words, keyword = words_of(name), keyword.lower()
    if len(keyword) <= 3:
        return keyword in words.split()
    return keyword in words or keyword in name.lower()


def rule_of(names: tuple[str, ...]) -> Rule | None:
    """The first rule that fits the first name that any rule fits; None where none does.

    Keywords of two words may find one in each name: "Wood" on "Floor" is a wood floor.
    """
    joined = words_of(" ".join(names))
    for rule in RULES:
        if any(" " in keyword and keyword in joined for keyword in rule.keywords):
            return rule
    for name in names:
        for rule in RULES:
            if any(has_keyword(name, keyword) for keyword in rule.keywords):
                return rule
    return None


def chosen_material(names: tuple[str, ...], chosen: Mapping[str, Material]) -> Material | None:
    """The user's material for a part with these names; the longest matching keyword wins."""
    for keyword in sorted(chosen, key=lambda keyword: (-len(keyword), keyword)):
        if any(keyword.lower() in name.lower() for name in names):
            return chosen[keyword]
    return None


def as_material(option: str, value: str | Material) -> Material:
    """A material by its name in MATERIALS, or itself."""
    if isinstance(value, Material):
        return value
    if value not in MATERIALS:
        raise ValueError(
            f"{option}: no material is called {value!r}; "
            f"there is {', '.join(sorted(MATERIALS))}, or give a Material"
        )
    return MATERIALS[value]
