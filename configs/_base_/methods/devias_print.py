# DEVIAS as the paper prints it, where that differs from the published code, which made its tables
# and is the default (docs/results/parity.md).
printed = dict(
    slot_attention=dict(
        num_heads=1, head_dims=None, attn_norm='l2', out_proj=False, mlp_norm=False,
        final_norm=False),
    losses=dict(
        scene=dict(type='SceneCrossEntropy'),
        mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
        guidance=dict(type='AttentionGuidance', reduction='sum'),
        cosine=dict(type='PrintedSlotCosine')),
    assignment_cost='cross_entropy',
    action_scores='part',
    scene_scores='part')
