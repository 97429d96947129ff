"""Training in stages."""
from typing import List, Sequence

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn


@HOOKS.register_module()
class TrainNewLayersFirst(Hook):
    """Train the new layers of a model alone for some epochs, then everything.

    Choi et al. warm their scene classifier up in this way before the adversarial training. All
    other parameters get no gradient meanwhile, so the optimizer does not move them. Weights that
    do not learn anyway stay as they are. In a distributed training it needs
    ``find_unused_parameters=True``.

    Example::

        custom_hooks = [dict(type='TrainNewLayersFirst', prefixes=['scene_head.'], epochs=5)]
        # the rate of the warm-up, then a hundredth of it
        optim_wrapper = dict(optimizer=dict(lr=1e-2))
        param_scheduler = [dict(type='MultiStepLR', milestones=[5], gamma=0.01)]

    Args:
        prefixes (sequence[str]): how the names of the new parameters begin.
        epochs (int): epochs in which they learn alone, at least 1.

    Raises:
        ValueError: ``epochs`` is less than 1, or (when the training starts) a prefix fits no
            parameter of the model.
    """

    def __init__(self, prefixes: Sequence[str], epochs: int) -> None:
        if epochs < 1:
            raise ValueError(f'TrainNewLayersFirst: epochs must be at least 1, got {epochs}')
        self.prefixes = tuple(prefixes)
        self.epochs = epochs
        self.frozen: List[nn.Parameter] = []

    def before_train_epoch(self, runner: Runner) -> None:
        """Freeze the other parameters in the first epochs, and free them after these."""
        warm_up = runner.epoch < self.epochs
        if warm_up and not self.frozen:
            self.frozen = self.other_parameters(runner.model)
            for parameter in self.frozen:
                parameter.requires_grad_(False)
        if not warm_up and self.frozen:
            for parameter in self.frozen:
                parameter.requires_grad_(True)
            self.frozen = []

    def other_parameters(self, model: nn.Module) -> List[nn.Parameter]:
        """Return the learnt parameters whose names begin with none of the prefixes."""
        if is_model_wrapper(model):
            model = model.module
        names = [name for name, _ in model.named_parameters()]
        for prefix in self.prefixes:
            if not any(name.startswith(prefix) for name in names):
                raise ValueError(f'TrainNewLayersFirst: no parameter of {type(model).__name__} '
                                 f'begins with {prefix!r}; its parts are '
                                 f'{sorted({name.split(".")[0] for name in names})}')
        return [parameter for name, parameter in model.named_parameters()
                if parameter.requires_grad and not name.startswith(self.prefixes)]
