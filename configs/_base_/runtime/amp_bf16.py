# `optim_wrapper = dict(**_base_.amp)`: bfloat16 autocast, on the GPU or the CPU; no loss scaling
amp = dict(type='BFloat16OptimWrapper')
