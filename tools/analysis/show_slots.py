r"""Draw where the action and the scene slot of a trained DEVIAS look.

    python tools/analysis/show_slots.py configs/devias/<cfg>.py CHECKPOINT --out slots.png \
        --split unseen

For some test clips: attention of the action and of the scene slot (the paper's Figure 8) and
the mask that the decoder reads off the action slot.
"""
from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=f'{CONFIG_HELP}; of a DEVIAS model')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('--out', required=True, metavar='FILE.png', help='picture to write')
    parser.add_argument('--split', help="of the config's test splits; default: the first")
    parser.add_argument('--clips', type=int, default=8, help='default: %(default)s')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of clips')
    add_config_options(parser)


def read_clips(cfg, changes, count, seed):
    """Return a collated batch of ``count`` readable clips of a split, drawn at random."""
    import numpy as np
    from mmengine.dataset import pseudo_collate

    from devias_mm.engine.inference import list_loader
    dataset = list_loader(cfg, changes).dataset
    order = np.random.default_rng(seed).permutation(len(dataset))
    samples = []
    for index in order.tolist():
        sample = dataset[index]
        if 'error' not in sample['data_samples']:
            samples.append(sample)
        if len(samples) == count:
            break
    if not samples:
        raise UsageError('no video of the split can be read: name another --split')
    return pseudo_collate(samples)


def slot_maps(model, inputs):
    """Run a DEVIAS on clips.

    Args:
        model (DEVIAS): the recognizer.
        inputs (Tensor): normalised clips, ``(B, 3, T, H, W)``.

    Returns:
        tuple: maps ``(B, t, h, w)`` by their title, and the predicted action and scene classes.
    """
    import torch
    with torch.no_grad():
        output = model.encode_slots(inputs)
        probability = output.logits.softmax(-1)
        action_slot, scene_slot = model.choose_slots(probability)
        rows = torch.arange(len(inputs))
        t, h, w = output.grid
        maps = {}
        for title, slot in (('action slot', action_slot), ('scene slot', scene_slot)):
            attention = output.attention[rows, slot]
            maps[title] = attention.view(len(inputs), t, h, w)
        if model.mask_decoder is not None:
            logits = model.mask_decoder(output.slots[rows, action_slot])
            maps['decoded mask'] = logits.sigmoid().view(len(inputs), 1, h, w)
    classes = [model.num_classes, model.num_scene_classes]
    actions, scenes = probability.split(classes, -1)
    action = actions[rows, action_slot].argmax(-1)
    scene = scenes[rows, scene_slot].argmax(-1)
    return maps, action, scene


def main(args):
    import torch

    from devias_mm.engine.config import load_config
    from devias_mm.engine.inference import load_recognizer, test_splits
    from devias_mm.engine.runner import set_threads
    from devias_mm.splits import choose_splits
    from devias_mm.visualization.overlays import draw_slots
    if not args.out.endswith('.png'):
        raise UsageError(f'--out must end with .png, got {args.out!r}')
    if args.clips < 1:
        raise UsageError(f'--clips must be at least 1, got {args.clips}')
    cfg = load_config(args)
    set_threads(args.threads)
    if cfg.model.type != 'DEVIAS':
        raise UsageError(f'{args.config} builds a {cfg.model.type}, which has no slots')
    splits = test_splits(cfg)
    split = next(iter(splits))
    if args.split:
        split = choose_splits(splits, [args.split])[0]
    model = load_recognizer(cfg, args.checkpoint).cpu()
    batch = read_clips(cfg, splits[split], args.clips, args.seed)
    clips = torch.stack(batch['inputs'])[:, 0]  # the first view
    inputs = model.data_preprocessor(batch)['inputs'][:, 0]
    maps, actions, scenes = slot_maps(model, inputs)
    titles = []
    for sample, action, scene in zip(batch['data_samples'], actions.tolist(), scenes.tolist()):
        titles.append(f'{sample.video_id}\naction {action}, scene {scene}')
    print(f'wrote {draw_slots(clips, maps, titles, args.out)}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
