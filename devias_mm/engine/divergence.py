"""A training whose loss or weights are no longer numbers stops."""
import math
from typing import Sequence

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from devias_mm.errors import UserError, shorten
from devias_mm.weights.checkpoints import find_resumable


class DivergenceError(UserError):
    """The loss or the weights of a training are NaN or infinite."""


def check_losses(runner: Runner, iteration: int, names: Sequence[str],
                 values: Sequence[float]) -> None:
    """Check what was logged in an iteration; monitors that are no losses may be anything.

    Raises:
        DivergenceError: a loss is NaN or infinite.
    """
    for name, value in zip(names, values):
        if 'loss' in name and not math.isfinite(value):
            raise _error(runner, f'{name} was {value} in iteration {iteration + 1}')


def check_trained_weights(runner: Runner) -> None:
    """Check the weights that are trained; waits for the device once.

    Raises:
        DivergenceError: one is NaN or infinite.
    """
    model = runner.model
    if is_model_wrapper(model):
        model = model.module
    trained = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            trained[name] = torch.isfinite(parameter.detach()).all()
    if not trained or torch.stack(list(trained.values())).all():
        return
    bad = [name for name, finite in trained.items() if not finite]
    raise _error(runner, f'{len(bad)} weights hold NaN or infinite values after iteration '
                 f'{runner.iter}: {shorten(bad)}')


def _error(runner: Runner, what: str) -> DivergenceError:
    rates = []
    for values in runner.optim_wrapper.get_lr().values():
        rates += values
    newest = find_resumable(runner.work_dir)
    kept = 'There is no checkpoint from before.'
    if newest is not None:
        kept = f'The last good checkpoint is {newest}.'
    return DivergenceError(
        f'the training stopped: {what}. {kept} The learning rate was {max(rates):.3g}: lower '
        'optim_wrapper.optimizer.lr, or set optim_wrapper.clip_grad=dict(max_norm=1).')
