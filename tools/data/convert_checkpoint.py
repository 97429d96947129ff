"""Convert a checkpoint of another project to the names of this one, or back.

    python tools/data/convert_checkpoint.py mae.pth checkpoints/vit-base-p16_videomae-ucf101.pth
    python tools/data/convert_checkpoint.py epoch_100.pth devias.pth --to devias --num-iters 4

SOURCE is a .pth file (.pt, .torch ...), read without running code from it, or a .safetensors
file, on the disk or by its URL. What was renamed, computed and dropped is printed, with the
reason. Nothing is written where a weight is not known, missing, of a wrong shape or no number.
docs/checkpoints.md lists the layouts.

Files of DeepSpeed and other trainers hold objects beside the weights. The error message names
their classes; leave the objects out with --ignore-classes NAME ...
"""
import argparse
import os
from typing import List, Sequence

from devias_mm.cli import run_tool
from devias_mm.errors import UsageError
from devias_mm.files import atomic_path
from devias_mm.weights.layouts import LAYOUTS, SOURCES, TARGETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    lines = [f'  {name:18}{layout.about}' for name, layout in LAYOUTS.items()]
    lines.append(f'  {"ours":18}a checkpoint of this project')
    parser.epilog = 'kinds of SOURCE:\n' + '\n'.join(lines)
    parser.add_argument('source', metavar='SOURCE')
    parser.add_argument('target', metavar='TARGET')
    parser.add_argument('--kind', choices=SOURCES,
                        help='layout of SOURCE; default: told by its names')
    parser.add_argument('--to', choices=TARGETS, default='ours',
                        help='layout of the target (default: ours)')
    parser.add_argument('--no-head', action='store_true',
                        help='drop the classifiers, to train on other classes')
    parser.add_argument('--partial', action='store_true',
                        help='accept a file that lacks weights, and name them')
    parser.add_argument('--tubelet', type=int, default=2, metavar='FRAMES',
                        help='frames of a tubelet that image patches are inflated to (default: 2)')
    parser.add_argument('--num-iters', type=int, metavar='M',
                        help='slot-attention iterations, for --to devias with tied layers')
    parser.add_argument('--rename', nargs='+', default=[], metavar='OLD=NEW',
                        help='beginnings of names that are replaced before anything else, for '
                        'a file whose names the error message calls unknown')
    parser.add_argument('--ignore-classes', nargs='+', default=[], metavar='NAME',
                        help='full names of classes, such as deepspeed.runtime.fp16.loss_scaler.'
                        'LossScaler, whose objects in SOURCE are left out; none of their code runs')


def check_arguments(args: argparse.Namespace) -> None:
    for option, value in (('--tubelet', args.tubelet), ('--num-iters', args.num_iters)):
        if value is not None and value < 1:
            raise UsageError(f'{option} must be at least 1, got {value}')
    for pair in args.rename:
        if pair.count('=') != 1:
            raise UsageError(f'--rename takes OLD=NEW, got {pair!r}')


def read_weights(path: str, ignored: Sequence[str]) -> dict:
    """Read names and tensors; ``ignored`` are the classes of --ignore-classes."""
    import torch

    from devias_mm.weights.conversion import unwrap
    from devias_mm.weights.download import local_file
    from devias_mm.weights.reading import ignoring_classes, load_checkpoint_file

    file = local_file(path)
    # training scripts store their command line; a Namespace runs no code when rebuilt
    with torch.serialization.safe_globals([argparse.Namespace]), ignoring_classes(file, ignored):
        return unwrap(load_checkpoint_file(file))


def rename(state: dict, pairs: Sequence[str], path: str) -> dict:
    """Replace the beginnings of names."""
    for pair in pairs:
        old, new = pair.split('=')
        if not any(key.startswith(old) for key in state):
            raise UsageError(f'--rename: no name in {path} begins with {old!r}')
        renamed = {}
        for key, value in state.items():
            if key.startswith(old):
                key = new + key[len(old):]
            renamed[key] = value
        state = renamed
    return state


def main(args: argparse.Namespace) -> None:
    check_arguments(args)
    import torch

    from devias_mm.weights.conversion import check_complete, convert, export
    from devias_mm.weights.conversion.completeness import HEADS

    state = rename(read_weights(args.source, args.ignore_classes), args.rename, args.source)
    result = convert(state, args.kind, args.tubelet)
    kind, state = result.layout, result.state_dict
    if args.to == 'ours' and kind == 'ours' and not args.ignore_classes:
        raise UsageError(f'{args.source} has the names of this project already: choose --to')
    if args.to != 'ours' and kind == 'omnivore':
        raise UsageError('a Swin is written with the names of MMAction2: leave --to out')
    missing = check_complete(result, args.partial, heads=not args.no_head)
    lines: List[str] = []
    if kind != 'ours':
        lines += describe(result.renamed)
    dropped = dict(result.dropped)
    if args.to != 'ours':
        exported = export(state, args.to, args.num_iters)
        state = exported.state_dict
        # what is written must be a whole checkpoint of that layout, too
        check_complete(convert(state, args.to), args.partial, heads=not args.no_head)
        lines += describe(exported.renamed)
        dropped.update(exported.dropped)
    if args.no_head:
        heads = [key for key in state if key.startswith(HEADS)]
        dropped.update(dict.fromkeys(heads, '--no-head'))
        state = {key: value for key, value in state.items() if key not in heads}
    wrapper = 'state_dict' if args.to in ('ours', 'mmaction2') else 'model'
    meta = dict(source=os.path.basename(args.source), source_kind=kind, layout=args.to)
    with atomic_path(args.target) as temporary:
        torch.save({wrapper: state, 'meta': meta}, temporary)
    lines += [f'{key} dropped: {reason}' for key, reason in dropped.items()]
    lines += [f'{key} missing' for key in missing]
    lines += [f'note: {note}' for note in result.notes]
    print('\n'.join(lines))
    print(f'{kind} checkpoint: {len(state)} weights written to {args.target}, '
          f'{len(dropped)} dropped')


def describe(renamed: dict) -> List[str]:
    lines = []
    for old, new in renamed.items():
        lines.append(f'{old} -> {new}' if old != new else f'{old} kept')
    return lines


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
