_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/augments/contrastive_views_puppets.py', '../_base_/augments/dsm.py',
    '../_base_/schedules/dsm_pretrain_puppets.py', '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.moco_pipeline))
val_cfg = val_dataloader = val_evaluator = None

# a bank that this little data fills twice an epoch; tau as MoCo has it, because with 1 the loss
# is flat
model = dict(
    type='MoCo',
    backbone=_base_.backbone,
    queue_size=512,
    temperature=0.07,
    data_preprocessor=dict(
        type='ContrastiveDataPreprocessor',
        mean=_base_.clip_preprocessor.mean,
        std=_base_.clip_preprocessor.std,
        views=[[], []]))
