_base_ = ['./devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# What the published code does differently from the paper. Its checkpoints, once converted
# (docs/real_data.md), load into this model.
model = dict(
    slot_attention=dict(
        num_heads=4, head_dims=512, attn_norm='l1', out_proj=True, mlp_norm=True, final_norm=True),
    assignment_cost='probability',
    scene_loss='kl',
    scene_weight=4000.,
    mask_loss='double_sigmoid_bce',
    mask_target='clip',
    guidance_reduction='mean',
    cosine='signed',
    unified_argmax=True,
    data_preprocessor=dict(augments=[
        dict(type='FAMEMasks', tau=0.3, blur_size=11), dict(type='SceneMix', ratio=0.4)]))
