# FAME on real videos (DEVIAS Table 20).
fame = [dict(type='FAMEMasks', tau=0.5), dict(type='SceneMix', ratio=0.5)]
