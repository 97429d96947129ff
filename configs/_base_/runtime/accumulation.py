# `optim_wrapper = dict(**_base_.accumulation)`: two batches a step, for half the GPUs
accumulation = dict(accumulative_counts=2)
