"""Convert a checkpoint of another project to the names of this one, or back.

    python tools/data/convert_checkpoint.py mae.pth checkpoints/vit-base-p16_videomae-ucf101.pth
    python tools/data/convert_checkpoint.py epoch_100.pth devias.pth --to devias --num-iters 4

SOURCE is a .pth file (.pt, .torch ...), read without running code from it, or a .safetensors
file. What was renamed, computed and dropped is printed, with the reason; a weight that no
rule explains is an error and nothing is written. docs/checkpoints.md lists the layouts.

Files of DeepSpeed and other trainers hold objects beside the weights. The error message names
their classes; leave the objects out with --ignore-classes NAME ...
"""
import argparse
import os
import sys
import zipfile
from pathlib import Path
from typing import Sequence

import torch

from devias_mm.engine import checkpoint_conversion as conversion
from devias_mm.weights.checkpoints import load_checkpoint_file, refused_classes
from devias_mm.errors import CheckpointError
from devias_mm.errors import UsageError
from devias_mm.files import atomic_path

HEADS = ('head.', 'action_head.', 'scene_head.', 'cls_head.')


def parse_args() -> argparse.Namespace:
    kinds = '\n'.join(f'  {name:18}{layout.about}' for name, layout in conversion.LAYOUTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f'kinds of SOURCE:\n{kinds}\n  {"ours":18}a checkpoint of this project')
    parser.add_argument('source')
    parser.add_argument('target')
    parser.add_argument('--kind', choices=conversion.SOURCES,
                        help='layout of SOURCE; default: told by its names')
    parser.add_argument('--to', choices=conversion.TARGETS, default='ours',
                        help='layout of the target (default: ours)')
    parser.add_argument('--no-head', action='store_true',
                        help='drop the classifiers, to train on other classes')
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
    args = parser.parse_args()
    if args.tubelet < 1 or (args.num_iters is not None and args.num_iters < 1):
        parser.error('--tubelet and --num-iters must be at least 1')
    if any(pair.count('=') != 1 for pair in args.rename):
        parser.error(f'--rename takes OLD=NEW, got {args.rename}')
    return args


def stand_in(name: str) -> type:
    """A class that takes whatever an object of another was stored with, and keeps nothing."""
    def ignore(self, *args, **kwargs) -> None:
        pass

    return type(name.rpartition('.')[2], (), dict(__init__=ignore, __setstate__=ignore))


def check_ignored(path: str, ignored: Sequence[str]) -> None:
    """Whether a file needs what ``--ignore-classes`` names; only zip files can be asked."""
    refused = refused_classes(path)
    unknown = [name for name in ignored if name not in refused]
    if unknown and zipfile.is_zipfile(path):
        raise UsageError(f'--ignore-classes: {path} holds no object of {", ".join(unknown)} that '
                         f'would be refused; there are: {", ".join(refused) or "none"}')


def read_weights(path: str, renames: list, ignored: Sequence[str] = ()) -> dict:
    """Names to tensors.

    Args:
        path (str): the file.
        renames (list[str]): of ``--rename``.
        ignored (Sequence[str]): full names of classes, of ``--ignore-classes``.

    Raises:
        CheckpointError: there is no such file, or it is truncated or no checkpoint.
        UsageError: a name of ``renames`` or ``ignored`` does not occur.
    """
    if Path(path).suffix == '.safetensors':
        state = read_safetensors(path)
    else:
        # training scripts store their command line; a Namespace runs no code when rebuilt
        with torch.serialization.safe_globals([argparse.Namespace]):
            check_ignored(path, ignored)
            with torch.serialization.safe_globals([(stand_in(name), name) for name in ignored]):
                state = conversion.unwrap(load_checkpoint_file(path))
    for old, new in (pair.split('=') for pair in renames):
        if not any(key.startswith(old) for key in state):
            raise UsageError(f'--rename: no name in {path} begins with {old!r}')
        state = {new + key[len(old):] if key.startswith(old) else key: value
                 for key, value in state.items()}
    return state


def read_safetensors(path: str) -> dict:
    """As :func:`read_weights`."""
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise UsageError('a .safetensors file needs the package safetensors: '
                         'pip install safetensors') from error
    if not os.path.isfile(path):
        raise CheckpointError(f'checkpoint not found: {path}')
    try:
        return conversion.unwrap(load_file(path))
    except Exception as error:  # the library has no common class for its errors
        raise CheckpointError(f'cannot load checkpoint {path}: it is truncated or not a '
                              f'safetensors file ({error})') from error


def main() -> None:
    args = parse_args()
    weights = read_weights(args.source, args.rename, args.ignore_classes)
    result = conversion.convert(weights, args.kind, args.tubelet)
    kind, state, notes = result.layout, result.state_dict, result.notes
    renamed = [] if kind == 'ours' else list(result.renamed.items())
    dropped = list(result.dropped.items())
    if args.to == 'ours' and kind == 'ours' and not args.ignore_classes:
        raise UsageError(f'{args.source} has the names of this project already: choose --to')
    if args.to != 'ours':
        if kind == 'omnivore':
            raise UsageError('a Swin is written with the names of MMAction2: leave --to out')
        exported = conversion.export(state, args.to, args.num_iters)
        state = exported.state_dict
        renamed += exported.renamed.items()
        dropped += exported.dropped.items()
    if args.no_head:
        heads = [key for key in state if key.startswith(HEADS)]
        dropped += [(key, '--no-head') for key in heads]
        state = {key: value for key, value in state.items() if key not in heads}
    wrapper = 'state_dict' if args.to in ('ours', 'mmaction2') else 'model'
    with atomic_path(args.target) as temporary:
        torch.save({wrapper: state, 'meta': dict(source=os.path.basename(args.source),
                                                 source_kind=kind, layout=args.to)}, temporary)
    for old, new in renamed:
        print(f'{old} -> {new}' if old != new else f'{old} kept')
    for old, reason in dropped:
        print(f'{old} dropped: {reason}')
    for note in notes:
        print(f'note: {note}')
    print(f'{kind} checkpoint: {len(state)} weights written to {args.target}, '
          f'{len(dropped)} dropped')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ValueError, OSError) as error:
        sys.exit(f'error: {error}')
