# UCF-101 with the clips of Choi et al. 2019.
_base_ = ['./ucf101.py', './clips_16x1_112.py']

train_dataloader = _base_.clips_16x1.train
val_dataloader = _base_.clips_16x1.val
test_dataloader = _base_.clips_16x1.test
val_evaluator = dict(type='ActionLossMetric')  # the schedule follows the validation loss
