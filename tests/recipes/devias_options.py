"""What the options of an old DEVIAS recipe are called today.

Then every option was an argument of the model, and what a recipe did not name was as the paper
prints it. Today the terms of the loss are objects, and what a recipe does not name is as
published.
"""
# published values that old recipes named, and that are the defaults today
PUBLISHED_SLOTS = dict(num_heads=4, head_dims=512, attn_norm='l1', out_proj=True, mlp_norm=True,
                       final_norm=True)
# the recipe of Puppets stays what it was, and so names what was a default then
FITTED_SLOTS = dict(num_heads=1, head_dims=None, out_proj=False, final_norm=False)
FITTED_LOSSES = dict(
    scene=dict(type='SceneCrossEntropy', weight=0.5),
    mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
    guidance=dict(type='AttentionGuidance', weight=5.0))

# the row `print` of Puppets
PRINTED = dict(
    slot_attention=dict(num_heads=1, head_dims=None, attn_norm='l2', out_proj=False,
                        mlp_norm=False, final_norm=False),
    losses=dict(
        scene=dict(type='SceneCrossEntropy'),
        mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
        guidance=dict(type='AttentionGuidance', reduction='sum'),
        cosine=dict(type='PrintedSlotCosine')),
    assignment_cost='cross_entropy', action_scores='part', scene_scores='part')


def devias_today(model: dict) -> None:
    """Rename the options of a DEVIAS model in place; options as published become unnamed."""
    slots = model.get('slot_attention') or {}
    for name, value in PUBLISHED_SLOTS.items():
        if slots.get(name) == value:
            del slots[name]
    if model.pop('disentangling', 'slots') == 'tokens':
        model['slot_attention'] = None
    fitted = model.get('assignment') == 'batch'  # the recipe of Puppets
    losses = {}
    if model.pop('mask_weight', 1) == 0:
        losses['mask'] = None
    if model.pop('guidance_weight', 1) == 0:
        losses['guidance'] = None
    if model.pop('cosine_weight', 1) == 0:
        losses['cosine'] = None
    if model.pop('decoder_target', 'mask') == 'pixel':
        losses['mask'] = dict(type='PixelDecoding')
    decoded = model.pop('decoder_slots', 'action')
    if decoded != 'action':
        roles = dict(scene=['scene'], both=['action', 'scene'])[decoded]
        losses['mask'] = dict(type='MaskDecoding', slots=roles)
    hidden = model.pop('mask_hidden_dims', None)
    if hidden is not None:
        model['mask_decoder'] = dict(hidden_dims=hidden)
    if fitted:
        slots.update(FITTED_SLOTS)
        losses = FITTED_LOSSES
        model.update(assignment_cost='cross_entropy', action_scores='part', scene_scores='part')
    if losses:
        model['losses'] = losses
    if model.pop('unified_argmax', False) == 'both':
        model['scene_scores'] = 'all'
    published = dict(scene_weight=4000.0, scene_loss='kl', mask_loss='double_sigmoid_bce',
                     mask_target='clip', guidance_reduction='mean', cosine='signed',
                     assignment_cost='probability')
    for name, value in published.items():
        if model.get(name) == value:
            del model[name]
    if fitted:
        del model['scene_weight']  # its loss says it
