"""Names that options are chosen from.

What they name needs torch, and is imported when it is used; a test compares both.
"""

SIZES = ("small", "paper")
BACKENDS = ("gloo", "nccl")
TRAINED = ("ppo", "recurrent_ppo")

SEPARATOR_LOSSES = ("log_nmse", "l1", "si_sdr")
SEPARATING = ("active", "single_step", "memoryless", "move2hear", "novelty")
SENSES = (
    "rgb",
    "mixture",
    "binaural",
    "mono",
    "delays",
    "walls",
    "place",
    "target",
    "pose",
    "collision",
    "previous_action",
)
MEMORY_LOSSES = ("l1", "log_nmse")

ENVIRONMENTS = ("flats", "houses")
PRESETS = (
    "macma",
    "macmara",
    "occupancy",
    "curiosity",
    "zeta",
    "psi",
    "phi",
    "zeta_psi",
    "zeta_phi",
    "psi_phi",
    "zeta_psi_phi",
)
SAMPLERS = ("random_policy", "uniform_pairs")
VISIONS = ("rgbd", "rgb", "depth", "blind")
SHARING_LOSSES = ("weights", "reward")
WEIGHTS = ("separate", "shared")
CRITICS = ("central", "separate", "shared")

LOCALISER_SIZES = ("paper", "small", "tiny")
HEARING = ("binaural", "binaural_ild_ipd", "binaural_gcc", "foa", "mic")
ASSOCIATIONS = ("ordered", "pit", "exact", "hnet")
TOWARDS = ("straight", "arrival")
