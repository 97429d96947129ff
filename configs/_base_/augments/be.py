# BE (DEVIAS Table 19).
be = [dict(type='BackgroundErasing', max_weight=0.3, ratio=0.5)]
