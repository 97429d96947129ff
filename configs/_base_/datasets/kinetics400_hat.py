# Kinetics-400 with HAT as its paper publishes and composes it; DEVIAS arranges the files anew.
_base_ = ['./kinetics400.py']

test_splits = {
    name: dict(layout='hat', rule='hat')
    for name in _base_.test_splits if name.startswith('hat-')
}
test_cfg = dict(splits=test_splits)
