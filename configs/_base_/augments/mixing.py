# Mixup and CutMix in turns, as in VideoMAE's recipe (DEVIAS Table 17); wants `num_classes`.
mixing = dict(type='OneOf', augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)])
