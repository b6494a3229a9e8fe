"""Simulators of habitat-sim: what a camera sees and what two ears hear at a place.

Calls go by both generations of its audio interface: "legacy" (0.2.2 to 0.3.x), where
`channelLayout.channelType` and `acousticsConfig.enableMaterials` exist, and "new" (the branch
RLRAudioPropagationUpdate, which SoundSpaces 2.0 documents), with `channelLayout.type` and
`enableMaterials`. All places are in the world frame. Not executed on a real installation.
"""

import importlib
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from av_envs.conventions import SAMPLE_RATE
from av_envs.scene.navigation import HEAD_HEIGHT
from av_envs.soundspaces.frames import habitat_from_world, quaternion_of
from av_envs.vision import IMAGE_SIZE

VOLUME = float(np.sqrt(4 * np.pi))  # amplitude 1 at 1 m, see `av_envs.soundspaces.rlr`
AUDIO = "audio_sensor"  # the only name that habitat-sim finds again before 0.3.4
MARK = "habitat-probe:"  # habitat-sim prints more than the answer
TEST_RAYS = 50  # the direct sound needs none
ONSET = 0.2  # of the peak
COLOUR, DEPTH = "rgb", "depth"
MISSING = (
    "habitat-sim is not installed; it is not on the Python package index: "
    "https://github.com/facebookresearch/habitat-sim says how to get it"
)


class SceneFiles(NamedTuple):
    """Files that habitat-sim opens.

    scene    path of a scene file, or name of a scene in the data set
    dataset  path of a scene_dataset_config.json, or None
    """

    scene: str
    dataset: str | None = None


def load_habitat() -> ModuleType:
    """The module habitat_sim."""
    with suppress(ImportError):
        importlib.import_module("quaternion")  # after habitat_sim, it breaks the heap
    try:
        return importlib.import_module("habitat_sim")
    except ImportError as error:
        raise ImportError(MISSING) from error


def audio_api(habitat: ModuleType) -> str | None:
    """Generation of the audio interface: "legacy", "new", or None in a build without audio.

    Creating an audio sensor without that build ends the process: ask here before.
    """
    if not getattr(habitat, "audio_enabled", False):
        return None
    layout = habitat.AudioSensorSpec().channelLayout
    return "legacy" if hasattr(layout, "channelType") else "new"


class Cameras:
    """A simulator with a colour and a depth camera at head height."""

    def __init__(self, files: SceneFiles, gpu: int = 0):
        habitat = load_habitat()
        kinds = {COLOUR: (habitat.SensorType.COLOR, 4), DEPTH: (habitat.SensorType.DEPTH, 1)}
        specifications = []
        for name, (kind, channels) in kinds.items():
            camera = habitat.CameraSensorSpec()
            camera.uuid, camera.sensor_type, camera.channels = name, kind, channels
            camera.resolution = [IMAGE_SIZE, IMAGE_SIZE]
            camera.position = [0.0, HEAD_HEIGHT, 0.0]
            camera.hfov = 90
            camera.sensor_subtype = habitat.SensorSubType.PINHOLE
            specifications.append(camera)
        self._habitat = habitat
        self._simulator = _simulator(habitat, files, specifications, gpu)

    def look(self, floor: np.ndarray, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128) float32 metres above a floor point."""
        _stand(self._habitat, self._simulator, floor, heading)
        seen = self._simulator.get_sensor_observations()
        colour = np.array(seen[COLOUR], np.uint8)[..., :3]
        return colour, np.array(seen[DEPTH], np.float32)

    def close(self) -> None:
        self._simulator.close()


class Ears:
    """A simulator without cameras: every look would cost a simulation of sound."""

    def __init__(self, files: SceneFiles, n_rays: int, materials: bool, gpu: int = 0):
        habitat = load_habitat()
        api = audio_api(habitat)
        if api is None:
            raise RuntimeError("this habitat-sim was built without audio")
        self._habitat = habitat
        self._simulator = _simulator(habitat, files, [], gpu)
        self._simulator.add_sensor(_ear_specification(habitat, api, n_rays, materials))
        agent = self._simulator.get_agent(0)
        sensors = (
            agent._sensors if hasattr(agent, "_sensors") else agent.sensors
        )  # renamed in 0.3.4
        self._sensor = sensors[AUDIO]

    def hear(self, source_floor: np.ndarray, floor: np.ndarray, heading: int) -> np.ndarray:
        """(2, n) float32 at 16 kHz, left ear first, both heads 1.5 m above their floor points."""
        _stand(self._habitat, self._simulator, floor, heading)
        source = np.add(source_floor, (0, 0, HEAD_HEIGHT))
        self._sensor.setAudioSourceTransform(habitat_from_world(source).astype(np.float32))
        return np.array(self._simulator.get_sensor_observations()[AUDIO], np.float32)

    def close(self) -> None:
        self._simulator.close()


def _simulator(habitat: ModuleType, files: SceneFiles, sensors: Sequence[Any], gpu: int) -> Any:
    settings = habitat.SimulatorConfiguration()
    settings.scene_id = files.scene
    if files.dataset is not None:
        settings.scene_dataset_config_file = files.dataset
    settings.enable_physics = False
    settings.gpu_device_id = gpu
    settings.create_renderer = bool(sensors)
    settings.load_semantic_mesh = not sensors  # names the materials
    agent = habitat.agent.AgentConfiguration()
    agent.sensor_specifications = list(sensors)
    return habitat.Simulator(habitat.Configuration(settings, [agent]))


def _stand(habitat: ModuleType, simulator: Any, floor: np.ndarray, heading: int) -> None:
    agent = simulator.get_agent(0)
    state = agent.get_state()
    state.position = habitat_from_world(floor).astype(np.float32)
    state.rotation = habitat.utils.common.quat_from_coeffs(np.array(quaternion_of(heading)))
    state.sensor_states = {}  # cameras move along
    agent.set_state(state, reset_sensors=True)


def _ear_specification(habitat: ModuleType, api: str, n_rays: int, materials: bool) -> Any:
    specification = habitat.AudioSensorSpec()
    specification.uuid = AUDIO
    specification.position = [0.0, HEAD_HEIGHT, 0.0]
    layout, acoustics = specification.channelLayout, specification.acousticsConfig
    binaural = habitat.sensor.RLRAudioPropagationChannelLayoutType.Binaural
    if api == "legacy":
        layout.channelType = binaural
        acoustics.enableMaterials = materials
        acoustics.listenerRadius = 0.0
    else:
        layout.type = binaural
        specification.enableMaterials = materials
    layout.channelCount = 2
    acoustics.sampleRate = SAMPLE_RATE
    acoustics.indirectRayCount = n_rays
    acoustics.globalVolume = VOLUME
    acoustics.threadCount = 1  # with more, no answer comes twice
    return specification


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """To a question of `av_envs.soundspaces.habitat.probe`, in a process of its own."""
    try:
        habitat = load_habitat()
    except ImportError:
        return {"missing": MISSING}
    version = str(habitat.__version__)
    if question["ask"] == "capabilities":
        return {"version": version, "audio": audio_api(habitat)}
    ears = Ears(SceneFiles(*question["files"]), TEST_RAYS, materials=False)
    onsets, differences = [], []
    for source in question["sources"]:
        heard = ears.hear(np.array(source), np.array(question["listener"]), question["heading"])
        level = np.abs(heard).max(axis=0)
        onset = int(np.argmax(level > ONSET * level.max()))
        early = np.sum(heard[:, onset : onset + SAMPLE_RATE // 200].astype(float) ** 2, axis=1)
        onsets.append(onset)
        differences.append(float(10 * np.log10((early[0] + 1e-12) / (early[1] + 1e-12))))
    ears.close()
    return {"version": version, "onsets": onsets, "left_over_right_db": differences}


if __name__ == "__main__":
    print(MARK + json.dumps(answer(json.loads(sys.argv[1]))))
