# CLIP, zero-shot on the centre frame with the names of Places365 (DEVIAS supp. F.4, Table 12), as
# `model = dict(scene_teacher=dict(_delete_=True, **_base_.clip_teacher))`. Needs the extra
# `clip`; the file of names is the published categories_places365.txt.
clip_teacher = dict(
    type='ClipSceneTeacher',
    checkpoint='openai/clip-vit-base-patch16',
    class_names='checkpoints/categories_places365.txt',
    prompt='a photo of a {}.',
    num_scene_classes=365,
    frames='centre')
