"""Score masks and inpainted backgrounds against the truth of a Puppets data set.

    python tools/analysis/score_synthesis.py --list data/puppets/tiny/annotations/seen.txt \\
        --truth data/puppets/tiny --masks OUT/seg --inpainted HAT/inpaint/videos

prints the means over videos: intersection over union of the masks, and the mean absolute error
of the background in grey levels, where the figure was and elsewhere.
"""
from pathlib import Path

import pandas as pd

from devias_mm.builders.cli import make_parser, run_tool
from devias_mm.builders.media import list_videos
from devias_mm.builders.score import score_video
from devias_mm.errors import UsageError
from devias_mm.files import atomic_path

COLUMNS = ('filename', 'label', 'scene_label', 'background_label')


def parse_args():
    parser = make_parser(__doc__)
    parser.add_argument('--list', required=True, help='a list of the data set')
    parser.add_argument('--truth', required=True, help='folder of the data set')
    parser.add_argument('--masks', metavar='DIR', help='DIR/<video>/*.png')
    parser.add_argument('--inpainted', metavar='DIR', help='DIR/<video>/*.jpg; where there is no '
                        'such folder, DIR/<file name of the video>/')
    parser.add_argument('--csv', metavar='FILE', help='also write the scores of every video')
    return parser.parse_args()


def main():
    args = parse_args()
    if args.masks is None and args.inpainted is None:
        raise UsageError('give --masks, --inpainted or both: what to score.')
    videos = list_videos(args.list, str(Path(args.truth, 'videos')), COLUMNS)
    rows = [dict(video_id=video.name,
                 **score_video(video, args.truth, args.masks, args.inpainted))
            for video in videos]
    table = pd.DataFrame(rows)
    if args.csv:
        with atomic_path(Path(args.csv)) as temporary:
            table.to_csv(temporary, index=False)
    means = table.drop(columns='video_id').mean()
    print(f'{len(table)} videos, means over them:')
    for name, value in means.items():
        print(f'  {name:<22} {value:.3f}')


if __name__ == '__main__':
    run_tool(main)
