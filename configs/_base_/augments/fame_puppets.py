# FAME on Puppets: the figures move too much for the colours of a mean image.
fame = [
    dict(type='FAMEMasks', tau=0.22, foreground_seed=0.15, background_seed=0.4, blur_size=5,
         colours='frame'),
    dict(type='SceneMix', ratio=0.9, mask='frame'),
]
