"""Features of the videos of a list."""
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from devias_mm.engine.inference import clip_features, video_features
from devias_mm.errors import UserError


class Model(torch.nn.Module):
    """Its features are the mean and the largest value of a clip."""

    def data_preprocessor(self, data):
        return dict(inputs=torch.stack(data['inputs']).float())

    def features(self, clips):
        flat = clips.flatten(1)
        return dict(action=flat.mean(1, keepdim=True), scene=flat.amax(1, keepdim=True))


def video(name, views, value, label=1, **metainfo):
    clips = torch.arange(views).view(-1, 1, 1, 1, 1) + torch.full((views, 3, 2, 4, 4), value)
    sample = ActionDataSample().set_gt_label(label)
    sample.set_metainfo(dict(video_id=name, **metainfo))
    return clips.float(), sample


def batches(*videos):
    """Two videos a batch, as ``list_loader`` gives them."""
    for start in range(0, len(videos), 2):
        clips, samples = zip(*videos[start:start + 2])
        yield dict(inputs=list(clips), data_samples=list(samples))


VIDEOS = [video('a', 2, 10), video('b', 3, 20, label=2), video('c', 0, 0, error='gone'),
          video('d', 1, 30, scene_label=5)]


def test_each_video_gets_the_features_of_its_own_clips():
    model = Model()
    found = list(clip_features(model, batches(*VIDEOS), model.features))
    assert [sample.video_id for sample, _ in found] == ['a', 'b', 'c', 'd']
    values = [None if features is None else features['scene'][:, 0].tolist()
              for _, features in found]
    assert values == [[10, 11], [20, 21, 22], None, [30]]


def test_views_are_averaged_and_labels_stay_with_their_videos():
    found = video_features(Model(), batches(*VIDEOS))
    assert found.video_ids == ['a', 'b', 'd'] and found.unreadable == ['c']
    np.testing.assert_allclose(found.features['action'], [[10.5], [21], [30]])
    assert found.labels['action'].tolist() == [1, 2, 1]
    assert found.labels['scene'].tolist() == [-1, -1, 5]


def test_a_list_without_a_readable_video_is_an_error():
    with pytest.raises(UserError, match='none of the 1 videos of the list can be read'):
        video_features(Model(), batches(VIDEOS[2]))
