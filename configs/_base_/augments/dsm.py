# DSM: anchor as it is, positive warped, negative with scaled motion.
dsm = [[], [dict(type='SpatialWarp', strength=0.1)], [dict(type='MotionScaling', maximum=5.)]]
