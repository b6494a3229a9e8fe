"""glTF files: what is honoured is read, what is required and not honoured is named."""

import base64
import json
import struct

import numpy as np
import pytest

from av_envs.scene.importing.mesh_file import read_surfaces

POINTS = np.array([[0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0]], np.float32)
INDICES = np.array([0, 1, 2, 0, 2, 3], np.uint16)


def square(points=POINTS, indices=INDICES, component=5126, **more):
    """The JSON of a mesh of two triangles, with its buffer in a data URI."""
    blob = points.tobytes() + indices.tobytes()
    at = points.nbytes
    content = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "Hall"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": component, "count": len(points), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": len(indices), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": at},
            {"buffer": 0, "byteOffset": at, "byteLength": indices.nbytes},
        ],
        "buffers": [{"byteLength": len(blob), "uri": data_uri(blob)}],
    }
    return content | more


def data_uri(blob):
    return "data:application/octet-stream;base64," + base64.b64encode(blob).decode()


def add_array(content, values, component, kind):
    """The number of a new accessor."""
    blob = np.ascontiguousarray(values).tobytes()
    content["buffers"].append({"byteLength": len(blob), "uri": data_uri(blob)})
    content["bufferViews"].append({"buffer": len(content["buffers"]) - 1, "byteLength": len(blob)})
    view = len(content["bufferViews"]) - 1
    content["accessors"].append(
        {"bufferView": view, "componentType": component, "count": len(values), "type": kind}
    )
    return len(content["accessors"]) - 1


@pytest.fixture
def read(tmp_path):
    def made(content):
        path = tmp_path / "some.gltf"
        path.write_text(json.dumps(content))
        return read_surfaces(path)

    return made


@pytest.mark.parametrize(
    "name", ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "ACME_hidden_walls"]
)
def test_extensions_that_are_required_and_not_read_are_named(read, name):
    content = square(extensionsUsed=[name], extensionsRequired=["KHR_materials_unlit", name])
    with pytest.raises(ValueError, match=rf"some\.gltf: .*it requires {name}, which is not read"):
        read(content)
    content["extensionsRequired"] = ["KHR_materials_unlit"]
    assert len(read(content).triangles) == 2


@pytest.mark.parametrize("normalized", [False, True])
def test_quantized_positions_are_read(read, normalized):
    points = np.array([[0, 0, 0], [127, 0, 0], [127, 64, 0], [0, 64, 0]], np.int8)
    content = square(points, component=5120, extensionsRequired=["KHR_mesh_quantization"])
    content["accessors"][0]["normalized"] = normalized
    content["nodes"][0]["scale"] = [9, 9, 9]
    size = np.ptp(read(content).triangles, axis=(0, 1))
    expected = 9 * np.array([127, 64, 0]) / (127 if normalized else 1)
    assert size == pytest.approx(expected)


def test_values_that_are_only_there_compressed_are_named(read):
    content = square(extensionsUsed=["KHR_draco_mesh_compression"])
    primitive = content["meshes"][0]["primitives"][0]
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0}}
    assert len(read(content).triangles) == 2  # the values are there as well
    del content["accessors"][0]["bufferView"]
    with pytest.raises(ValueError, match=r"meshes\[0\] needs KHR_draco_mesh_compression"):
        read(content)
    del primitive["extensions"]
    with pytest.raises(ValueError, match=r"accessors\[0\] has 4 values and no bufferView"):
        read(content)
    content = square()
    content["buffers"][0] = {
        "byteLength": 60, "extensions": {"EXT_meshopt_compression": {"fallback": True}},
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"buffers\[0\] needs EXT_meshopt_compression"):
        read(content)


def test_sparse_values_are_honoured(read):
    content = square()
    add_array(content, np.array([2], np.uint8), 5121, "SCALAR")
    add_array(content, np.array([[4, 30, 0]], np.float32), 5126, "VEC3")
    content["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": 2, "componentType": 5121},
        "values": {"bufferView": 3},
    }
    assert read(content).triangles.max() == 30


@pytest.mark.parametrize(("mode", "indices"), [(5, [0, 1, 3, 2]), (6, [0, 1, 2, 3])])
def test_strips_and_fans_are_read(read, mode, indices):
    content = square(indices=np.array(indices, np.uint16))
    content["meshes"][0]["primitives"][0]["mode"] = mode
    triangles = read(content).triangles
    edges = triangles[:, 1:] - triangles[:, :1]
    assert np.cross(edges[:, 0], edges[:, 1])[:, 2].tolist() == [12, 12]


def test_lines_further_scenes_and_animations_are_noted(read):
    content = square(animations=[{}])
    content["scenes"].append({"nodes": []})
    content["meshes"][0]["primitives"].append({"attributes": {"POSITION": 0}, "mode": 1})
    assert set(read(content).notes) == {
        "of its 2 scenes only scenes[0] is read",
        "its 1 animations are not played",
        "the lines of meshes[0] are not read",
    }


def test_nodes_place_meshes_below_each_other(read):
    turned = [0, 0, np.sqrt(0.5), np.sqrt(0.5)]  # a quarter about z
    content = square()
    content["nodes"] = [
        {"children": [1, 2], "translation": [10, 0, 0], "rotation": turned},
        {"mesh": 0, "name": "near"},
        {"mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 5, 1], "name": "far"},
    ]
    surfaces = read(content)
    assert surfaces.names == (("near",), ("far",))
    near, far = (surfaces.triangles[surfaces.part == k] for k in (0, 1))
    np.testing.assert_allclose(near.min(axis=(0, 1)), [7, 0, 0], atol=1e-6)
    np.testing.assert_allclose(near.max(axis=(0, 1)), [10, 4, 0], atol=1e-6)
    np.testing.assert_allclose(far[..., 2], 5)
    content["nodes"][1]["children"] = [0]
    with pytest.raises(ValueError, match=r"nodes\[0\] is below two nodes or below itself"):
        read(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["nodes"][0].update(skin=0), r"nodes\[0\] has a skin"),
        (lambda c: c["nodes"][0].update(extensions={"EXT_mesh_gpu_instancing": {}}),
         r"nodes\[0\] needs EXT_mesh_gpu_instancing"),
        (lambda c: (c["meshes"][0].update(weights=[0.5]),
                    c["meshes"][0]["primitives"][0].update(targets=[{}])), "morph targets"),
        (lambda c: c["accessors"][0].update(count=9), r"accessors\[0\] has 9 values and needs 108"),
        (lambda c: c["accessors"][0].update(min=[0, 0, 0], max=[1, 1, 0]),
         r"declares values from \[0.0, 0.0, 0.0\] to \[1.0, 1.0, 0.0\], they lie from .*4.0, 3.0"),
        (lambda c: c["buffers"][0].update(byteLength=99), "declares 99 bytes and has 60"),
        (lambda c: c["buffers"][0].update(uri="lost.bin"), "is in 'lost.bin', which is not there"),
        (lambda c: c["buffers"][0].update(uri="http://x/y"), "'http://x/y' is not a file"),
        (lambda c: c["nodes"][0].update(mesh=3), r"refers to meshes\[3\], of which it has 1"),
        (lambda c: c["asset"].update(version="1.0"), "version 1.0 of glTF is not read"),
        (lambda c: c["meshes"][0]["primitives"][0].update(mode=9), "the mode 9"),
        (lambda c: c["nodes"][0].update(scale=[1, 1]), "cannot be read as a mesh"),
    ],
)  # fmt: skip
def test_what_is_not_read_or_not_there_is_named(read, change, message):
    content = square()
    change(content)
    with pytest.raises(ValueError, match=rf"some\.gltf: .*{message}"):
        read(content)


def test_corners_that_do_not_exist_are_named(read):
    with pytest.raises(ValueError, match="refers to corners that do not exist: 4 of 4"):
        read(square(indices=np.array([0, 1, 4], np.uint16)))


def test_json_that_is_nested_too_deep_is_named(tmp_path):
    path = tmp_path / "deep.gltf"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"deep\.gltf: .*its JSON cannot be read"):
        read_surfaces(path)


def test_binary_files_are_as_long_as_they_declare(tmp_path):
    content = square()
    blob = base64.b64decode(content["buffers"][0].pop("uri").partition(",")[2])
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(blob), 0x004E4942) + blob
    whole = b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks
    path = tmp_path / "some.glb"
    path.write_bytes(whole)
    assert len(read_surfaces(path).triangles) == 2
    path.write_bytes(whole[:-5])
    with pytest.raises(ValueError, match=rf"declares {len(whole)} bytes and has {len(whole) - 5}"):
        read_surfaces(path)


def test_colours_of_materials_and_corners_are_multiplied(read):
    content = square()
    content["materials"] = [
        {"name": "Paint", "pbrMetallicRoughness": {"baseColorFactor": [1, 0.5, 0.2, 1]}}
    ]
    primitive = content["meshes"][0]["primitives"][0]
    primitive["material"] = 0
    surfaces = read(content)
    assert surfaces.names == (("Paint", "Hall"),)
    assert surfaces.colour[0].tolist() == [255, 128, 51]
    tints = np.tile(np.array([51, 255, 255, 255], np.uint8), (4, 1))
    primitive["attributes"]["COLOR_0"] = add_array(content, tints, 5121, "VEC4")
    content["accessors"][-1]["normalized"] = True
    assert read(content).colour[0].tolist() == [51, 128, 51]
    content["materials"][0]["extensions"] = {
        "KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [0, 1, 1, 1]}
    }
    assert read(content).colour[0].tolist() == [0, 255, 255]


def test_a_moved_texture_is_read_where_it_is(read, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="textures need pillow")
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = [0, 200, 0]  # the right half
    image.fromarray(picture).save(tmp_path / "my picture.png")
    content = square(images=[{"uri": "my%20picture.png"}], textures=[{"source": 0}])
    texture = {"index": 0}
    content["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": texture}}]
    primitive = content["meshes"][0]["primitives"][0]
    primitive["material"] = 0
    uv = np.array([[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]], np.float32)
    primitive["attributes"]["TEXCOORD_0"] = add_array(content, uv, 5126, "VEC2")
    assert read(content).colour.tolist() == [[0, 0, 0]] * 2
    texture["extensions"] = {"KHR_texture_transform": {"offset": [0.5, 0]}}
    assert read(content).colour.tolist() == [[0, 200, 0]] * 2
    content["images"][0]["uri"] = "lost.png"
    surfaces = read(content)
    assert not surfaces.coloured.any()
    assert surfaces.notes == ("the picture 'lost.png' is not there or cannot be read",)
