# Fully sharded data parallel through MMEngine's FlexibleRunner; in the list of bases it is on.
runner_type = 'FlexibleRunner'
strategy = dict(
    type='FSDPStrategy',
    # one file with the names of an ordinary checkpoint
    state_dict_cfg='full',
    model_wrapper=dict(
        type='MMFullyShardedDataParallel',
        # the optimizer tells parameters apart by name, and a teacher is frozen
        use_orig_params=True,
        auto_wrap_policy=dict(type='whole_layers_policy', min_num_params=int(5e6))))
