"""The collision shapes of SDF worlds and models, each where its frames put it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from av_envs.scene.importing.mesh_file import read_surfaces
from av_envs.scene.importing.sdf_frames import MODEL, WORLD, Scope, numbers, stated_pose
from av_envs.scene.importing.sdf_shapes import SHAPES, shape_triangles
from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

SCHEME = "model://"
LARGEST_FILE = 2**26  # bytes
DEEPEST = 32  # models in each other
# Of a world: what stands somewhere in it and is not read.
UNREAD = ("actor", "population", "road", "state")
Element = ElementTree.Element


class Piece(NamedTuple):
    """A collision shape.

    names      of its model and, if that has several, of its link
    triangles  (T,3,3) metres, in the frame of the model or world that contains it
    surfaces   that they came from
    """

    names: tuple[str, ...]
    triangles: np.ndarray
    surfaces: Surfaces

    def moved(self, matrix: np.ndarray) -> "Piece":
        return self._replace(triangles=self.triangles @ matrix[:3, :3].T + matrix[:3, 3])


class SdfReader:
    """Reads worlds and models; `absent` and `notes` list what was left out.

    folder   of the models that "model://name" means
    without  parts of names of models that are left out
    """

    def __init__(self, folder: Path, without: tuple[str, ...] = ()):
        self._folder, self._without = folder, without
        self.absent: set[str] = set()
        self.notes: list[str] = []

    def world(self, path: Path) -> list[Piece]:
        """All pieces of a world file, in its frame."""
        worlds = parsed(path).findall("world")
        if len(worlds) != 1:
            raise ValueError(f"{path}: holds {len(worlds)} <world>, one is needed")
        (world,) = worlds
        for tag in UNREAD:
            names = [
                each.get("name") or each.get("world_name") or "" for each in world.findall(tag)
            ]
            if names:
                self.notes.append(f"<{tag}> {', '.join(names)}".strip() + " is not read")
        scope = Scope(f"{path}: the world", WORLD)
        return self._placed(path, world, scope, "", 0)

    def model(self, path: Path, model: str, label: str) -> list[Piece]:
        """All pieces of a model of the folder, in its own frame; none if it is not there."""
        found = self._included(path, SCHEME + model)
        if found is None or self._left_out(label):
            return []
        _, pieces = self._model(*found, label, 0)
        return pieces

    def _placed(
        self, path: Path, holder: Element, scope: Scope, label: str, depth: int
    ) -> list[Piece]:
        """Pieces of all that a world or a model holds; fills its scope."""
        if depth > DEEPEST:
            raise ValueError(f"{path}: more than {DEEPEST} models lie in each other")
        links = holder.findall("link")
        for link in links:
            scope.add(link.get("name", ""), *stated_pose(path, link))
        for frame in holder.findall("frame"):
            attached = frame.get("attached_to", "")
            scope.add(frame.get("name", ""), *stated_pose(path, frame, attached))
        for joint in holder.findall("joint"):
            child = (joint.findtext("child") or "").strip()
            scope.add(joint.get("name", ""), *stated_pose(path, joint, child))
        below = list(self._below(path, holder, scope, label, depth))
        pieces = []
        for matrix, relative_to, inside in below:
            at = scope.place(matrix, relative_to)
            pieces += [piece.moved(at) for piece in inside]
        for link in links:
            names = (label, link.get("name", "")) if len(links) > 1 else (label,)
            pieces += self._link(path, link, scope, tuple(filter(None, names)))
        return pieces

    def _below(
        self, path: Path, holder: Element, scope: Scope, label: str, depth: int
    ) -> Iterator[tuple[np.ndarray, str, list[Piece]]]:
        """Pose, frame and pieces of each model in another one or in the world."""
        for element in holder:
            if element.tag not in ("model", "include"):
                continue
            name, file, model, own = element.get("name", ""), path, element, element.get("name")
            placement = element.get("placement_frame")
            if element.tag == "include":
                uri = element.findtext("uri", "").strip()
                found = self._included(path, uri)
                if found is None:
                    continue
                file, model = found
                own = element.findtext("name")
                name = own or model.get("name", "")
                placement = element.findtext("placement_frame") or model.get("placement_frame")
            inner_label = _label(label, own, uri if element.tag == "include" else name)
            if self._left_out(inner_label):
                continue
            inner, pieces = self._model(file, model, inner_label, depth + 1)
            stating = element if element.find("pose") is not None else model
            matrix, relative_to = stated_pose(path, stating)
            if placement:
                matrix = matrix @ np.linalg.inv(inner.pose(placement.strip()))
            scope.add(name, matrix, relative_to, inner)
            yield matrix, relative_to, pieces

    def _model(
        self, path: Path, model: Element, label: str, depth: int
    ) -> tuple[Scope, list[Piece]]:
        scope = Scope(f"{path}: model {model.get('name', '')!r}", MODEL)
        return scope, self._placed(path, model, scope, label, depth)

    def _link(self, path: Path, link: Element, scope: Scope, names: tuple[str, ...]) -> list[Piece]:
        pieces = []
        if link.find("visual") is not None and link.find("collision") is None:
            self.notes.append(f"{'::'.join(names)} can be seen but has no <collision>: not read")
        for collision in link.findall("collision"):
            matrix, relative_to = stated_pose(path, collision, link.get("name", ""))
            found = self._shape(path, collision, names)
            if found is not None:
                piece = Piece(names, *found)
                pieces.append(piece.moved(scope.place(matrix, relative_to)))
        return pieces

    def _shape(
        self, path: Path, collision: Element, names: tuple[str, ...]
    ) -> tuple[np.ndarray, Surfaces] | None:
        """Triangles in metres and the surfaces they came from; None, with a note, if not read."""
        shapes = list(collision.find("geometry") or ())
        unread = [shape.tag for shape in shapes if shape.tag not in ("mesh", "empty", *SHAPES)]
        if len(shapes) != 1 or unread:
            what = ", ".join(f"<{tag}>" for tag in unread) or f"{len(shapes)} shapes"
            self.notes.append(f"a collision of {'::'.join(names)} with {what} is not read")
            return None
        (shape,) = shapes
        if shape.tag == "empty":
            return None
        if shape.tag != "mesh":
            triangles = shape_triangles(path, shape)
            return triangles, surfaces_of([Part(triangles, None, names)], 1.0, "z")
        if shape.find("submesh") is not None:
            self.notes.append(f"a collision of {'::'.join(names)} with <submesh> is not read")
            return None
        surfaces = read_surfaces(self._mesh_file(path, shape.findtext("uri", "").strip()))
        self.notes += [f"{'::'.join(names)}: {note}" for note in surfaces.notes]
        scale = numbers(path, "scale", shape.findtext("scale", "1 1 1"), 3)
        triangles = surfaces.triangles * (scale * (surfaces.unit or 1.0))
        if np.prod(scale) < 0:  # mirrored: what was left is right
            triangles = triangles[:, ::-1]
        return triangles, surfaces

    def _mesh_file(self, path: Path, uri: str) -> Path:
        if uri.startswith(SCHEME):
            return self._folder / uri.removeprefix(SCHEME)
        if "://" in uri and not uri.startswith("file://"):
            raise ValueError(f"{path}: cannot follow {uri!r}; meshes are {SCHEME}name/file")
        beside = path.parent / uri.removeprefix("file://")
        return beside if beside.is_file() else self._folder / uri.removeprefix("file://")

    def _included(self, path: Path, uri: str) -> tuple[Path, Element] | None:
        """The file and the model that a uri means; None, and the name kept, if it is not there."""
        if not uri.startswith(SCHEME) and ("://" in uri or not uri):
            raise ValueError(f"{path}: cannot follow {uri!r}; models are {SCHEME}name")
        name = uri.removeprefix(SCHEME)
        start = self._folder if uri.startswith(SCHEME) else path.parent
        description = _description(start / name)
        if description is None:
            self.absent.add(name)
            return None
        models = parsed(description).findall("model")
        if len(models) != 1:
            raise ValueError(f"{description}: holds {len(models)} <model>, one is needed")
        return description, models[0]

    def _left_out(self, label: str) -> bool:
        return any(part in label for part in self._without)


def parsed(path: Path) -> Element:
    """The root of an SDF file."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{path}: has {size} bytes; of an SDF file {LARGEST_FILE} are read")
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: not an SDF file: {error}") from error
    if root.tag != "sdf":
        raise ValueError(f"{path}: not an SDF file: it is <{root.tag}>")
    return root


def _label(outer: str, own: str | None, uri: str) -> str:
    """Label of a model; an included one without a name takes that of its parent."""
    model = uri.removeprefix(SCHEME)
    return own or outer or model


def _description(place: Path) -> Path | None:
    """The SDF file of a model: itself, model.sdf of its folder, or the one model.config names."""
    if place.is_file():
        return place
    if (place / "model.sdf").is_file():
        return place / "model.sdf"
    if (place / "model.config").is_file():
        try:
            stated = ElementTree.parse(place / "model.config").getroot().findall("sdf")
        except ElementTree.ParseError as error:
            raise ValueError(f"{place / 'model.config'}: cannot be read: {error}") from error
        files = [place / (each.text or "").strip() for each in stated]
        return next((file for file in reversed(files) if file.is_file()), None)
    return None
