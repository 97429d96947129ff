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

    @property
    def low(self) -> np.ndarray:
        """Return the window's left and upper border."""
        return self.centre - self.size / 2

    @property
    def high(self) -> np.ndarray:
        """Return the window's right and lower border."""
        return self.centre + self.size / 2


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
        columns = []
        for column in self.boxes.T:
            columns.append(np.interp(wanted, self.frames, column))
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
    last = len(frames) - 1
    steps = np.arange(0, len(frames), every)
    # the last frame ends the tracks, whatever the step
    looked_at = np.unique(np.append(steps, last))
    detections = [detect_people(frames[t]) for t in looked_at]
    margin = _PATIENCE * every
    masks = np.zeros(frames.shape[:3], bool)
    for track in link_detections(looked_at, detections):
        if track.score >= min_score and is_followed(track, looked_at):
            cut_out(frames, track, margin, masks)
    return masks


def detect_people(frame: np.ndarray, step: float = 1.05) -> List[Detection]:
    """Run OpenCV's person detector on a frame.

    Args:
        frame: RGB uint8 ``(H, W, 3)``.
        step: between the sizes in which people are looked for; larger is faster and misses more.
    """
    detector = cv2.HOGDescriptor()
    people = cv2.HOGDescriptor_getDefaultPeopleDetector()
    detector.setSVMDetector(people)
    height, width = frame.shape[:2]
    scale = min(_LOOK_SIZE / min(height, width), _LARGEST_SCALE)
    size = round(width * scale), round(height * scale)
    if min(size) < 32:
        return []  # too narrow for the detector's window, with its padding
    scaled = cv2.resize(frame, size)
    image = cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR)
    boxes, scores = detector.detectMultiScale(
        image,
        hitThreshold=0,
        winStride=(8, 8),
        padding=(16, 16),
        scale=step)
    found = []
    for box, score in zip(boxes, np.ravel(scores)):
        x, y, width, height = box
        middle = np.array([x + width / 2, y + height / 2])
        extent = np.array([width, height])
        found.append(Detection(middle / scale, extent / scale, float(score)))
    return without_doubles(found)


def overlap(first: Detection, second: Detection) -> float:
    """Return the intersection over union of two detections."""
    low = np.maximum(first.low, second.low)
    high = np.minimum(first.high, second.high)
    sides = np.maximum(high - low, 0)
    both = np.prod(sides)
    either = np.prod(first.size) + np.prod(second.size) - both
    return float(both / either)


def without_doubles(found: Sequence[Detection]) -> List[Detection]:
    """Keep the best of the detections that overlap by more than half."""
    kept: List[Detection] = []
    for detection in sorted(found, key=lambda detection: -detection.score):
        overlaps = [overlap(detection, other) for other in kept]
        if max(overlaps, default=0) < 0.5:
            kept.append(detection)
    return kept


class _OpenTrack:
    """A person who may still be found in the next frames."""

    def __init__(self, place: int, detection: Detection) -> None:
        self.places = [place]
        self.detections = [detection]

    def add(self, place: int, detection: Detection) -> None:
        """Continue the track, at a place in the list of the frames looked at."""
        self.places.append(place)
        self.detections.append(detection)

    def finish(self, numbers: Sequence[int]) -> Track:
        """Return the track with the numbers of its frames and its boxes smoothed."""
        frames = np.array([numbers[place] for place in self.places])
        centres = np.array([detection.centre for detection in self.detections])
        sizes = np.array([detection.size for detection in self.detections])
        scores = [detection.score for detection in self.detections]
        boxes = np.concatenate([centres, sizes], axis=1)
        return Track(frames, _median_over_time(boxes, 3), float(np.mean(scores)))


def link_detections(numbers: Sequence[int],
                    detections: Sequence[List[Detection]]) -> List[Track]:
    """Link the detections of successive frames, the best overlap first.

    Args:
        numbers: of the frames that were looked at.
        detections: of each of them.
    """
    ended: List[_OpenTrack] = []
    followed: List[_OpenTrack] = []
    for place, found in enumerate(detections):
        new = _continue_tracks(followed, place, found)
        still = []
        for track in followed + new:
            missed = place - track.places[-1]
            if missed > _PATIENCE:
                ended.append(track)
            else:
                still.append(track)
        followed = still
    return [track.finish(numbers) for track in ended + followed]


def _continue_tracks(tracks: Sequence[_OpenTrack], place: int, found: Sequence[Detection]
                     ) -> List[_OpenTrack]:
    """Add the detections of a frame to tracks, and begin tracks with those that fit none."""
    pairs = []
    for track in tracks:
        for index, detection in enumerate(found):
            share = overlap(track.detections[-1], detection)
            pairs.append((share, track, index))
    pairs.sort(key=lambda pair: -pair[0])
    free = set(range(len(found)))
    for share, track, index in pairs:
        continued = track.places[-1] == place
        if share < _SAME_PERSON or index not in free or continued:
            continue
        track.add(place, found[index])
        free.remove(index)
    return [_OpenTrack(place, found[index]) for index in sorted(free)]


def is_followed(track: Track, looked_at: Sequence[int]) -> bool:
    """Return whether a person was found for long enough, in half of the frames looked at."""
    ends = [track.frames[0], track.frames[-1]]
    first, last = np.searchsorted(looked_at, ends)
    looks = last - first + 1
    long_enough = looks >= _SHORTEST * len(looked_at)
    return long_enough and len(track.frames) >= 0.5 * looks


def cut_out(frames: np.ndarray, track: Track, margin: int, masks: np.ndarray) -> None:
    """Add the masks of one person to those of the others, in place.

    Args:
        frames: the video, RGB uint8 ``(T, H, W, 3)``.
        track: the person.
        margin: frames before the first and after the last detection in which the person's
            colours are looked for at the same place.
        masks: bool ``(T, H, W)``.
    """
    shape = frames.shape[1:3]
    first = max(0, track.frames[0] - margin)
    last = min(len(frames) - 1, track.frames[-1] + margin)
    boxes = track.boxes_at(first, last)
    crops = []
    hints = []
    for t, box in enumerate(boxes):
        crops.append(_crop(frames[first + t], box))
        hints.append(_hint(shape, box))
    # between the first and the last detection the person is certainly there
    start = track.frames[0] - first
    stop = track.frames[-1] - first + 1
    models = _learn_colours(crops[start:stop], hints[start:stop])
    for hint in hints[:start] + hints[stop:]:
        hint[hint == cv2.GC_FGD] = cv2.GC_PR_FGD
    found = []
    for crop, hint in zip(crops, hints):
        found.append(_separate(crop, hint, models))
    smooth = _median_over_time(np.stack(found), _MEDIAN)
    for t, box in enumerate(boxes):
        masks[first + t] |= _paste(smooth[t], box, shape)


def _crop_transform(box: np.ndarray) -> np.ndarray:
    """Return the affine map from a frame to the crop around a box, ``(2, 3)``."""
    centre = box[:2]
    size = box[2:]
    scale = _CROP / (_CROP_MARGIN * size)
    shift = _CROP / 2 - scale * centre
    return np.column_stack([np.diag(scale), shift])


def _crop(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the surroundings of a box, scaled to the size of a crop."""
    size = tuple(_CROP.tolist())
    return cv2.warpAffine(
        frame,
        _crop_transform(box),
        size,
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE)


def _paste(mask: np.ndarray, box: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Return the mask of a crop as one of the frame, bool ``(H, W)``."""
    soft = mask.astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    full = cv2.warpAffine(soft, _crop_transform(box), shape[::-1], flags=flags)
    return full > 0.5


def _silhouette() -> np.ndarray:
    """Return where a person usually is in a crop: a head, a trunk and legs, uint8."""
    crop_width, crop_height = _CROP
    shape = np.zeros((crop_height, crop_width), np.uint8)
    centre = crop_width / 2
    width, height = _PERSON_SHARE * _CROP / _CROP_MARGIN
    top = (crop_height - height) / 2

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
    around = (_CROP - _CROP / _CROP_MARGIN) / 2
    right, down = np.rint(around).astype(int)
    hint[:, :right] = cv2.GC_BGD
    hint[:, -right:] = cv2.GC_BGD
    hint[:down] = cv2.GC_BGD
    hint[-down:] = cv2.GC_BGD
    whole = np.ones(shape, np.uint8)
    size = tuple(_CROP.tolist())
    inside = cv2.warpAffine(whole, _crop_transform(box), size, flags=cv2.INTER_NEAREST)
    hint[inside == 0] = cv2.GC_BGD
    return hint


_Models = Tuple[np.ndarray, np.ndarray]


def _learn_colours(crops: Sequence[np.ndarray], hints: Sequence[np.ndarray]) -> _Models:
    """Learn the colours of a person and of what is around, from several frames side by side."""
    spaced = np.linspace(0, len(crops) - 1, _LEARNED_FRAMES)
    chosen = np.unique(spaced.astype(int))
    row = np.concatenate([crops[t] for t in chosen], axis=1)
    mask = np.concatenate([hints[t] for t in chosen], axis=1)
    # OpenCV's size of a colour model
    background = np.zeros((1, 65))
    person = np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(row, mask, None, background, person, 4, cv2.GC_INIT_WITH_MASK)
    return background, person


def _separate(crop: np.ndarray, hint: np.ndarray, models: _Models) -> np.ndarray:
    """Return the person's mask in a crop, uint8 0/1, without pieces that do not touch the core."""
    mask = hint.copy()
    background, person = models
    # OpenCV writes into the models although they are frozen
    background = background.copy()
    person = person.copy()
    cv2.grabCut(crop, mask, None, background, person, 1, cv2.GC_EVAL_FREEZE_MODEL)
    found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    brush = np.ones((3, 3), np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, brush)
    _, pieces = cv2.connectedComponents(found)
    in_core = (_CORE > 0) & (found > 0)
    touching = np.unique(pieces[in_core])
    return np.isin(pieces, touching[touching > 0]).astype(np.uint8)


def _median_over_time(values: np.ndarray, length: int) -> np.ndarray:
    """Return the median of ``length`` neighbours along the first axis; at the ends of fewer."""
    half = length // 2
    before = np.repeat(values[:1], half, axis=0)
    after = np.repeat(values[-1:], half, axis=0)
    padded = np.concatenate([before, values, after])
    windows = []
    for shift in range(length):
        window = padded[shift:shift + len(values)]
        windows.append(window)
    return np.median(np.stack(windows), axis=0)
