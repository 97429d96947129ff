"""Whether masks can be those of people, without knowing the truth."""
from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from devias_mm.builders.people import detect_people
from devias_mm.errors import shorten
from devias_mm.pictures import spread

_LOOKS = 3  # frames of a video in which people are looked for
#: the limits of a suspicious video
FLICKER, TOO_LARGE, ON_PEOPLE = 0.4, 0.6, 0.5
_MIN_SCORE = 0.7  # of a detection that counts as a person


class MaskQuality(NamedTuple):
    """What is known of the masks of a video; shares in [0, 1].

    Attributes:
        area: mean share of the pixels that are foreground.
        empty: share of the frames without any foreground.
        flicker: 1 minus the mean intersection over union of the masks of successive frames.
        people: share of the frames looked at in which OpenCV's detector found a person.
        on_people: share of the foreground that is on these people, over the frames with people;
            0 where there is none.
    """
    area: float
    empty: float
    flicker: float
    people: float
    on_people: float


def mask_quality(frames: np.ndarray, masks: np.ndarray) -> MaskQuality:
    """Judge the masks of a video.

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        masks: bool ``(T, H, W)``.
    """
    looked_at = spread(len(frames), _LOOKS)
    found, foreground, on_people = 0, 0, 0
    for t in looked_at:
        places = people_places(frames[t])
        if places.any():
            found += 1
            foreground += masks[t].sum()
            on_people += (masks[t] & places).sum()
    return MaskQuality(
        area=float(masks.mean()),
        empty=float(1 - masks.any(axis=(1, 2)).mean()),
        flicker=flicker(masks),
        people=found / len(looked_at),
        on_people=float(on_people / max(foreground, 1)))


def people_places(frame: np.ndarray) -> np.ndarray:
    """Return the windows in which a person was found in a frame, bool ``(H, W)``."""
    places = np.zeros(frame.shape[:2], bool)
    for detection in detect_people(frame, step=1.1):
        if detection.score < _MIN_SCORE:
            continue
        low = np.maximum(detection.centre - detection.size / 2, 0).astype(int)
        high = np.maximum(detection.centre + detection.size / 2, 0).astype(int)
        places[low[1]:high[1], low[0]:high[0]] = True
    return places


def flicker(masks: np.ndarray) -> float:
    """Return 1 minus the mean IoU of successive masks, bool ``(T, H, W)``; 0 where all are empty.
    """
    both = (masks[1:] & masks[:-1]).sum(axis=(1, 2))
    either = (masks[1:] | masks[:-1]).sum(axis=(1, 2))
    changing = either > 0
    if not changing.any():
        return 0.0
    return float(1 - np.mean(both[changing] / either[changing]))


def quality_warnings(names: Sequence[str], qualities: Sequence[dict]) -> List[str]:
    """Return a line for each thing that is wrong with the masks of many videos.

    Args:
        names: of the videos.
        qualities: ``MaskQuality._asdict()`` of each.
    """
    suspects: Dict[str, List[str]] = {}
    for name, values in zip(names, qualities):
        for problem in _problems(MaskQuality(**values)):
            suspects.setdefault(problem, []).append(name)
    lines = []
    for problem, videos in suspects.items():
        lines.append(f'warning: {len(videos)} of {len(names)} videos: {problem}: '
                     f'{shorten(videos)}')
    if lines:
        lines.append('warning: a set that is built from such masks does not measure people; '
                     'manifest.json has the numbers of every video, --preview shows the masks')
    return lines


def _problems(quality: MaskQuality) -> List[str]:
    if quality.area == 0:
        return ['the masks are empty']
    problems = []
    if quality.flicker > FLICKER:
        problems.append(f'the masks flicker (successive ones share less than {1 - FLICKER:.0%})')
    if quality.area > TOO_LARGE:
        problems.append(f'the masks cover more than {TOO_LARGE:.0%} of the pixels')
    if quality.people == 0:
        problems.append('no person was found where the masks are (close-ups and people who sit '
                        'are not found either)')
    elif quality.on_people < ON_PEOPLE:
        problems.append(f'less than {ON_PEOPLE:.0%} of the masks are on the people that were found')
    return problems
