"""A features extractor that does not flatten depth pictures and spectrograms."""

from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from av_envs.agents.adapters.encoder import ObservationEncoder


class AVFeaturesExtractor(BaseFeaturesExtractor):
    """`ObservationEncoder` for `policy_kwargs={"features_extractor_class": AVFeaturesExtractor}`.

    Stable-Baselines3's own `CombinedExtractor` flattens everything but `rgb`, which makes
    policies of 9 to 100 million weights; this one has about one million.

    observation_space  as the policy has it, that is with `rgb` turned to (3, 128, 128) where it is
                       a single picture
    features_dim       length of the features
    channels           of the three convolutions of each branch

    Pictures are expected as `normalize_images=True`, the default of policies, hands them on.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int = 256,
        channels: tuple[int, int, int] = (32, 64, 64),
    ):
        super().__init__(observation_space, features_dim)
        self._is_scaled = self._is_turned = False
        rgb = observation_space.spaces.get("rgb")
        if rgb is not None and is_image_space(rgb):
            self._is_scaled = True
            self._is_turned = is_image_space_channels_first(rgb)
        if self._is_turned:
            turned = spaces.Box(0, 255, (*rgb.shape[1:], rgb.shape[0]), rgb.dtype)
            observation_space = spaces.Dict({**observation_space.spaces, "rgb": turned})
        self.encoder = ObservationEncoder(observation_space, features_dim, channels)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """(B, features_dim)"""
        if "rgb" in observations:
            rgb = observations["rgb"]
            rgb = rgb.movedim(1, -1) if self._is_turned else rgb
            observations = {**observations, "rgb": rgb if self._is_scaled else rgb / 255}
        return self.encoder(observations)
