# The embedded benchmark with 16 clips a test split, for models that take seconds a clip; made by
# `python tools/data/make_puppets.py --preset tiny`.
_base_ = ['./puppets.py']

data_root = 'data/puppets/tiny'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
