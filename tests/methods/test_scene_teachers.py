"""Scene teachers that look at frames, and what a recognizer does with a teacher."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from PIL import Image
from tiny_models import SCENES, SIZE, batch, build, teacher
from torch import nn

from devias_mm.datasets.class_names import scene_titles
from devias_mm.errors import CheckpointError
from devias_mm.methods.scene_teachers import CLIP, ClipSceneTeacher
from devias_mm.weights.checkpoints import check_weights

CLIPS = dict(type='DebiasDataPreprocessor', mean=[127.] * 3, std=[60.] * 3)
SCENE_NAMES = ['abbey', 'barn', 'cliff']


@MODELS.register_module()
class MeanColour(nn.Module):
    """Scores are the mean red and green of an image; ``wrap`` says how they are returned."""

    def __init__(self, wrap: str = 'tensor') -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.wrap = wrap
        self.seen = []

    def forward(self, images):
        self.seen.append(images)
        scores = self.scale * images.mean((-2, -1))[..., :2]
        outputs = dict(
            tensor=scores, tuple=(scores, None), object=SimpleNamespace(logits=scores))
        return outputs[self.wrap]


def image_teacher(wrap='tensor', **kwargs):
    defaults = dict(num_scene_classes=2, size=8, mean=[0.] * 3, std=[255.] * 3,
                    data_preprocessor=CLIPS)
    return MODELS.build(dict(type='ImageSceneTeacher', classifier=dict(
        type='MeanColour', wrap=wrap), **{**defaults, **kwargs}))


def grey_clips(*greys):
    """Clips whose frame ``t`` is of the grey level ``greys[t]`` for all colours, normalised."""
    clip = torch.tensor(greys).float().view(1, 1, -1, 1, 1).expand(1, 3, -1, 16, 16)
    return (clip - 127) / 60


def test_images_are_the_pixels_of_the_clip():
    data = batch()
    preprocessor = MODELS.build(CLIPS)
    clips = preprocessor(data)['inputs'].flatten(0, 1)
    images = image_teacher(size=16).images(clips)
    expected = torch.stack(data['inputs']).flatten(0, 1).transpose(1, 2).flatten(0, 1) / 255
    torch.testing.assert_close(images, expected, atol=1e-5, rtol=0)
    plain = image_teacher(size=16, data_preprocessor=None)
    torch.testing.assert_close(plain.images(clips * 60 + 127), expected, atol=1e-5, rtol=0)
    own = image_teacher(size=16, mean=[10., 20., 30.], std=[2., 3., 4.]).images(clips)
    mean, std = torch.tensor([10., 20., 30.]), torch.tensor([2., 3., 4.])
    torch.testing.assert_close(own, (255 * expected - mean.view(3, 1, 1)) / std.view(3, 1, 1),
                               atol=1e-3, rtol=0)
    assert image_teacher(size=8).images(clips).shape == (16, 3, 8, 8)


def test_smaller_images_are_antialiased():
    """As Pillow resizes, which CLIP's and most classifiers' preprocessing does."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    clip = (torch.from_numpy(frame).permute(2, 0, 1)[None, :, None].float() - 127) / 60
    images = image_teacher(size=8, std=[1.] * 3).images(clip)[0].permute(1, 2, 0)
    expected = np.asarray(Image.fromarray(frame).resize((8, 8), Image.Resampling.BICUBIC))
    # Pillow rounds to whole numbers in between; without antialiasing the difference is over 50
    assert np.abs(images.numpy() - expected).max() < 1.5


@pytest.mark.parametrize('wrap', ['tensor', 'tuple', 'object'])
def test_the_frame_in_the_centre(wrap):
    scores = image_teacher(wrap).logits(grey_clips(0, 51, 102, 255))['scene']
    torch.testing.assert_close(scores, torch.full((1, 2), 0.4))


def test_mean_of_the_probabilities_of_the_frames():
    model = image_teacher(frames='mean')
    with torch.no_grad():
        model.classifier.scale.copy_(torch.tensor([5., -3.]))
    clips = torch.cat([grey_clips(0, 51, 102, 255), grey_clips(255, 255, 0, 255)])
    found = model.logits(clips)['scene'].softmax(-1)
    levels = torch.tensor([[0, 0.2, 0.4, 1], [1, 1, 0, 1]])[..., None]
    expected = (levels * torch.tensor([5., -3.])).softmax(-1).mean(1)
    torch.testing.assert_close(found, expected)


def test_predicts_as_a_recognizer():
    model = image_teacher().eval()
    data = batch(views=2)
    data['inputs'] = [torch.stack([clip[0], 255 - clip[0]]) for clip in data['inputs']]
    samples = model.test_step(data)
    views = model.data_preprocessor(data)['inputs']
    for sample, clips in zip(samples, views):
        torch.testing.assert_close(sample.pred_scene_score,
                                   model.logits(clips)['scene'].softmax(-1).mean(0))
    with pytest.raises(ValueError, match='frozen'):
        model(views, mode='loss')


def test_weights_of_the_classifier(tmp_path):
    torch.save(dict(scale=torch.tensor([3., 4.])), tmp_path / 'a.pth')
    model = image_teacher(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth')))
    model.init_weights()
    assert model.classifier.scale.tolist() == [3, 4]
    assert not model.classifier.scale.requires_grad
    torch.save(dict(other=torch.ones(2)), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='Missing weights .1.: scale'):
        model.init_weights()


def test_a_recognizer_passes_its_normalisation_on():
    config = dict(type='ImageSceneTeacher', classifier=dict(type='MeanColour'), size=8,
                  num_scene_classes=SCENES)
    model = build('NaiveRecognizer', task='scene', scene_teacher=config,
                  augments=[dict(type='BackgroundErasing')])
    assert model.scene_teacher.data_preprocessor.mean.flatten().tolist() == [127.] * 3
    assert len(model.scene_teacher.data_preprocessor.augments) == 0
    data = model.train().data_preprocessor(batch(), training=True)
    loss = model.parse_losses(model(**data, mode='loss'))[0]
    loss.backward()
    assert model.scene_teacher.classifier.scale.grad is None
    assert not model.scene_teacher.training
    label = model.scene_teacher.logits(data['inputs'].flatten(0, 1))['scene'].argmax(-1)
    targets = model.scene_targets(data['inputs'].flatten(0, 1), data['targets'])[0]
    assert torch.equal(targets, label)


def test_errors():
    with pytest.raises(ValueError, match=r'returned \(1, 2\) for 1 frames.*is 365'):
        image_teacher(num_scene_classes=365).logits(grey_clips(0, 51, 102, 255))
    with pytest.raises(ValueError, match="'centre' or 'mean', got 'all'"):
        image_teacher(frames='all')
    with pytest.raises(ValueError, match="contain {} .*got 'a scene'"):
        ClipSceneTeacher(SCENE_NAMES, prompt='a scene', num_scene_classes=3)


# CLIP -------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def clip_folder(tmp_path_factory):
    """A random CLIP that reads letters and 16-pixel images."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
    letters = 'abcdefghijklmnopqrstuvwxyz.'
    words = [*letters, *(letter + '</w>' for letter in letters), '<|startoftext|>',
             '<|endoftext|>']
    vocab = {word: i for i, word in enumerate(words)}
    start, end = len(words) - 2, len(words) - 1
    torch.manual_seed(0)
    small = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    model = CLIPModel(CLIPConfig(
        text_config=dict(small, vocab_size=len(words), max_position_embeddings=40,
                         bos_token_id=start, eos_token_id=end, pad_token_id=end),
        vision_config=dict(small, image_size=16, patch_size=8), projection_dim=12))
    folder = tmp_path_factory.mktemp('clip')
    model.save_pretrained(folder)
    CLIPTokenizer(vocab=vocab, merges=[]).save_pretrained(folder)
    return folder


def clip_teacher(folder, **kwargs):
    defaults = dict(class_names=SCENE_NAMES, num_scene_classes=3, size=16, data_preprocessor=CLIPS)
    return MODELS.build(dict(type='ClipSceneTeacher', checkpoint=str(folder),
                             **{**defaults, **kwargs}))


def test_clip_agrees_with_the_library(clip_folder):
    from transformers import AutoTokenizer, CLIPModel
    data = batch()
    model = clip_teacher(clip_folder, prompt='a {} scene.')
    found = model.logits(MODELS.build(CLIPS)(data)['inputs'].flatten(0, 1))['scene']
    tokens = AutoTokenizer.from_pretrained(clip_folder)(
        [f'a {name} scene.' for name in SCENE_NAMES], padding=True, return_tensors='pt')
    frames = torch.stack(data['inputs']).flatten(0, 1)[:, :, 2].float() / 255
    mean, std = (torch.tensor(CLIP[key]).view(3, 1, 1) / 255 for key in ('mean', 'std'))
    with torch.no_grad():
        expected = CLIPModel.from_pretrained(clip_folder).eval()(
            **tokens, pixel_values=(frames - mean) / std).logits_per_image
    assert found.std(1).min() > 1e-4
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_clips_constants_are_the_librarys():
    from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD
    assert [255 * value for value in OPENAI_CLIP_MEAN] == pytest.approx(CLIP['mean'])
    assert [255 * value for value in OPENAI_CLIP_STD] == pytest.approx(CLIP['std'])


def test_names_are_read_once_and_prompts_matter(clip_folder, tmp_path):
    file = tmp_path / 'names.txt'
    file.write_text('/a/abbey 0\n/a/apartment_building/outdoor 1\nfire_station\n')
    assert scene_titles(str(file)) == ['abbey', 'apartment building outdoor', 'fire station']
    model = clip_teacher(clip_folder, class_names=str(file))
    clips = torch.randn(2, 3, *SIZE)
    scores = model.logits(clips)['scene']
    assert len(model.weights()['class_features']) == 3
    assert not any(name.startswith('text_') for name in model.weights())
    file.unlink()
    torch.testing.assert_close(model.logits(clips)['scene'], scores)
    with pytest.raises(FileNotFoundError, match=r'names\.txt.*a class a line'):
        clip_teacher(clip_folder, class_names=str(file)).logits(clips)
    file.write_text('barn\ncliff\nbarn 2\n')
    with pytest.raises(ValueError, match="'barn' is there twice"):
        scene_titles(str(file))
    with pytest.raises(ValueError, match='num_scene_classes is 4'):
        clip_teacher(clip_folder, num_scene_classes=4).logits(clips)


def test_clip_is_no_weight_of_the_recognizer(clip_folder, monkeypatch):
    config = dict(type='ClipSceneTeacher', checkpoint=str(clip_folder), size=16,
                  class_names=SCENE_NAMES[:2], num_scene_classes=SCENES)
    model = build('NaiveRecognizer', task='scene', scene_teacher=config).train()
    names = set(get_state_dict(model)), set(dict(model.named_parameters()))
    data = model.data_preprocessor(batch(), training=True)
    model.parse_losses(model(**data, mode='loss'))[0].backward()
    assert names == (set(get_state_dict(model)), set(dict(model.named_parameters())))
    assert not any('network' in name for name in names[1])
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(ImportError, match=r"pip install 'devias_mm\[clip\]'"):
        clip_teacher(clip_folder).logits(torch.randn(1, 3, *SIZE))


@pytest.mark.parametrize('name, lines, classes', [
    ('sun397_teacher', 'scene_teacher=_base_.sun397_teacher, num_scene_classes=397', 397),
    ('clip_teacher', 'scene_teacher=dict(_delete_=True, **_base_.clip_teacher)', 365)])
def test_fragments_take_the_place_of_places365(root, clip_folder, tmp_path, name, lines, classes):
    """Table 12, as a variant of a shipped config."""
    (tmp_path / 'a.py').write_text(
        f"_base_ = ['{root}/configs/naive/naive-scene_vit-base-p16_8xb12-16x4x1-100e_ucf101-"
        f"rgb.py', '{root}/configs/_base_/models/{name}.py']\nmodel = dict({lines})\n")
    cfg = Config.fromfile(str(tmp_path / 'a.py')).model
    small = dict(depth=1, img_size=32, embed_dims=48, num_heads=4)
    cfg.backbone.update(small)
    if name == 'clip_teacher':
        (tmp_path / 'names.txt').write_text('\n'.join(
            f'{chr(97 + i // 26)}{chr(97 + i % 26)}' for i in range(365)))
        cfg.scene_teacher.update(checkpoint=str(clip_folder), size=16,
                                 class_names=str(tmp_path / 'names.txt'))
    else:
        assert cfg.scene_teacher.init_cfg.checkpoint.endswith('sun397.pth')
        cfg.scene_teacher.backbone.update(small)
    model = MODELS.build(cfg).train()
    clips = dict(inputs=[torch.randint(256, (1, 3, 16, 32, 32), dtype=torch.uint8)] * 2,
                 data_samples=batch()['data_samples'][:2])
    loss = model(**model.data_preprocessor(clips, training=True), mode='loss')['loss_scene']
    assert loss.isfinite() and model.head.out_features == classes


# checkpoints --------------------------------------------------------------------------------


def test_a_teacher_with_a_file_is_not_in_the_checkpoints(tmp_path):
    source = MODELS.build(teacher())
    torch.save(source.state_dict(), tmp_path / 'teacher.pth')
    config = teacher(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'teacher.pth')))
    model = build('TokenRecognizer', 2, scene_teacher=config)
    model.init_weights()
    assert torch.equal(model.scene_teacher.head.weight, source.head.weight)
    for state in (model.state_dict(), get_state_dict(model)):
        assert state and not any('scene_teacher' in name for name in state)
        check_weights(model, dict(state_dict=state), 'x')
        other = build('TokenRecognizer', 2, scene_teacher=config)
        other.init_weights()
        load_state_dict(other, state, strict=True)
        other.load_state_dict(state)  # strict, too
        for (name, a), b in zip(model.named_parameters(), other.parameters()):
            assert torch.equal(a, b), name
    # a file from before, which holds the teacher, still loads
    whole = dict(state, **{f'scene_teacher.{key}': 0 * value
                           for key, value in source.state_dict().items()})
    load_state_dict(other, whole, strict=True)
    assert not other.scene_teacher.head.weight.any()


def test_missing_weights_of_the_recognizer_are_still_reported():
    config = teacher(init_cfg=dict(type='Pretrained', checkpoint='none.pth'))
    model = build('TokenRecognizer', 2, scene_teacher=config)
    state = model.state_dict()
    del state['scene_head.bias']
    with pytest.raises(RuntimeError, match='scene_head.bias'):
        model.load_state_dict(state)


def test_a_teacher_without_a_file_stays_in_the_checkpoints():
    model = build('TokenRecognizer', 2, scene_teacher=teacher())
    assert any(name.startswith('scene_teacher.') for name in get_state_dict(model))
    assert F.mse_loss(model.scene_teacher.head.weight,
                      model.state_dict()['scene_teacher.head.weight']) == 0


def test_images_are_shrunk_without_aliasing():
    """Stripes become grey; without a filter of their width they would be lost between samples."""
    clip = torch.zeros(1, 3, 1, 32, 32)
    clip[..., ::4] = 255
    images = image_teacher(size=8, data_preprocessor=None).images(clip)
    assert torch.allclose(images[..., 2:-2], torch.tensor(0.25), atol=0.02)
