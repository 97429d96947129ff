"""Masks of people without any model file: OpenCV's own person detector, tracked, and GrabCut.

1. The HOG detector (Dalal and Triggs, CVPR 2005), whose weights are part of OpenCV, looks at some
   frames. It knows whole, upright people; it does not find close-ups, or who sits.
2. Detections that follow each other become tracks. A track of a low score, or of less than a
   quarter of the video, is dropped: that removes most of what is not a person.
3. GrabCut (Rother et al., SIGGRAPH 2004) separates each tracked person from what is around. Its
   colour models are learned once for a track, from several frames, and a median over time is taken
   of its masks, so that these do not flicker.
"""
from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from devias_mm.errors import UsageError

_LOOK_SIZE = 480  # short side of the frames in which people are looked for, pixels
_LARGEST_SCALE = 4  # of small frames
_WINDOW = np.array([64, 128])  # of the detector; the person fills the middle
_PERSON_SHARE = np.array([0.62, 0.80])  # of the window's width and height
_SAME_PERSON = 0.3  # IoU of two detections of a track
_CROP = np.array([96, 144])  # width and height in which a person is cut out, pixels
_CROP_MARGIN = 1.25  # of the crop, relative to the detector's window
_LEARNED_FRAMES = 12  # of a track, from which GrabCut learns its colours
_MEDIAN = 5  # frames over which masks are smoothed
_SHORTEST = 0.25  # track that counts, as a share of the video
_PATIENCE = 4  # looks that a person may be missed in before the track ends


class Detection(NamedTuple):
    """A person in a frame: centre and size of the detector's window in pixels, and its score."""
    centre: np.ndarray
    size: np.ndarray
    score: float


class Track(NamedTuple):
    """One person over time.

    Attributes:
        frames: numbers of the frames in which the person was found.
        boxes: centre x, y and size x, y of the detector's window in these, ``(N, 4)``.
        score: the mean of the detector's scores.
    """
    frames: np.ndarray
    boxes: np.ndarray
    score: float

    def boxes_at(self, first: int, last: int) -> np.ndarray:
        """Return the boxes of the frames ``first..last``, between and beside what was found."""
        wanted = np.arange(first, last + 1)
        columns = [np.interp(wanted, self.frames, column) for column in self.boxes.T]
        return np.stack(columns, axis=1)


def people_masks(frames: np.ndarray, every: int = 4, min_score: float = 1.0) -> np.ndarray:
    """Find people and return their masks, bool ``(T, H, W)``.

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        every: look for people in every so many frames; between these they are tracked.
        min_score: of a track, mean margin of the detector's classifier; more is stricter.

    Raises:
        UsageError: ``every`` is below 1.
    """
    if every < 1:
        raise UsageError(f'--every {every}: accepted is 1 and more.')
    looked_at = np.unique(np.append(np.arange(0, len(frames), every), len(frames) - 1))
    detections = [detect_people(frames[t]) for t in looked_at]
    masks = np.zeros(frames.shape[:3], bool)
    for track in link_detections(looked_at, detections):
        if track.score >= min_score and is_followed(track, looked_at):
            cut_out(frames, track, _PATIENCE * every, masks)
    return masks


def detect_people(frame: np.ndarray, step: float = 1.05) -> List[Detection]:
    """Run OpenCV's person detector on a frame.

    Args:
        frame: RGB uint8 ``(H, W, 3)``.
        step: between the sizes in which people are looked for; larger is faster and misses more.
    """
    detector = cv2.HOGDescriptor()
    detector.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
    scale = min(_LOOK_SIZE / min(frame.shape[:2]), _LARGEST_SCALE)
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    image = cv2.cvtColor(cv2.resize(frame, size), cv2.COLOR_RGB2BGR)
    if min(size) < 32:
        return []  # too narrow for the detector's window, with its padding
    boxes, scores = detector.detectMultiScale(
        image, hitThreshold=0, winStride=(8, 8), padding=(16, 16), scale=step)
    found = []
    for (x, y, width, height), score in zip(boxes, np.ravel(scores)):
        centre = np.array([x + width / 2, y + height / 2]) / scale
        found.append(Detection(centre, np.array([width, height]) / scale, float(score)))
    return without_doubles(found)


def overlap(first: Detection, second: Detection) -> float:
    """Return the intersection over union of two detections."""
    low = np.maximum(first.centre - first.size / 2, second.centre - second.size / 2)
    high = np.minimum(first.centre + first.size / 2, second.centre + second.size / 2)
    both = np.prod(np.maximum(high - low, 0))
    return float(both / (np.prod(first.size) + np.prod(second.size) - both))


def without_doubles(found: Sequence[Detection]) -> List[Detection]:
    """Keep the best of the detections that overlap by more than half."""
    kept: List[Detection] = []
    for detection in sorted(found, key=lambda detection: -detection.score):
        if all(overlap(detection, other) < 0.5 for other in kept):
            kept.append(detection)
    return kept


def link_detections(numbers: Sequence[int],
                    detections: Sequence[List[Detection]]) -> List[Track]:
    """Link the detections of successive frames, the best overlap first.

    Args:
        numbers: of the frames that were looked at.
        detections: of each of them.
    """
    ended: List[list] = []
    open_tracks: List[list] = []  # of (place in numbers, detection)
    for place, found in enumerate(detections):
        pairs = []
        for track in open_tracks:
            for detection in found:
                pairs.append((overlap(track[-1][1], detection), track, detection))
        pairs.sort(key=lambda pair: -pair[0])
        free = list(found)
        for share, track, detection in pairs:
            taken = not any(detection is other for other in free)
            if share < _SAME_PERSON or taken or track[-1][0] == place:
                continue
            track.append((place, detection))
            free = [other for other in free if other is not detection]
        open_tracks += [[(place, detection)] for detection in free]
        ended += [track for track in open_tracks if place - track[-1][0] > _PATIENCE]
        open_tracks = [track for track in open_tracks if place - track[-1][0] <= _PATIENCE]
    return [_as_track(track, numbers) for track in ended + open_tracks]


def _as_track(links: Sequence[Tuple[int, Detection]], numbers: Sequence[int]) -> Track:
    frames = np.array([numbers[place] for place, _ in links])
    boxes = np.array([[*detection.centre, *detection.size] for _, detection in links])
    score = float(np.mean([detection.score for _, detection in links]))
    return Track(frames, _median_over_time(boxes, 3), score)


def is_followed(track: Track, looked_at: Sequence[int]) -> bool:
    """Return whether a person was found for long enough, in half of the frames looked at."""
    first, last = np.searchsorted(looked_at, [track.frames[0], track.frames[-1]])
    looks = last - first + 1
    return looks >= _SHORTEST * len(looked_at) and len(track.frames) >= 0.5 * looks


def cut_out(frames: np.ndarray, track: Track, margin: int, masks: np.ndarray) -> None:
    """Add the masks of one person to those of the others, in place.

    Args:
        frames: the video, RGB uint8 ``(T, H, W, 3)``.
        track: the person.
        margin: frames before the first and after the last detection in which the person's
            colours are looked for at the same place.
        masks: bool ``(T, H, W)``.
    """
    first = max(0, track.frames[0] - margin)
    last = min(len(frames) - 1, track.frames[-1] + margin)
    boxes = track.boxes_at(first, last)
    crops = [_crop(frames[first + t], box) for t, box in enumerate(boxes)]
    hints = [_hint(frames.shape[1:3], box) for box in boxes]
    certain = slice(track.frames[0] - first, track.frames[-1] - first + 1)
    models = _learn_colours(crops[certain], hints[certain])
    for hint in hints[:certain.start] + hints[certain.stop:]:
        hint[hint == cv2.GC_FGD] = cv2.GC_PR_FGD
    found = np.stack([_separate(crop, hint, models) for crop, hint in zip(crops, hints)])
    for t, (mask, box) in enumerate(zip(_median_over_time(found, _MEDIAN), boxes)):
        masks[first + t] |= _paste(mask, box, frames.shape[1:3])


def _crop_transform(box: np.ndarray) -> np.ndarray:
    """Return the affine map from a frame to the crop around a box, ``(2, 3)``."""
    scale = _CROP / (_CROP_MARGIN * box[2:])
    shift = _CROP / 2 - scale * box[:2]
    return np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])


def _crop(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(frame, _crop_transform(box), tuple(_CROP.tolist()),
                          flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)


def _paste(mask: np.ndarray, box: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Return the mask of a crop as one of the frame, bool ``(H, W)``."""
    full = cv2.warpAffine(mask.astype(np.float32), _crop_transform(box), shape[::-1],
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return full > 0.5


def _silhouette() -> np.ndarray:
    """Return where a person usually is in a crop: a head, a trunk and legs, uint8."""
    shape = np.zeros(_CROP[::-1], np.uint8)
    centre = _CROP[0] / 2
    width, height = _PERSON_SHARE * _CROP / _CROP_MARGIN
    top = (_CROP[1] - height) / 2

    def ellipse(y: float, half_width: float, half_height: float) -> None:
        middle = (round(centre), round(top + y * height))
        axes = (round(half_width * width), round(half_height * height))
        cv2.ellipse(shape, middle, axes, 0, 0, 360, 1, -1)

    ellipse(0.08, 0.16, 0.08)
    ellipse(0.34, 0.36, 0.22)
    ellipse(0.72, 0.30, 0.28)
    return shape


_SILHOUETTE = _silhouette()
_CORE = cv2.erode(_SILHOUETTE, np.ones((9, 9), np.uint8))


def _hint(shape: Tuple[int, int], box: np.ndarray) -> np.ndarray:
    """Return what GrabCut starts from, uint8 of the crop's size."""
    hint = np.full(_SILHOUETTE.shape, cv2.GC_PR_BGD, np.uint8)
    hint[_SILHOUETTE > 0] = cv2.GC_PR_FGD
    hint[_CORE > 0] = cv2.GC_FGD
    # beside the detector's window there is nobody, and neither is there beside the frame
    border = np.rint((_CROP - _CROP / _CROP_MARGIN) / 2).astype(int)
    hint[:, :border[0]] = hint[:, -border[0]:] = cv2.GC_BGD
    hint[:border[1]] = hint[-border[1]:] = cv2.GC_BGD
    inside = cv2.warpAffine(np.ones(shape, np.uint8), _crop_transform(box),
                            tuple(_CROP.tolist()), flags=cv2.INTER_NEAREST)
    hint[inside == 0] = cv2.GC_BGD
    return hint


_Models = Tuple[np.ndarray, np.ndarray]


def _learn_colours(crops: Sequence[np.ndarray], hints: Sequence[np.ndarray]) -> _Models:
    """Learn the colours of a person and of what is around, from several frames side by side."""
    chosen = np.unique(np.linspace(0, len(crops) - 1, _LEARNED_FRAMES).astype(int))
    row = np.concatenate([crops[t] for t in chosen], axis=1)
    mask = np.concatenate([hints[t] for t in chosen], axis=1)
    background, person = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(row, mask, None, background, person, 4, cv2.GC_INIT_WITH_MASK)
    return background, person


def _separate(crop: np.ndarray, hint: np.ndarray, models: _Models) -> np.ndarray:
    """Return the person's mask in a crop, uint8 0/1, without pieces that do not touch the core."""
    mask = hint.copy()
    background, person = (model.copy() for model in models)
    cv2.grabCut(crop, mask, None, background, person, 1, cv2.GC_EVAL_FREEZE_MODEL)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, pieces = cv2.connectedComponents(found)
    core = np.unique(pieces[(_CORE > 0) & (found > 0)])
    return np.isin(pieces, core[core > 0]).astype(np.uint8)


def _median_over_time(values: np.ndarray, length: int) -> np.ndarray:
    """Return the median of ``length`` neighbours along the first axis; at the ends of fewer."""
    half = length // 2
    padded = np.concatenate([np.repeat(values[:1], half, 0), values,
                             np.repeat(values[-1:], half, 0)])
    windows = [padded[shift:shift + len(values)] for shift in range(length)]
    return np.median(np.stack(windows), axis=0)
