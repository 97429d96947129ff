"""Initial weights of the layers that are new in fine-tuning."""
from torch import nn

LINEAR_STD = 0.02


def init_linears(module: nn.Module) -> nn.Module:
    """Give every fully connected layer the initial weights of the published code.

    Weights come from a truncated normal distribution of mean 0 and standard deviation 0.02,
    biases are 0. PyTorch's own are uniform, biases included.

    Args:
        module (nn.Module): a layer, or a module that contains some.

    Returns:
        nn.Module: ``module``, changed in place.
    """
    for layer in module.modules():
        if not isinstance(layer, nn.Linear):
            continue
        nn.init.trunc_normal_(layer.weight, std=LINEAR_STD)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return module


def init_head(head: nn.Linear, scale: float) -> nn.Linear:
    """Initialise a classifier, whose weights start ``scale`` times as large.

    With the published scale of 0.001 all classes are equally likely before the first step, and
    the first gradients leave a pre-trained encoder nearly alone.

    Args:
        head (nn.Linear): the classifier.
        scale (float): factor of the weights of :func:`init_linears`.

    Returns:
        nn.Linear: ``head``, changed in place.
    """
    init_linears(head)
    head.weight.data.mul_(scale)
    return head
