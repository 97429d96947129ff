"""Logged values travel to the host once per logging interval."""
from typing import List, Optional, Tuple

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook`` without a device synchronisation in every iteration.

    MMEngine's calls ``.item()`` on each loss and monitor of each iteration, and the host waits
    for the device every time. Here the values of an iteration are stacked where they are, and
    all those of an interval are moved at once, just before they are logged, saved in a
    checkpoint or the epoch ends. The message hub then holds every value of every iteration,
    as ever: means over a window and resumed trainings stay the same. The interval is that of
    the runner's ``LoggerHook``.

    What else waits for the device in an iteration: gradient clipping, which logs its norm,
    and the loss scaler of float16.
    """

    def __init__(self) -> None:
        self._waiting: List[Tuple[List[str], Tensor]] = []
        self._interval: Optional[int] = None

    def before_train(self, runner: Runner) -> None:
        """Look up how often values are logged."""
        super().before_train(runner)
        self._waiting.clear()
        self._interval = next((hook.interval for hook in runner.hooks
                               if isinstance(hook, LoggerHook)), None)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None,
                         outputs: Optional[dict] = None) -> None:
        """Put the outputs, 0-dim tensors or numbers, aside; hand them on where they are due."""
        outputs = outputs or {}
        device = next((value.device for value in outputs.values() if isinstance(value, Tensor)),
                      None)
        names = [name for name, value in outputs.items()
                 if isinstance(value, Tensor) and value.device == device]
        if names:
            # copies: what a compiled model returns may be overwritten in the next iteration
            self._waiting.append((names, torch.stack(
                [outputs[name].detach().float().reshape(()) for name in names])))
        super().after_train_iter(runner, batch_idx, data_batch, {
            name: value for name, value in outputs.items() if name not in names})
        if self._interval and self.every_n_inner_iters(batch_idx, self._interval) \
                or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self.hand_on(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand on what a training by iterations left over."""
        self.hand_on(runner)
        super().after_train(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Complete the history of a checkpoint that is saved within an interval."""
        if self._waiting:
            self.hand_on(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def hand_on(self, runner: Runner) -> None:
        """Move what is waiting to the host in one go, and into the message hub."""
        if not self._waiting:
            return
        values = iter(torch.cat([values for _, values in self._waiting]).tolist())
        for names, _ in self._waiting:
            for name in names:
                runner.message_hub.update_scalar(f'train/{name}', next(values))
        self._waiting.clear()
