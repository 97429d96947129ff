# ViT-B recognizers trained on Kinetics-400 (configs/{naive,tokens,devias}), as the encoders of
# FeatureClassifier: what decides about their weights, and the drop path of DEVIAS Table 23.
_base_ = ['./vit-base-p16.py']

naive_action_encoder = dict(
    type='NaiveRecognizer',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.1),
    pool_norm=True,
    num_classes=400)
naive_scene_encoder = dict(
    type='NaiveRecognizer',
    task='scene',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.1),
    pool_norm=True,
    num_classes=400,
    num_scene_classes=365)
two_token_encoder = dict(
    type='TokenRecognizer',
    backbone=dict(**_base_.backbone, num_extra_tokens=2, drop_path_rate=0.1),
    num_classes=400,
    num_scene_classes=365)
devias_encoder = dict(
    type='DEVIAS',
    backbone=dict(**_base_.backbone, drop_path_rate=0.1),
    slot_attention=dict(num_slots=2, num_iters=8),
    mask_weight=0.,  # no mask decoder
    num_classes=400,
    num_scene_classes=365)
