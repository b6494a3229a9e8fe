"""Materials, colours and categories of the parts of a mesh, from their names."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from av_envs.scene.importing.labels import COLOURS, GREY, as_material, chosen_material, rule_of
from av_envs.scene.materials import MATERIALS, Material
from av_envs.scene.scene import CATEGORIES, VOID

Materials = Mapping[str, str | Material]


class Finish(NamedTuple):
    """Materials and looks of P parts.

    materials           those that occur
    material, category  (P,) index into `materials` and CATEGORIES
    colour              (P,3) uint8, for surfaces without a colour of their own
    matched             names of the parts by the material that they got
    defaulted           names of the parts that no rule fits
    unused              keywords of the user that fit no part
    """

    materials: tuple[Material, ...]
    material: np.ndarray
    colour: np.ndarray
    category: np.ndarray
    matched: dict[str, tuple[str, ...]]
    defaulted: tuple[str, ...]
    unused: tuple[str, ...]


def finish_parts(
    names: tuple[tuple[str, ...], ...], chosen: Materials, usual: Materials, default: str | Material
) -> Finish:
    """Materials by name: those `chosen` by the user, then the `usual` ones, then the rules.

    names  of each part: its material's name, then its own
    """
    users = {key: as_material(f"materials[{key!r}]", value) for key, value in chosen.items()}
    usuals = {key: as_material(key, value) for key, value in usual.items()}
    fallback = as_material("default", default)
    materials: list[Material] = []
    rows, matched, defaulted = [], {}, {}
    for part in names:
        rule = rule_of(part)
        material = chosen_material(part, users) or chosen_material(part, usuals)
        if material is None and rule is not None:
            material = MATERIALS[rule.material]
        label = " / ".join(part) or "(no name)"
        if material is None:
            material = fallback
            defaulted[label] = None
        else:
            matched.setdefault(material.name, {})[label] = None
        if material not in materials:
            materials.append(material)
        category = VOID if rule is None else CATEGORIES.index(rule.category)
        rows.append((materials.index(material), category, *COLOURS.get(material.name, GREY)))
    table = np.array(rows)
    unused = [k for k in users if not any(chosen_material(part, {k: users[k]}) for part in names)]
    return Finish(
        tuple(materials),
        table[:, 0].astype(np.int32),
        table[:, 2:].astype(np.uint8),
        table[:, 1].astype(np.uint8),
        {material: tuple(labels) for material, labels in matched.items()},
        tuple(defaulted),
        tuple(unused),
    )
