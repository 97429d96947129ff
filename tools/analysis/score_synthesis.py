"""Score masks and inpainted backgrounds against the truth of a Puppets data set.

    python tools/analysis/score_synthesis.py --list data/puppets/tiny/annotations/seen.txt \\
        --truth data/puppets/tiny --masks OUT/seg --inpainted HAT/inpaint/videos

prints the means over videos: intersection over union of the masks, and the mean absolute error
of the background in grey levels, where the figure was and elsewhere.
"""
from devias_mm.cli import run_tool
from devias_mm.errors import UsageError

COLUMNS = ('filename', 'label', 'scene_label', 'background_label')


def add_arguments(parser):
    parser.add_argument('--list', required=True, help='a list of the data set')
    parser.add_argument('--truth', required=True, help='folder of the data set')
    parser.add_argument('--masks', metavar='DIR', help='DIR/<video>/*.png')
    parser.add_argument('--inpainted', metavar='DIR', help='DIR/<video>/*.jpg; where there is no '
                        'such folder, DIR/<file name of the video>/')
    parser.add_argument('--csv', metavar='FILE', help='also write the scores of every video')


def main(args):
    import os

    import pandas as pd

    from devias_mm.builders.score import score_video
    from devias_mm.builders.videos import list_videos
    from devias_mm.files import atomic_path
    if args.masks is None and args.inpainted is None:
        raise UsageError('give --masks, --inpainted or both: what to score.')
    rows = []
    for video in list_videos(args.list, os.path.join(args.truth, 'videos'), COLUMNS):
        scores = score_video(video, args.truth, args.masks, args.inpainted)
        rows.append(dict(video_id=video.name, **scores))
    table = pd.DataFrame(rows)
    if args.csv:
        with atomic_path(args.csv) as temporary:
            table.to_csv(temporary, index=False)
    print(f'{len(table)} videos, means over them:')
    for name, value in table.drop(columns='video_id').mean().items():
        print(f'  {name:<22} {value:.3f}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
