"""The embedded benchmark over the action-scene correlation rho: where does a method break?"""
from pathlib import Path

from devias_mm.evaluation.metrics import seen_unseen
from devias_mm.harness import Data, Ladder, Protocol, Suite, Variant, load_suite

ROOT = 'data/puppets/ladder'
PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))


def at_rho(rho: float) -> Variant:
    """Train on the list of one rho; validation and test lists are shared."""
    data = dict(dataset=dict(data_root=ROOT))
    train = dict(dataset=dict(data_root=ROOT, ann_file=f'annotations/train-rho{rho:.2f}.txt'))
    return Variant(rho, dict(train_dataloader=train, val_dataloader=data, test_dataloader=data))


suite = Suite(
    name='puppets_ladder',
    title='Puppets ladder: top-1 accuracy in percent against rho',
    methods={name: PUPPETS.methods[name]
             for name in ('naive', 'be', 'fame', 'two-token', 'devias')},
    seeds=(0, ),
    protocol=Protocol(
        splits=('seen', 'unseen'),
        metrics=seen_unseen(action_seen=('seen', ), action_unseen=('unseen', ))),
    ladder=Ladder({f'rho{rho:.2f}': at_rho(rho) for rho in (0.7, 0.8, 0.9, 0.95)}),
    data=Data(
        manifest='data/puppets/ladder/manifest.json',
        command='python tools/data/make_puppets.py --out data/puppets --preset ladder'),
)
