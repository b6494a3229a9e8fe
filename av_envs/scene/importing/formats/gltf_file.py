"""glTF 2.0 as a file: its JSON, its buffers and the arrays in them.

Khronos Group, "glTF 2.0 Specification", 2.0.1, 2021.
"""

import base64
import binascii
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from av_envs.json_files import parse_json

MAGIC, JSON_CHUNK, BINARY_CHUNK = b"glTF", 0x4E4F534A, 0x004E4942
COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
# Of these, what tells where surfaces are and what colour they have is read.
READ = ("KHR_mesh_quantization", "KHR_texture_transform", "EXT_texture_webp",
        "KHR_materials_pbrSpecularGlossiness")  # fmt: skip
# These change gloss, lights or remarks, nothing that a scene here has.
NO_SHAPES = ("KHR_materials_", "KHR_lights_", "KHR_xmp", "KHR_animation_pointer")
# Extensions that change or add surfaces where they stand, also where no file requires them.
SHAPES = ("EXT_mesh_gpu_instancing", "EXT_meshopt_compression", "KHR_meshopt_compression",
          "KHR_draco_mesh_compression")  # fmt: skip


class Gltf:
    """A file whose extensions are all honoured.

    content  its JSON
    """

    def __init__(self, path: Path):
        self.path = path
        data = path.read_bytes()
        self._chunk: bytes | None = None
        text = data
        if data.startswith(MAGIC):
            text = self._open_chunks(data)
        try:
            self.content: dict[str, Any] = parse_json(text)
        except ValueError as error:
            raise ValueError(f"its JSON cannot be read: {error}") from None
        self._check()
        self._buffers: dict[int, bytes] = {}

    def items(self, name: str) -> list[Any]:
        return self.content.get(name) or []

    def item(self, name: str, number: int) -> Any:
        """An entry of one of the lists, which indices elsewhere in the file refer to."""
        items = self.items(name)
        if not isinstance(number, int) or not 0 <= number < len(items):
            raise ValueError(f"it refers to {name}[{number}], of which it has {len(items)}")
        return items[number]

    def array(self, number: int) -> np.ndarray:
        """(n, width) of an accessor; normalised integers as float64 in -1..1."""
        accessor = self.item("accessors", number)
        count, width = int(accessor["count"]), WIDTHS[accessor["type"]]
        kind = np.dtype(COMPONENTS[accessor["componentType"]])
        where = f"accessors[{number}]"
        if "bufferView" in accessor:
            values = self._view_array(where, accessor, kind, count, width)
        elif "sparse" in accessor:
            values = np.zeros((count, width), kind)
        else:
            raise ValueError(f"{where} has {count} values and no bufferView to hold them")
        if "sparse" in accessor:
            values = self._sparse(where, accessor["sparse"], values)
        self._check_bounds(where, accessor, values)
        if accessor.get("normalized") and kind.kind in "iu":
            values = np.maximum(values / float(np.iinfo(kind).max), -1.0)
        return values

    def bytes_of(self, number: int) -> bytes:
        """The bytes of a bufferView."""
        view = self.item("bufferViews", number)
        buffer = self._buffer(view["buffer"])
        start, length = view.get("byteOffset", 0), view["byteLength"]
        if start < 0 or length < 0 or start + length > len(buffer):
            raise ValueError(f"bufferViews[{number}] needs bytes {start}..{start + length}, "
                             f"its buffer has {len(buffer)}")  # fmt: skip
        return buffer[start : start + length]

    def resource(self, uri: str) -> bytes | None:
        """Content of a URI, None if there is no such file."""
        if uri.startswith("data:"):
            try:
                return base64.b64decode(uri.partition(",")[2], validate=True)
            except binascii.Error as error:
                raise ValueError(f"a data URI cannot be read: {error}") from None
        if "://" in uri:
            raise ValueError(f"{uri[:80]!r} is not a file beside it")
        file = self.path.parent / unquote(uri)
        return file.read_bytes() if file.is_file() else None

    def _open_chunks(self, data: bytes) -> bytes:
        version, length = (int.from_bytes(data[k : k + 4], "little") for k in (4, 8))
        if version != 2:
            raise ValueError(f"version {version} of binary glTF is not read, 2 is")
        if length != len(data):
            raise ValueError(f"it declares {length} bytes and has {len(data)}")
        at, chunks = 12, []
        while at + 8 <= len(data):
            size, kind = (int.from_bytes(data[at + k : at + k + 4], "little") for k in (0, 4))
            if at + 8 + size > len(data):
                raise ValueError(f"a chunk declares {size} bytes, {len(data) - at - 8} are left")
            chunks.append((kind, data[at + 8 : at + 8 + size]))
            at += 8 + size
        if not chunks or chunks[0][0] != JSON_CHUNK:
            raise ValueError("its first chunk is not JSON")
        self._chunk = next((body for kind, body in chunks[1:] if kind == BINARY_CHUNK), None)
        return chunks[0][1]

    def _check(self) -> None:
        """Refuse other versions, and by name extensions that are not supported."""
        if not isinstance(self.content, dict) or "asset" not in self.content:
            raise ValueError("it has no 'asset', so it is not glTF")
        asset = self.content["asset"]
        version = str(asset.get("minVersion", asset.get("version")))
        if version != "2.0":
            raise ValueError(f"version {version} of glTF is not read, 2.0 is")
        unread = [
            name
            for name in self.content.get("extensionsRequired", [])
            if name not in READ and not str(name).startswith(NO_SHAPES)
        ]
        if unread:
            raise ValueError(f"it requires {', '.join(map(str, unread))}, which is not read; "
                             "export it without")  # fmt: skip

    def _buffer(self, number: int) -> bytes:
        if number not in self._buffers:
            buffer = self.item("buffers", number)
            uri = buffer.get("uri")
            data = self._chunk if uri is None and number == 0 else uri and self.resource(uri)
            if data is None:
                refuse_extensions(f"buffers[{number}]", buffer)
                what = repr(uri[:80]) if uri else "a binary chunk"
                raise ValueError(f"buffers[{number}] is in {what}, which is not there")
            if len(data) < buffer["byteLength"]:
                raise ValueError(f"buffers[{number}] declares {buffer['byteLength']} bytes "
                                 f"and has {len(data)}")  # fmt: skip
            self._buffers[number] = data
        return self._buffers[number]

    def _view_array(
        self, where: str, accessor: dict[str, Any], kind: np.dtype, count: int, width: int
    ) -> np.ndarray:
        data = self.bytes_of(accessor["bufferView"])
        start, row = accessor.get("byteOffset", 0), width * kind.itemsize
        view = self.item("bufferViews", accessor["bufferView"])
        stride = view.get("byteStride") or row
        needed = start + stride * (count - 1) + row if count else 0
        if min(start, count) < 0 or stride < row or needed > len(data):
            raise ValueError(f"{where} has {count} values and needs {needed} bytes, "
                             f"its bufferView has {len(data)}")  # fmt: skip
        return np.ndarray((count, width), kind, data, start, (stride, kind.itemsize))

    def _sparse(self, where: str, sparse: dict[str, Any], values: np.ndarray) -> np.ndarray:
        n = int(sparse["count"])
        at, new = sparse["indices"], sparse["values"]
        kind = np.dtype(COMPONENTS[at["componentType"]])
        rows = self._view_array(f"{where}.sparse", at, kind, n, 1)[:, 0]
        if n and rows.max() >= len(values):
            raise ValueError(f"{where}.sparse changes the value {rows.max()} of {len(values)}")
        values = values.copy()
        values[rows] = self._view_array(f"{where}.sparse", new, values.dtype, n, values.shape[1])
        return values

    def _check_bounds(self, where: str, accessor: dict[str, Any], values: np.ndarray) -> None:
        """Raise where values lie outside of what the file says they lie in."""
        if not {"min", "max"} <= set(accessor) or not len(values):
            return
        low, high = (np.array(accessor[name], float) for name in ("min", "max"))
        found = np.stack([values.min(axis=0), values.max(axis=0)]).astype(float)
        slack = 1e-4 * max(np.abs(low).max(), np.abs(high).max())
        if low.shape != found[0].shape or not (
            (found[0] >= low - slack).all() and (found[1] <= high + slack).all()
        ):
            raise ValueError(
                f"{where} declares values from {low.tolist()} to {high.tolist()}, they lie "
                f"from {found[0].tolist()} to {found[1].tolist()}"
            )


def refuse_extensions(where: str, holder: dict[str, Any], compressed: bool = True) -> None:
    """Raise if the extensions of a buffer, a node or a primitive add or change surfaces.

    compressed  whether there are no other values than compressed ones
    """
    present = [name for name in holder.get("extensions") or {} if name in SHAPES]
    for name in present:
        if compressed or not name.endswith("_compression"):
            raise ValueError(f"{where} needs {name}, which is not read; export it without")
