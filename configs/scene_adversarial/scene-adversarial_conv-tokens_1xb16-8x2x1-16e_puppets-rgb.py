_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', '../_base_/augments/fame_puppets.py']

find_unused_parameters = True  # the scene classifier has no part in every other iteration

model = dict(
    type='SceneAdversarial',
    num_scene_classes=_base_.num_scene_classes,
    reversal_scale=0.1,  # tuned on val, see README.md: with the paper's 0.5 no action is learned
    # humans are what FAME takes for the foreground: Puppets has no boxes
    data_preprocessor=dict(augments=_base_.fame[:1]))
