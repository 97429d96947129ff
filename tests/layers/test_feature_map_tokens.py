"""Feature maps as tokens: order, masks, and what learns on them."""
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from devias_mm.layers import FeatureMapTokens, pool_masks

SIZE = (16, 96, 64)
SWIN = dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])
# fragment: what makes it small, and the grid of a clip of SIZE
SMALL = {
    'i3d-r50': (dict(base_channels=2), (2, 3, 2)),
    'slowonly-r50': (dict(base_channels=2), (16, 3, 2)),
    'r2plus1d-r34': (dict(base_channels=2), (2, 3, 2)),
    'r3d-r18': (dict(base_channels=2), (1, 3, 2)),
    'r3d-r34': (dict(base_channels=2), (1, 3, 2)),
    'c3d': ({}, (2, 6, 4)),
    'swin-base-omnivore': (dict(arch=SWIN), (8, 3, 2)),
}
FULL = {  # (T, H, W) of a clip, grid, width
    'i3d-r50': ((16, 224, 224), (2, 7, 7), 2048),
    'slowonly-r50': ((16, 224, 224), (16, 7, 7), 2048),
    'r2plus1d-r34': ((16, 224, 224), (2, 7, 7), 512),
    'r3d-r18': ((16, 112, 112), (1, 4, 4), 512),
    'r3d-r34': ((16, 112, 112), (1, 4, 4), 512),
    'c3d': ((16, 112, 112), (2, 7, 7), 512),
    'swin-base-omnivore': ((16, 224, 224), (8, 7, 7), 1024),
}


def fragment(root, name):
    return Config.fromfile(root / 'configs' / '_base_' / 'models' / f'{name}.py')


def small(root, name, **kwargs):
    """The fragment's backbone with a few channels, for clips of SIZE."""
    backbone = fragment(root, name).backbone.to_dict()
    backbone.update(input_size=SIZE, init_cfg=None, **kwargs)
    backbone['backbone'].update(SMALL[name][0])
    if 'drop_path_rate' in backbone['backbone']:
        backbone['backbone']['drop_path_rate'] = 0.
    return backbone


@torch.no_grad()
def smooth(kernel):
    """Triangular kernels: the answer peaks where the spot is."""
    kernel.fill_(1 / kernel[0].numel())
    for axis, size in enumerate(kernel.shape[2:], 2):
        triangle = 1 - (torch.arange(size) - size // 2).abs() / (size // 2 + 1)
        kernel.mul_(triangle.view(-1, *[1] * (4 - axis)))


@pytest.mark.parametrize('name', SMALL)
def test_a_spot_moves_the_token_of_its_place(root, name):
    model = MODELS.build(small(root, name, num_extra_tokens=2))
    model.eval()
    t, h, w = model.grid
    assert model.grid == SMALL[name][1]
    if 'swin' not in name:
        for parameter in model.parameters():
            if parameter.dim() == 5:
                smooth(parameter)
    background = torch.full((1, 3, *SIZE), 0.5)
    clip = background.clone()
    # the field of view of a token is centred on its first pixel, where a stage pools instead of
    # striding on its middle
    place, shift = (t - 1, 1, 1), 0.4 if name == 'c3d' else 0.
    start = [int(size / cells * (i + shift)) for size, cells, i in zip(SIZE, model.grid, place)]
    clip[:, :, start[0]:start[0] + max(1, SIZE[0] // t // 2), start[1]:start[1] + 6,
         start[2]:start[2] + 6] = 5.
    with torch.no_grad():
        tokens, extra, grid = model(clip)
        change = (tokens - model(background).tokens).abs().sum(-1)
    assert grid == model.grid
    assert tokens.shape == (1, t * h * w, model.embed_dims)
    assert change.argmax() == (place[0] * h + place[1]) * w + place[2]
    torch.testing.assert_close(extra, tokens.mean(1, keepdim=True).expand(1, 2, -1))


@pytest.mark.parametrize('name', FULL)
def test_full_size_grids(root, name):
    size, grid, dims = FULL[name]
    backbone = fragment(root, name).backbone
    assert tuple(backbone.input_size) == size
    # without memory for the weights; Swin reads numbers off its tensors
    with torch.device('cpu' if 'swin' in name else 'meta'):
        model = MODELS.build(backbone)
    assert (model.grid, model.embed_dims) == (grid, dims)
    assert model.training


@pytest.mark.parametrize('name, dims, depth, heads', [
    ('vit-small-p16', 384, 12, 6), ('vit-base-p16_ucf101', 768, 12, 12),
    ('vit-base-p16_kinetics400', 768, 12, 12), ('vit-large-p16', 1024, 24, 16)])
def test_vit_sizes(root, name, dims, depth, heads):
    cfg = fragment(root, name)
    assert cfg.backbone.get('depth', 12) == depth
    model = MODELS.build(dict(cfg.backbone, depth=1, img_size=32))
    assert (model.embed_dims, model.blocks[0].attn.num_heads) == (dims, heads)
    assert cfg.load_from.startswith(f'checkpoints/{name.split("_")[0]}_videomae-')


def labelled(clips):
    samples = []
    for label in range(clips):
        sample = ActionDataSample(metainfo=dict(video_id=str(label)))
        samples.append(sample.set_gt_label(label))
        sample.set_field(label, 'scene_label')
    return samples


@pytest.mark.parametrize('name', ['i3d-r50', 'swin-base-omnivore'])
@pytest.mark.parametrize('method', ['DEVIAS', 'TokenRecognizer', 'NaiveRecognizer'])
def test_a_step_trains_every_weight(root, name, method):
    cfg = dict(type=method, num_classes=3, num_scene_classes=2,
               data_preprocessor=dict(fragment(root, name).clip_preprocessor))
    if method == 'DEVIAS':
        cfg.update(slot_attention=dict(), action_scores='own')
        cfg['data_preprocessor']['augments'] = [dict(type='FAMEMasks', tau=0.4),
                                                dict(type='SceneMix', ratio=0.5)]
    cfg['backbone'] = small(root, name, num_extra_tokens=2 * (method == 'TokenRecognizer'))
    model = MODELS.build(cfg)
    if method == 'DEVIAS':
        assert model.mask_decoder.layers[-1].out_features == SMALL[name][1][1] * SMALL[name][1][2]
    with DefaultScope.overwrite_default_scope('mmaction'):
        optim_wrapper = build_optim_wrapper(
            model, dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.)))
    data = dict(inputs=[torch.randint(256, (1, 3, *SIZE), dtype=torch.uint8) for _ in range(2)],
                data_samples=labelled(2))
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    log = model.train().train_step(data, optim_wrapper)
    assert torch.isfinite(log['loss']) and log['loss'] > 0
    still = [key for key, p in model.named_parameters() if torch.equal(p, before[key])]
    assert not still
    scores = model.eval().test_step(data)[0]
    assert scores.pred_score.shape == (3, )
    assert ('pred_scene_score' in scores) == (method != 'NaiveRecognizer')


@pytest.mark.parametrize('grid', [(2, 3, 2), (16, 3, 2), (8, 3, 2), (1, 3, 2)])
def test_masks_follow_the_grid(grid):
    """FAME's mask of a frame pair, on grids that are coarser or finer in time."""
    masks = torch.zeros(1, 8, 96, 64)
    masks[0, 6, 32:64, 32:] = 1.  # frames 12 and 13, row 1, column 1
    pooled = pool_masks(masks, grid)[0]
    share = min(1., grid[0] / 8)
    cells = [int(12 / 16 * grid[0])] + ([13] if grid[0] == 16 else [])
    expected = torch.zeros(grid)
    for t in cells:
        expected[t, 1, 1] = share
    torch.testing.assert_close(pooled, expected.flatten(1))


def test_frames_one_by_one():
    frames = dict(type='ResNet', depth=18, norm_cfg=dict(type='BN', requires_grad=True))
    model = FeatureMapTokens(frames, input_size=(4, 64, 96), frame_wise=True).eval()
    clips = torch.randn(2, 3, 4, 64, 96)
    assert (model.grid, model.embed_dims) == ((4, 2, 3), 512)
    with torch.no_grad():
        tokens = model(clips).tokens
        for t in range(4):
            torch.testing.assert_close(
                tokens.unflatten(1, (4, 6))[:, t],
                model.backbone(clips[:, :, t]).flatten(2).transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_the_last_of_several_maps():
    stages = dict(type='ResNet3d', depth=18, base_channels=2, pretrained2d=False,
                  out_indices=(1, 3))
    model = FeatureMapTokens(stages, input_size=SIZE).eval()
    assert model.embed_dims == 16 and model.grid[1:] == (3, 2)
    clips = torch.randn(1, 3, *SIZE)
    assert torch.equal(model(clips).tokens, model.backbone(clips)[1].flatten(2).transpose(1, 2))


@pytest.mark.parametrize('backbone, size, message', [
    (dict(type='C3D', out_dim=2048), (16, 32, 32), 'C3DFeatureMap'),
    (dict(type='ResNet', depth=18), (4, 32, 32), r'ResNet on clips of \(4, 32, 32\)'),
    (dict(type='TokenViT', depth=1, img_size=32), (16, 32, 32), 'no feature map'),
    (dict(type='C3DFeatureMap'), (2, 96, 64), 'too small')])
def test_what_is_no_feature_map_is_refused(backbone, size, message):
    with pytest.raises(ValueError, match=message):
        FeatureMapTokens(backbone, input_size=size)


def test_clips_of_another_size_are_refused(root):
    model = MODELS.build(small(root, 'r3d-r18'))
    with pytest.raises(ValueError, match=r'built for clips of \(16, 96, 64\).*\(16, 64, 96\)'):
        model(torch.randn(1, 3, 16, 64, 96))


def test_weights_of_an_mmaction2_recognizer(root, tmp_path):
    """MMAction2's checkpoint is `init_cfg` as it is, and it wins over the random start."""
    backbone = small(root, 'i3d-r50')
    with DefaultScope.overwrite_default_scope('mmaction'):
        theirs = MODELS.build(dict(
            type='Recognizer3D', backbone=backbone['backbone'],
            cls_head=dict(type='I3DHead', num_classes=3, in_channels=64)))
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    torch.save(dict(state_dict=theirs.state_dict(), meta={}), tmp_path / 'i3d.pth')
    model = MODELS.build(dict(type='NaiveRecognizer', num_classes=2, backbone=dict(
        backbone, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'i3d.pth')))))
    model.init_weights()
    expected = theirs.backbone.state_dict()
    found = model.backbone.backbone.state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    wider = dict(backbone, backbone=dict(backbone['backbone'], conv1_kernel=(3, 7, 7)))
    model = MODELS.build(dict(wider, init_cfg=dict(type='Pretrained',
                                                   checkpoint=str(tmp_path / 'i3d.pth'))))
    with pytest.raises(ValueError, match=r'i3d.pth does not fit.*conv1.*5, 7, 7.*1 weights'):
        model.init_weights()


def test_layer_decay_is_one_clear_error(root):
    model = MODELS.build(dict(type='NaiveRecognizer', num_classes=2,
                              backbone=small(root, 'r3d-r18')))
    with DefaultScope.overwrite_default_scope('mmaction'), \
            pytest.raises(ValueError, match='FeatureMapTokens has no `blocks`.*default'):
        build_optim_wrapper(model, dict(
            optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
            constructor='LayerDecayOptimWrapperConstructor', paramwise_cfg=dict(decay_rate=0.75)))
