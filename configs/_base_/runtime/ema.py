# `custom_hooks = [*_base_.custom_hooks, _base_.ema]`: evaluates and stores averaged weights.
# Batch-norm statistics are averaged too; a frozen teacher averages to itself.
ema = dict(type='EMAHook', momentum=2e-4, update_buffers=True)
