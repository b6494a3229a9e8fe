"""Colours and names of glTF materials: base colour, its texture, colours of corners."""

from typing import Any

import numpy as np

from av_envs.scene.importing.formats.gltf_file import Gltf
from av_envs.scene.importing.formats.pictures import read_picture, texels

GLOSSY = "KHR_materials_pbrSpecularGlossiness"
MOVED = "KHR_texture_transform"
WEBP = "EXT_texture_webp"


class Looks:
    """Colours and material names of the primitives of a file.

    notes  on pictures that are not there
    """

    def __init__(self, file: Gltf):
        self._file = file
        self._pictures: dict[int, np.ndarray | None] = {}
        self.notes: list[str] = []

    def of(self, primitive: dict[str, Any], faces: np.ndarray) -> tuple[str, np.ndarray | None]:
        """The name of a primitive's material and (F,3) colours 0..255, None without any."""
        material: dict[str, Any] = {}
        if "material" in primitive:
            material = self._file.item("materials", primitive["material"])
        base = material.get("pbrMetallicRoughness") or {}
        factor, texture = base.get("baseColorFactor"), base.get("baseColorTexture")
        glossy = (material.get("extensions") or {}).get(GLOSSY)
        if glossy is not None:
            factor, texture = glossy.get("diffuseFactor"), glossy.get("diffuseTexture")
        colours = None if factor is None else np.tile(np.array(factor[:3], float), (len(faces), 1))
        for more in (self._pictured(texture, primitive, faces), self._tinted(primitive, faces)):
            if more is not None:
                colours = more if colours is None else colours * more
        return str(material.get("name", "")), None if colours is None else 255 * colours

    def _tinted(self, primitive: dict[str, Any], faces: np.ndarray) -> np.ndarray | None:
        """(F,3) in 0..1 by the colours of the corners."""
        if "COLOR_0" not in primitive["attributes"]:
            return None
        tints = self._values(primitive, "COLOR_0", faces)[:, :3]
        return tints.astype(float)[faces].mean(axis=1)

    def _pictured(
        self, texture: dict[str, Any] | None, primitive: dict[str, Any], faces: np.ndarray
    ) -> np.ndarray | None:
        """(F,3) in 0..1 by a texture."""
        if texture is None:
            return None
        moved = (texture.get("extensions") or {}).get(MOVED, {})
        name = f"TEXCOORD_{moved.get('texCoord', texture.get('texCoord', 0))}"
        picture = self._picture(texture["index"])
        if picture is None or name not in primitive["attributes"]:
            return None
        uv = self._values(primitive, name, faces)[:, :2].astype(float)
        uv = uv * moved.get("scale", (1, 1))
        turn = moved.get("rotation", 0.0)
        if turn:
            cosine, sine = np.cos(turn), np.sin(turn)
            uv = uv @ np.array([[cosine, -sine], [sine, cosine]])
        u, v = (uv + moved.get("offset", (0, 0))).T
        return texels(picture, np.stack([u, 1 - v], axis=1)[faces]) / 255  # its v runs down

    def _values(self, primitive: dict[str, Any], name: str, faces: np.ndarray) -> np.ndarray:
        values = self._file.array(primitive["attributes"][name])
        if len(faces) and faces.max() >= len(values):
            raise ValueError(f"{name} has {len(values)} values, {faces.max() + 1} are needed")
        return values

    def _picture(self, number: int) -> np.ndarray | None:
        texture = self._file.item("textures", number)
        source = ((texture.get("extensions") or {}).get(WEBP) or texture).get("source")
        if source is None:
            self.notes.append(f"textures[{number}] has no picture that is read: "
                              f"{', '.join(texture.get('extensions') or ['none'])}")  # fmt: skip
            return None
        if source not in self._pictures:
            self._pictures[source] = self._read(source)
        return self._pictures[source]

    def _read(self, number: int) -> np.ndarray | None:
        image = self._file.item("images", number)
        uri = image.get("uri")
        name = str(image.get("name") or f"images[{number}]")
        if uri is None:
            data = self._file.bytes_of(image["bufferView"])
        else:
            name = name if uri.startswith("data:") else uri
            data = self._file.resource(uri)
        picture = None if data is None else read_picture(data, name)
        if picture is None:
            self.notes.append(f"the picture {name!r} is not there or cannot be read")
        return picture
