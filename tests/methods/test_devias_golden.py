"""DEVIAS against outputs and losses of the published implementation."""
import json
import re
import zlib

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS

from devias_mm.layers import assign_slots
from devias_mm.methods.devias_losses import SlotBatch, matching_costs
from devias_mm.structures import ClipTargets
from devias_mm.weights.conversion import convert


def numbers(text: str, count: int) -> np.ndarray:
    """Deterministic doubles in [-1, 1) from a string (golden README)."""
    key = np.uint64(zlib.crc32(text.encode())) << np.uint64(32)
    with np.errstate(over='ignore'):
        z = key + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return 2 * ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53) - 1


def official_weights(config: dict) -> dict:
    state = {}
    for name, shape in config['state_dict']:
        source = name
        if config['agg_weights_tied']:
            source = re.sub(r'(agg_block\.layers\.)\d+', r'\g<1>0', name)
        u = numbers(config['weight_salt'] + source, int(np.prod(shape))).reshape(shape)
        if name == 'agg_block.latents':
            value = np.sqrt(3) * u
        elif name.endswith('bias'):
            value = 0.05 * u
        elif len(shape) == 1:
            value = 1 + 0.1 * u
        else:
            gain = 3 if name.startswith('head.') else 2 if name.startswith('mask_pred') else 1
            value = gain * np.sqrt(3 / np.prod(shape[1:])) * u
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state


def video(tag: str, batch: int) -> torch.Tensor:
    shape = (batch, 3, 16, 224, 224)
    b, c, t, h, w = np.ogrid[:batch, :3, :16, :224, :224]
    clip = 0.8 * np.sin(2 * np.pi * (h * (c + 1) / 56 + w * (b + 1) / 80 + t / 16))
    clip = clip + 0.6 * np.cos(2 * np.pi * (h - 2 * w) / 97 + 0.4 * t * (c + 1) + b)
    clip = clip + 0.4 * numbers('video:' + tag, int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(clip.astype(np.float32))


def build(num_classes, num_scenes, depth, slots, iters, tied, **kwargs):
    return MODELS.build(dict(
        type='DEVIAS', num_classes=num_classes, num_scene_classes=num_scenes,
        backbone=dict(type='TokenViT', depth=depth),
        slot_attention=dict(num_slots=slots, num_iters=iters, tied=tied), **kwargs)).eval()


@pytest.mark.parametrize('case', [
    'ucf_depth2', 'k4_untied_depth2',
    pytest.param('ucf_full', marks=pytest.mark.slow),
    pytest.param('k400_full', marks=pytest.mark.slow)])
def test_forward_parity(golden, case, parity):
    folder = golden / 'devias_forward'
    config = json.loads((folder / f'{case}_config.json').read_text())
    arrays = np.load(folder / f'{case}.npz', allow_pickle=False)
    tied = config['agg_weights_tied']
    model = build(config['num_classes'], config['num_scene_classes'], config['encoder_depth'],
                  config['num_slots'], config['agg_depth'], tied)
    official = convert(official_weights(config))
    assert official.layout == 'devias'
    missing, unexpected = model.load_state_dict(official.state_dict, strict=False)
    assert not unexpected
    assert all('pos_embed' in name for name in missing)
    clips = video(config['video_tag'], config['batch'])
    assert abs(float(clips[0, 1, 3, 10, 20]) - arrays['input_probe'][1]) < 1e-6

    seen = []
    model.backbone.register_forward_hook(lambda module, args, out: seen.append(out.tokens))
    with torch.no_grad():
        output = model.encode_slots(clips)
        model.encode_slots = lambda clips: output  # once is enough
        masks = model.mask_decoder(output.slots).sigmoid().flatten(0, 1)
        scores, chosen = model.probabilities(clips), model.features(clips)
    parity('tokens_sub', seen[0][:, ::98, ::16], arrays['tokens_sub'], 5e-6)
    parity('slots', output.slots.flatten(0, 1), arrays['slots'], 5e-6)
    parity('slots_head', output.logits.flatten(0, 1), arrays['slots_head'], 1.5e-5)
    parity('attn_head_mean', output.attention, arrays['attn_head_mean'], 5e-6)
    parity('mask_predictions', masks, arrays['mask_predictions'], 5e-6)
    scene = torch.from_numpy(arrays['scene_logit'])[:, -config['num_scene_classes']:].softmax(-1)
    parity('softmax of action_logit', scores['action'],
           torch.from_numpy(arrays['action_logit']).softmax(-1), 5e-6)
    parity('softmax of scene_logit', scores['scene'], scene, 5e-6)
    for role in ('action', 'scene'):
        slot = scores[f'{role}_slot'].argmax(1)
        parity(f'{role}_logit', output.logits[torch.arange(len(clips)), slot],
               arrays[f'{role}_logit'], 1.5e-5)
        parity(f'{role}_feat', chosen[role], arrays[f'{role}_feat'], 5e-6)
        parity(f'{role}_slot', slot, arrays[f'{role}_slot'], 0, 'share')


@pytest.mark.parametrize('name', ['ucf_k2_pooled_masks', 'k400_k4_float_masks', 'hvu_k2'])
def test_loss_parity(golden, name, parity):
    """Every term, for every stored configuration, and the gradients of one."""
    arrays = np.load(golden / 'devias_loss' / f'{name}.npz', allow_pickle=False)
    get = {key: torch.from_numpy(arrays[key]) for key in arrays.files
           if arrays[key].dtype.kind in 'fi' and arrays[key].ndim}
    batch, classes = len(get['target']), arrays['slots_head'].shape[1]
    num_slots = len(get['slots']) // batch
    hvu = 'scene_target' in arrays.files
    num_scenes = 248 if hvu else 365
    names = [str(n) for n in arrays['loss_names']]
    for row, criterion in enumerate(arrays['config_scene_criterion']):
        # labels of the data set are hard: there the weight of the divergence must not count
        weights = arrays['config_weights_scene_pred_distill'][row] if not hvu else (
            4000, *arrays['config_weights_pred_distill'])
        scene_weight, mask_weight, guidance_weight = map(float, weights)
        scene_loss = dict(type='SceneCrossEntropy')
        if str(criterion) == 'KL':
            scene_loss = dict(type='SceneDistillation', weight=scene_weight)
        model = build(classes - num_scenes, num_scenes, 0, num_slots, 1, True, losses=dict(
            scene=scene_loss, mask=dict(type='MaskDecoding', weight=mask_weight),
            guidance=dict(type='AttentionGuidance', weight=guidance_weight)))
        slots = get['slots'].view(batch, num_slots, -1).clone().requires_grad_()
        logits = get['slots_head'].view(batch, num_slots, -1).clone().requires_grad_()
        attention = get['attn'].view(batch, 4, num_slots, -1).mean(1).requires_grad_()
        # the decoder is replaced by the stored predictions: logit undoes our sigmoid
        prediction = get['mask_predictions'].view(batch, num_slots, -1).clone().requires_grad_()
        # a 14 x 14 "image" pools to itself; masks were rounded to half precision
        targets = ClipTargets(
            get['target'], masks=get['fg_mask_per_frame'].half().float().view(batch, 8, 14, 14),
            clip_mask=get['fg_mask'].half().float().view(batch, 14, 14))
        soft = None if hvu else get['teacher_scene_logit']
        scene = get['scene_target'] if hvu else soft.argmax(-1)
        scene = scene + model.num_classes

        costs = matching_costs(logits, targets.action, scene, 'probability')
        if not hvu:
            parity('matching_cost', torch.stack(costs, -1), arrays['matching_cost'], 1e-6)
        slots_chosen = assign_slots(*costs, 'hungarian')
        parity('matching_action_scene_slot', torch.stack(slots_chosen, 1),
               arrays['matching_action_scene_slot'], 0, 'share')

        class Stored(torch.nn.Module):
            def forward(self, chosen, index=slots_chosen[0], prediction=prediction):
                return prediction[torch.arange(len(index)), index].logit()

        result = model.loss_of_slots(SlotBatch(
            slots=slots, attention=attention, logits=logits, grid=(8, 14, 14),
            action_slot=slots_chosen[0], scene_slot=slots_chosen[1], action=targets.action,
            scene=scene, num_classes=model.num_classes, teacher_logits=soft, masks=targets.masks,
            clip_mask=targets.clip_mask, decoder=Stored()))
        ours = dict(action_loss=result['loss_action'], scene_loss=result['loss_scene'],
                    mask_distill_loss=result['loss_guidance'],
                    mask_prediction_loss=result['loss_mask'], cosine_loss=result['loss_cosine'])
        ours['total'] = sum(ours.values())
        expected = arrays['losses_full_precision'][row]
        for index, term in enumerate(names):
            parity(f'{term} of config {row}', ours[term], expected[index], 1e-5, 'relative')
        if not hvu and row == int(arrays['grad_config_index']):
            ours['total'].backward()
            parity('grad_slots_head', logits.grad.flatten(0, 1), arrays['grad_slots_head'],
                   1e-5, 'relative')
            parity('grad_slots', slots.grad.flatten(0, 1), arrays['grad_slots'], 1e-5, 'relative')
            # the reference divides by 196 in half precision: 1/196 is off by 2e-4
            parity('grad_mask_predictions', prediction.grad.flatten(0, 1),
                   arrays['grad_mask_predictions'], 3e-4, 'relative')
            parity('grad_attn_each_head', attention.grad / 4, arrays['grad_attn_each_head'],
                   1e-5, 'relative')
