# StillMix without reference network; `bank=FOLDER` makes it the full method (configs/still_mix).
still_mix = [dict(type='StillMix', ratio=0.5, beta=200.)]
