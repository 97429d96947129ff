# `train_cfg = dict(**_base_.early_evaluation)`: evaluates after each of the first five epochs, so
# that a training that does not learn is seen early, then every ten
early_evaluation = dict(val_interval=1, dynamic_intervals=[(6, 10)])
