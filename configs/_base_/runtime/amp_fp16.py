# `optim_wrapper = dict(**_base_.amp)`: float16 autocast with loss scaling, on the GPU alone
amp = dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic')
