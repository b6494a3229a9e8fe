"""The weights that convolutions and dense layers start from."""

from torch import nn

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


def start_he_normal(module: nn.Module) -> None:
    """He-normal weights and no bias, of every convolution and dense layer in a module.

    He et al., "Delving Deep into Rectifiers", ICCV 2015. Batch norms start at 1 and 0 anyway.
    """
    for layer in module.modules():
        if isinstance(layer, LAYERS):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
