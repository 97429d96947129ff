"""Logged values travel to the host once per logging interval."""
from typing import List, NamedTuple, Optional

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from devias_mm.engine.divergence import check_losses, check_trained_weights


class LoggedValues(NamedTuple):
    """Outputs of one iteration that wait on the device.

    Attributes:
        iteration: counted from 0.
        names: of the values.
        values: float32 ``(n,)``, without gradient.
    """
    iteration: int
    names: List[str]
    values: Tensor


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook`` without a device synchronisation in every iteration.

    MMEngine's calls ``.item()`` on each loss and monitor of each iteration, and the host waits
    for the device every time. Here the values of an iteration are stacked where they are, and
    all those of an interval are moved at once, just before they are logged, saved in a
    checkpoint or the epoch ends. The message hub then holds every value of every iteration,
    as ever: means over a window and resumed trainings stay the same. The interval is that of
    the runner's ``LoggerHook``.

    Values are looked at when they are moved: a loss that is NaN or infinite ends the training,
    and so do such weights at the end of an epoch, before a checkpoint of them is saved.

    What else waits for the device in an iteration: gradient clipping, which logs its norm,
    and the loss scaler of float16.
    """

    def __init__(self) -> None:
        self._waiting: List[LoggedValues] = []
        self._interval: Optional[int] = None

    def before_train(self, runner: Runner) -> None:
        """Look up how often values are logged."""
        super().before_train(runner)
        self._waiting.clear()
        self._interval = None
        for hook in runner.hooks:
            if isinstance(hook, LoggerHook):
                self._interval = hook.interval
                break

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None,
                         outputs: Optional[dict] = None) -> None:
        """Put the outputs, 0-dim tensors or numbers, aside; hand them on where they are due."""
        outputs = dict(outputs or {})
        tensors = {name: value for name, value in outputs.items() if isinstance(value, Tensor)}
        # those on another device than the first are few, and travel at once
        devices = [value.device for value in tensors.values()]
        names = [name for name, value in tensors.items() if value.device == devices[0]]
        if names:
            values = [outputs.pop(name).detach().float().reshape(()) for name in names]
            # copies: what a compiled model returns may be overwritten in the next iteration
            self._waiting.append(LoggedValues(runner.iter, names, torch.stack(values)))
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        is_due = self._interval and self.every_n_inner_iters(batch_idx, self._interval)
        if is_due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.hand_on(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Check the weights before hooks that delete and save checkpoints."""
        check_trained_weights(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand on what a training by iterations left over."""
        self.hand_on(runner)
        super().after_train(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Complete the history of a checkpoint that is saved within an interval."""
        if self._waiting:
            self.hand_on(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()
        check_trained_weights(runner)

    def hand_on(self, runner: Runner) -> None:
        """Move what is waiting to the host in one go, and into the message hub.

        Raises:
            DivergenceError: a loss is NaN or infinite.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        numbers = torch.cat([logged.values for logged in waiting]).tolist()
        start = 0
        for logged in waiting:
            values = numbers[start:start + len(logged.names)]
            start += len(logged.names)
            check_losses(runner, logged.iteration, logged.names, values)
            for name, value in zip(logged.names, values):
                runner.message_hub.update_scalar(f'train/{name}', value)
