"""As much of habitat-sim as is called, in one of its kinds: the variable FAKE_HABITAT names them.

    audio / no-audio   built with sound or not; without, an audio sensor ends the process
    legacy / new       generation of the audio interface
    misplaced          the source's (x, y, z) is taken for (y, z, 0), as from 0.3.1 on
    turned             the mesh is turned by a quarter turn when it is opened

`install` writes it as a package `habitat_sim` into a folder for the module search path.
"""

import textwrap

KINDS = "FAKE_HABITAT"
HEAD_LATENCY = 16  # samples
LISTENER_RADIUS = 0.1  # m, that the new interface cannot change

SOURCE = f'''
import os
from types import SimpleNamespace
import numpy as np
from av_envs.soundspaces.frames import heading_of, theta_of_quaternion, world_from_habitat

KINDS = set(os.environ["{KINDS}"].split())
audio_enabled = "audio" in KINDS
__version__ = "0.3.3" if "legacy" in KINDS else "0.2.2"
SensorType = SimpleNamespace(COLOR="color", DEPTH="depth", AUDIO="audio")
SensorSubType = SimpleNamespace(PINHOLE="pinhole")
LAYOUTS = SimpleNamespace(Binaural="binaural") if audio_enabled else None
sensor = SimpleNamespace(RLRAudioPropagationChannelLayoutType=LAYOUTS)
utils = SimpleNamespace(common=SimpleNamespace(quat_from_coeffs=lambda xyzw: tuple(xyzw)))
print("a line of chatter")


class Strict:
    """Fields that exist may be set, others not."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            raise AttributeError(name)
        self.__dict__[name] = value


class CameraSensorSpec:
    sensor_type = uuid = resolution = None


class AudioSensorSpec:  # any attribute may be set, as in the original
    sensor_type = SensorType.AUDIO

    def __init__(self):
        kind = "channelType" if "legacy" in KINDS else "type"
        self.channelLayout = Strict(**{{kind: None, "channelCount": 2}})
        if not audio_enabled:
            self.channelLayout = Strict()
            return
        common = dict(sampleRate=44100, indirectRayCount=5000, threadCount=1)
        if "legacy" in KINDS:
            common |= dict(enableMaterials=True, listenerRadius=0.1, globalVolume=0.25)
        else:
            common |= dict(globalVolume=1.0)
            self.enableMaterials = True
        self.acousticsConfig = Strict(**common)


class SimulatorConfiguration(Strict):
    def __init__(self):
        super().__init__(
            scene_id="", scene_dataset_config_file="default", enable_physics=True,
            gpu_device_id=0, create_renderer=True, load_semantic_mesh=True,
        )


agent = SimpleNamespace(AgentConfiguration=lambda: Strict(sensor_specifications=[]))


def Configuration(simulator, agents):
    return simulator, agents


class AudioSensor:
    def __init__(self, specification):
        self.specification = specification

    def setAudioSourceTransform(self, place):
        assert place.dtype == np.float32 and place.shape == (3,)
        self.source = place

    def hear(self, state):
        acoustics = self.specification.acousticsConfig
        radius = getattr(acoustics, "listenerRadius", {LISTENER_RADIUS})
        source = self.source.astype(float)
        if "misplaced" in KINDS:
            source = np.array([source[1], source[2], 0.0])
        here = np.asarray(state.position, float) + self.specification.position
        offset = world_from_habitat(source - here)
        away = max(np.linalg.norm(offset), 1e-3)
        heading = heading_of(theta_of_quaternion(state.rotation))
        side = np.sin(np.arctan2(offset[1], offset[0]) - heading * np.pi / 2)
        samples = np.zeros((2, 8000), np.float32)
        arrival = round((away - radius) / 344 * acoustics.sampleRate) + {HEAD_LATENCY}
        amplitude = acoustics.globalVolume / np.sqrt(4 * np.pi) / away
        samples[:, arrival] = amplitude * np.array([1 + 0.5 * side, 1 - 0.5 * side])
        return samples.tolist()


class Simulator:
    def __init__(self, configuration):
        settings, (agent,) = configuration
        self.scene_id = settings.scene_id
        self.cameras = agent.sensor_specifications
        self.agent = SimpleNamespace(_sensors={{}}, state=None)
        self.agent.get_state = lambda: SimpleNamespace(sensor_states={{"old": 1}})
        self.agent.set_state = self.set_state

    def set_state(self, state, reset_sensors):
        assert reset_sensors and state.sensor_states == {{}}
        self.agent.state = state

    def get_agent(self, number):
        return self.agent

    def add_sensor(self, specification):
        if not audio_enabled:
            os.abort()
        self.agent._sensors[specification.uuid] = AudioSensor(specification)

    def get_sensor_observations(self):
        state = self.agent.state
        heading = heading_of(theta_of_quaternion(state.rotation))
        seen = {{name: one.hear(state) for name, one in self.agent._sensors.items()}}
        if self.cameras:
            from av_envs.scene.importing.mesh import read_mesh
            from av_envs.vision import render_rgbd
        if self.cameras and not hasattr(self, "scene"):
            up = "x" if "turned" in KINDS else "z"
            self.scene, _ = read_mesh(self.scene_id, 1.0, unit="m", up=up)
        for camera in self.cameras:
            eye = world_from_habitat(np.asarray(state.position, float) + camera.position)
            rgb, depth = render_rgbd(self.scene, eye, heading, camera.resolution[0])
            alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
            is_depth = camera.sensor_type == SensorType.DEPTH
            seen[camera.uuid] = depth if is_depth else np.concatenate([rgb, alpha], axis=2)
        return seen

    def close(self):
        self.cameras = None
'''


def install(folder):
    """Write the package; `folder` then belongs on the module search path."""
    package = folder / "habitat_sim"
    package.mkdir()
    (package / "__init__.py").write_text(textwrap.dedent(SOURCE))
