# ActorCutMix behind a mask source; wants `num_classes`.
actor_cutmix = dict(type='ActorCutMix', ratio=0.5)
