"""Convert a published checkpoint to the names of this project.

    python tools/data/convert_checkpoint.py SOURCE.pth checkpoints/vit-base-p16_videomae.pth

SOURCE: a ViT of VideoMAE (pre-trained or fine-tuned), a scene model of the same form, a
DEVIAS checkpoint of the published code, or an MMAction2 VideoMAE recognizer.
"""
import argparse
import os
import sys

import torch

from devias_mm.engine.checkpoint_conversion import convert
from devias_mm.engine.checkpoints import CheckpointError, load_checkpoint_file
from devias_mm.files import atomic_path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source')
    parser.add_argument('target')
    parser.add_argument('--no-head', action='store_true',
                        help='drop the classifier, to train on other classes')
    args = parser.parse_args()
    # training scripts store their command line; a Namespace runs no code when rebuilt
    with torch.serialization.safe_globals([argparse.Namespace]):
        checkpoint = load_checkpoint_file(args.source)['state_dict']
    for key in ('model', 'module'):
        if isinstance(checkpoint.get(key), dict):
            checkpoint = checkpoint[key]
    result = convert(checkpoint)
    state = dict(result.state_dict)
    if args.no_head:
        state = {key: value for key, value in state.items() if not key.startswith('head.')}
    with atomic_path(args.target) as temporary:
        torch.save(dict(state_dict=state, meta=dict(source=os.path.basename(args.source))),
                   temporary)
    for old, new in result.renamed.items():
        print(f'{old} -> {new}')
    for old in result.dropped:
        print(f'{old} dropped: not part of the network here, or a copy of a tied layer')
    print(f'{result.layout} checkpoint: {len(state)} weights written to {args.target}, '
          f'{len(result.dropped)} dropped')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ValueError, OSError) as error:
        sys.exit(f'error: {error}')
