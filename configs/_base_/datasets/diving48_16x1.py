# Diving48 with the clips of Choi et al. 2019. The schedule follows a tenth of the training list
# that is held out (tools/data/make_label_subset.py --hold-out): the test list is for the test.
_base_ = ['./diving48.py', './clips_16x1_112.py']

_base_.clips_16x1.train.dataset.ann_file = 'annotations/train_rest90pct_seed0.txt'
_base_.clips_16x1.val.dataset.ann_file = 'annotations/train_held10pct_seed0.txt'
train_dataloader = _base_.clips_16x1.train
val_dataloader = _base_.clips_16x1.val
test_dataloader = _base_.clips_16x1.test
val_evaluator = dict(type='ActionLossMetric')  # the schedule follows the validation loss
