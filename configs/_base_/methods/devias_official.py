# What the published DEVIAS code does differently from the paper, whatever the data set.
official = dict(
    slot_attention=dict(
        num_heads=4, head_dims=512, attn_norm='l1', out_proj=True, mlp_norm=True, final_norm=True),
    assignment_cost='probability',
    mask_loss='double_sigmoid_bce',
    mask_target='clip',
    guidance_reduction='mean',
    cosine='signed')
# with a scene teacher
official_teacher = dict(scene_loss='kl', scene_weight=4000., unified_argmax=True)
# the shorter side to 224 with the ratio kept, in place of 256 x 256
official_crops = [
    dict(type='Resize', scale=(-1, 224)),
    dict(type='ThreeCrop', crop_size=224),
]
