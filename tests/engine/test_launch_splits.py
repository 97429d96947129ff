"""Which splits of a config are meant, and their data sets."""
import pytest
from mmengine.config import ConfigDict

from devias_mm.engine.splits import split_dataset
from devias_mm.errors import UsageError
from devias_mm.splits import choose_splits

KNOWN = dict.fromkeys(('seen', 'hat-far/1', 'hat-far/2', 'hat-close/1', 'scuba-vqgan'))


@pytest.mark.parametrize('patterns, chosen', [
    (None, list(KNOWN)),
    ([], list(KNOWN)),
    (['scuba-vqgan', 'seen'], ['scuba-vqgan', 'seen']),  # in the order asked for
    (['hat-far/*'], ['hat-far/1', 'hat-far/2']),
    (['hat-far/2', 'hat-*', 'seen', 'seen'],
     ['hat-far/2', 'hat-far/1', 'hat-close/1', 'seen'])])  # each of them once
def test_choose_splits(patterns, chosen):
    assert choose_splits(KNOWN, patterns) == chosen
    assert choose_splits(iter(KNOWN), patterns) == chosen


def test_patterns_that_select_nothing():
    with pytest.raises(UsageError) as error:
        choose_splits(['b', 'a'], ['a', 'hat-*', 'no'])
    assert str(error.value) == "unknown split(s) ['hat-*', 'no']; accepted: ['a', 'b']."


def test_a_split_changes_what_it_names():
    template = ConfigDict(type='ActionSceneDataset', ann_file='a.txt', data_root='data',
                          data_prefix=dict(video='videos', flow='flow'), pipeline=[dict(type='x')])
    before = template.to_dict()
    changes = dict(ann_file='b.txt', data_prefix=dict(video='other'), kind='far')
    dataset = split_dataset(template, changes)
    assert dataset.to_dict() == dict(
        before, ann_file='b.txt', data_prefix=dict(video='other', flow='flow'), kind='far')
    dataset.data_prefix.flow = dataset.pipeline[0].type = 'changed'
    assert template.to_dict() == before
    assert changes == dict(ann_file='b.txt', data_prefix=dict(video='other'), kind='far')
    replaced = split_dataset(template, dict(data_prefix=dict(_delete_=True, video='other')))
    assert replaced.data_prefix.to_dict() == dict(video='other')
