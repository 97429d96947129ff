r"""Make the lists of Mini-Kinetics-200 from its published YouTube ids and lists of Kinetics-400.

    LISTS=data/kinetics400/annotations
    python tools/data/make_mini_kinetics.py --out data/mini-kinetics200/annotations \
        --train $LISTS/kinetics400_train_list_videos.txt train_ytid_list.txt \
        --val $LISTS/kinetics400_val_list_videos.txt val_ytid_list.txt

Writes train.csv and val.csv, `file label` a line, in the order of the lists of Kinetics-400. The
200 classes keep the order of their labels there and become 0 to 199. A file is known by its name,
`<id>.mp4` or `<id>_000012_000022.mp4`, and listed as `train/<file>` or `val/<file>`, so that
data/mini-kinetics200/videos can hold a link to each of the two folders of Kinetics-400. Ids whose
video is not in the list, because YouTube has it no more, are counted, and named in
missing_train.txt and missing_val.txt.
"""
import argparse
import re
import sys
from pathlib import Path
from typing import Dict, List

from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError
from devias_mm.files import file_sha256, write_text

#: an id has 11 characters; Kinetics adds start and end of the clip in seconds
NAME = re.compile(r'([\w-]{11})(_\d{6}_\d{6})?$', re.ASCII)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for split in ('train', 'val'):
        parser.add_argument(f'--{split}', nargs=2, required=True, type=Path,
                            metavar=('LIST', 'IDS'),
                            help=f'{split} list of Kinetics-400, `file label` a line, and the '
                            'published ids, one a line')
    parser.add_argument('--out', type=Path, required=True, metavar='FOLDER')
    parser.add_argument('--classes', type=int, default=200, metavar='N',
                        help='how many the ids have to come from (default: %(default)s)')
    return parser.parse_args()


def read_ids(path: Path) -> List[str]:
    """The ids of a published list, without repetition, in its order."""
    if not path.is_file():
        raise ListFileError(f'list of ids not found: {path}')
    ids = path.read_text(encoding='utf-8').split()
    wrong = [name for name in ids if not re.fullmatch(r'[\w-]{11}', name, re.ASCII)]
    if wrong or not ids:
        problem = f'{wrong[0]!r} is no YouTube id' if wrong else 'no ids'
        raise ListFileError(f'{path}: {problem}; expected one of 11 characters a line')
    return list(dict.fromkeys(ids))


def videos_by_id(path: Path) -> Dict[str, dict]:
    """The videos of a list of Kinetics-400 by their YouTube id.

    Raises:
        ListFileError: two files of the list have the same id.
    """
    videos = {}
    for item in read_list(str(path), ('filename', 'label')):
        found = NAME.match(Path(item['filename']).stem)
        if found and videos.setdefault(found[1], item) is not item:
            raise ListFileError(f'{path}: {videos[found[1]]["filename"]} and {item["filename"]} '
                                f'are both the video {found[1]}: keep one of them')
    return videos


def main() -> None:
    args = parse_args()
    chosen, classes = {}, {}
    for split in ('train', 'val'):
        source, ids = getattr(args, split)
        wanted, videos = read_ids(ids), videos_by_id(source)
        missing = [name for name in wanted if name not in videos]
        keep = set(wanted)
        chosen[split] = [item for name, item in videos.items() if name in keep], missing
        classes[split] = sorted({item['label'] for item in chosen[split][0]})
        if len(classes[split]) != args.classes:
            raise ListFileError(
                f'{len(wanted) - len(missing)} of the {len(wanted)} ids of {ids} are in {source}, '
                f'with {len(classes[split])} classes instead of {args.classes}. Do both belong '
                'to the same split, and do the files have their YouTube names, `<id>.mp4` or '
                '`<id>_000012_000022.mp4`?')
    if classes['train'] != classes['val']:
        odd = sorted({*classes['train']} ^ {*classes['val']})
        raise ListFileError(f'train and val have other classes: label(s) {odd[:10]} of '
                            'Kinetics-400 are in one of them only')
    label = {old: new for new, old in enumerate(classes['train'])}
    for split, (items, missing) in chosen.items():
        out = args.out / f'{split}.csv'
        write_text(out, ''.join(f"{split}/{item['filename']} {label[item['label']]}\n"
                                for item in items))
        write_text(args.out / f'missing_{split}.txt', ''.join(f'{name}\n' for name in missing))
        print(f'wrote {out}: {len(items)} videos of {len(label)} classes, sha256 '
              f'{file_sha256(out)}; {len(missing)} ids are not in {getattr(args, split)[0]}: '
              f'{args.out / f"missing_{split}.txt"}')


if __name__ == '__main__':
    try:
        main()
    except (ListFileError, OSError) as error:
        sys.exit(f'error: {error}')
