"""Small SOFA files (AES69) as tests need them: heads on a whole sphere, changed one by one."""

import numpy as np
import pytest

RATE = 48_000
TYPED = tuple(f"{who}Position" for who in ("Source", "Listener", "Receiver", "Emitter"))
HEAD = "SimpleFreeFieldHRIR"


def sphere():
    """(97, 2) azimuth and elevation in degrees."""
    around = [(a, e) for e in (-30, 0, 30, 60) for a in range(0, 360, 15)]
    return np.array([*around, (0, 90)], float)


def towards(degrees):
    """(M, 3) unit vectors."""
    azimuth, elevation = np.radians(degrees).T
    around = np.cos(elevation)
    return np.stack([around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)], 1)


def clicks(rate=RATE, degrees=None):
    """(M, 2, n) band-limited clicks, the nearer ear 0.3 ms earlier and twice as loud."""
    t = np.arange(round(0.008 * rate)) / rate - 0.002
    side = towards(sphere() if degrees is None else degrees)[:, 1:2]
    left = np.sinc(12000 * (t + 0.00015 * side)) * 2 ** (side / 2)
    right = np.sinc(12000 * (t - 0.00015 * side)) * 2 ** (-side / 2)
    return np.stack([left, right], axis=1)


def head_fields(responses=None, degrees=None, rate=RATE, distance=1.4):
    """{name: values} of a head that sits in the origin and looks along x."""
    degrees = sphere() if degrees is None else degrees
    return {
        "Data.IR": clicks(rate, degrees) if responses is None else responses,
        "Data.SamplingRate": [float(rate)],
        "Data.Delay": np.zeros((1, 2)),
        "SourcePosition": np.column_stack([degrees, np.full(len(degrees), distance)]),
        "ListenerPosition": np.zeros((1, 3)),
        "ListenerView": [[1.0, 0, 0]],
        "ListenerUp": [[0.0, 0, 1]],
        "ReceiverPosition": [[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]],
        "EmitterPosition": np.zeros((1, 3, 1)),
    }


def write_fields(path, fields, types=None, units=None, convention=HEAD, data="FIR"):
    """A SOFA file; fields that are None are left out. Types are cartesian, of sources spherical.

    types, units  {name: text} that differ
    """
    h5py = pytest.importorskip("h5py", reason="SOFA files need h5py")
    types = {
        **dict.fromkeys((*TYPED, "ListenerView"), "cartesian"),
        "SourcePosition": "spherical",
        **(types or {}),
    }
    with h5py.File(path, "w") as file:
        file.attrs["SOFAConventions"], file.attrs["DataType"] = np.bytes_(convention), data
        for name, values in fields.items():
            if values is None:
                continue
            file[name] = values
            if types.get(name) is not None:
                file[name].attrs["Type"] = np.bytes_(types[name])
                spherical = types[name] == "spherical"
                file[name].attrs["Units"] = "degree, degree, metre" if spherical else "metre"
        for name, text in (units or {}).items():
            file[name].attrs["Units"] = text
    return path


def write_head(path, types=None, units=None, convention=HEAD, data="FIR", **changed):
    """A head of clicks with some fields changed."""
    return write_fields(path, {**head_fields(), **changed}, types, units, convention, data)
