# DeepSpeed's ZeRO-1 in float16 through MMEngine's FlexibleRunner (the paper trained with DeepSpeed,
# supp. B); extra `deepspeed`. `optim_wrapper = dict(**_base_.deepspeed)` in the config.
runner_type = 'FlexibleRunner'
strategy = dict(
    type='DeepSpeedStrategy',
    fp16=dict(enabled=True, loss_scale=0, initial_scale_power=16),
    # cast after the preprocessor, whose clips are float32
    inputs_to_half=['inputs'],
    zero_optimization=dict(stage=1))
deepspeed = dict(type='DeepSpeedOptimWrapper')
