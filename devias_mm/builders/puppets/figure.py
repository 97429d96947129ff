"""The puppet: the poses of its eight actions, its random appearance, its drawing.

Angles are in radians from straight down, positive towards the right of the picture; lengths
are in body heights unless said otherwise. Appearance and place are drawn without looking at
the action, so that only the motion tells it.
"""
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from devias_mm.builders.puppets.fields import hsv

_OUTLINE = 18  # grey of the figure's outline, 0-255
_OUTLINE_WIDTH = 1 / 64  # in frame widths, both sides together
_SUPER_SAMPLING = 2
_SHIFT = 3  # OpenCV's fixed-point drawing: 1/8 pixel

_THIGH = _SHIN = 0.235
_UPPER_ARM, _LOWER_ARM = 0.18, 0.17
_TORSO = 0.31
_HEAD_RADIUS = 0.085
_NECK = 0.05  # from the shoulders to the head
_HIP_WIDTH, _SHOULDER_WIDTH = 0.05, 0.075  # half of each
_SHOULDER_DROP = 0.02


class Limb(NamedTuple):
    """An arm or a leg: the angles of its upper and its lower part."""
    upper: float
    lower: float


Pair = Tuple[Limb, Limb]  # (left, right)
Range = Tuple[float, float]


class Pose(NamedTuple):
    """One moment of an action.

    Attributes:
        arms: left and right.
        legs: left and right.
        tilt: of the torso, positive to the right.
        lift: of the lowest foot above the ground.
    """
    arms: Pair = (Limb(-0.25, -0.15), Limb(0.25, 0.15))
    legs: Pair = (Limb(-0.10, -0.06), Limb(0.10, 0.06))
    tilt: float = 0.0
    lift: float = 0.0


_STANDING = Pose()


def _both(upper: float, lower: float) -> Pair:
    """Return two limbs, each the mirror image of the other."""
    return Limb(-upper, -lower), Limb(upper, lower)


def _one(pair: Pair, side: int, upper: float, lower: float) -> Pair:
    """Return a pair whose limb on one side is replaced; positive angles point outwards."""
    left, right = pair
    if side:
        return left, Limb(upper, lower)
    return Limb(-1 * upper, -1 * lower), right


def _sign(side: int) -> int:
    return 1 if side else -1


def _walk(phase: float, amplitude: float, side: int) -> Pose:
    sine = np.sin(phase)
    cosine = np.cos(phase)
    swing = 0.62 * amplitude * sine
    bend_left = 0.7 * amplitude * max(0, cosine)
    bend_right = 0.7 * amplitude * max(0, -cosine)
    left_arm = Limb(swing, swing + 0.25)
    right_arm = Limb(-swing, -swing + 0.25)
    left_leg = Limb(-swing, -swing - bend_left)
    right_leg = Limb(swing, swing - bend_right)
    arms = left_arm, right_arm
    legs = left_leg, right_leg
    return Pose(arms, legs, lift=0.02 * abs(sine))


def _jack(phase: float, amplitude: float, side: int) -> Pose:
    spread = amplitude * (1 - np.cos(phase)) / 2
    arm = 0.25 + 2.35 * spread
    leg = 0.08 + 0.5 * spread
    lift = 0.04 * abs(np.sin(phase))
    arms = _both(arm, arm)
    legs = _both(leg, leg)
    return Pose(arms, legs, lift=lift)


def _wave(phase: float, amplitude: float, side: int) -> Pose:
    upper = 2.2 * amplitude
    lower = upper + 0.75 * amplitude * np.sin(2 * phase) + 0.3
    arms = _one(_STANDING.arms, side, upper, lower)
    return Pose(arms)


def _squat(phase: float, amplitude: float, side: int) -> Pose:
    depth = (1 - np.cos(phase)) / 2
    knee = 1.25 * amplitude * depth
    arm = 1.35 * depth
    arms = _both(0.25 + arm, 0.15 + arm)
    legs = _both(knee + 0.1, -0.5 * knee)
    return Pose(arms, legs)


def _kick(phase: float, amplitude: float, side: int) -> Pose:
    height = (1 - np.cos(phase)) / 2
    leg = 1.5 * amplitude * height
    upper = 0.1 + leg
    lower = 0.06 + 1.08 * leg
    arms = _both(0.7, 0.4)
    legs = _one(_STANDING.legs, side, upper, lower)
    # the figure leans away from the leg
    tilt = -0.22 * height * _sign(side)
    return Pose(arms, legs, tilt)


def _punch(phase: float, amplitude: float, side: int) -> Pose:
    sign = _sign(side)
    sine = np.sin(phase)

    def arm(reach: float) -> Limb:
        upper = 0.35 + 1.2 * amplitude * reach
        lower = 2.2 - 0.6 * reach
        return Limb(sign * upper, sign * lower)

    # the arms take turns
    left = arm(max(0, sine))
    right = arm(max(0, -sine))
    legs = _both(0.32, 0.2)
    tilt = 0.1 * sign * sine
    return Pose((left, right), legs, tilt)


def _bow(phase: float, amplitude: float, side: int) -> Pose:
    sign = _sign(side)
    left = Limb(0.1 * sign, 0.1 * sign)
    right = Limb(0.3 * sign, 0.2 * sign)
    tilt = sign * 1.35 * amplitude * (1 - np.cos(phase)) / 2
    return Pose((left, right), tilt=tilt)


def _jump(phase: float, amplitude: float, side: int) -> Pose:
    sine = np.sin(phase)
    rise = max(0, sine)
    crouch = 0.55 * max(0, -sine)
    arms = _both(0.2 + 2.5 * rise, 0.1 + 2.7 * rise)
    legs = _both(crouch + 0.08, 0.04 - 0.6 * crouch)
    lift = 0.18 * amplitude * rise - 0.1 * crouch
    return Pose(arms, legs, lift=lift)


_POSES: Dict[str, Callable[[float, float, int], Pose]] = {
    'walk': _walk,
    'jack': _jack,
    'wave': _wave,
    'squat': _squat,
    'kick': _kick,
    'punch': _punch,
    'bow': _bow,
    'jump': _jump,
}
ACTIONS: Tuple[str, ...] = tuple(_POSES)


def pose(action: str, cycle: float, amplitude: float = 1.0, side: int = 1) -> Pose:
    """Return the pose of an action at a time counted in cycles of the motion.

    Args:
        action: one of ``ACTIONS``.
        cycle: time; the motion repeats at every integer.
        amplitude: how far the limbs go, about 0.8 to 1.2.
        side: 0 = left, 1 = right, for the actions that have a leading side.
    """
    return _POSES[action](2 * np.pi * cycle, amplitude, side)


class Part(NamedTuple):
    """A piece of the body: a thick line between two points ``(x, y)`` of the canvas.

    Attributes:
        start, end: its ends.
        colour: RGB in 0..255.
        width: of the line, pixels.
    """
    start: Sequence[float]
    end: Sequence[float]
    colour: np.ndarray
    width: int


def _point(start: Sequence[float], length: float, angle: float) -> Tuple[float, float]:
    """Return the end of a line that begins at ``start``."""
    x, y = start
    return x + length * np.sin(angle), y + length * np.cos(angle)


def _fixed(point: Sequence[float]) -> Tuple[int, int]:
    """Return a point as OpenCV's fixed-point numbers."""
    x, y = point
    unit = 2**_SHIFT
    return round(float(x) * unit), round(float(y) * unit)


def _draw_colour(rng: np.random.Generator, hues: Range, saturations: Range, values: Range
                 ) -> np.ndarray:
    """Draw an RGB colour in 0..255 from ranges of hue, saturation and value."""
    hue = rng.uniform(*hues)
    saturation = rng.uniform(*saturations)
    value = rng.uniform(*values)
    return 255 * hsv(hue, saturation, value)


class Puppet:
    """A figure of random build, colours, place, tempo and phase.

    Args:
        rng: source of all of these.
        size: side of the square frames in pixels.

    Example::

        puppet = Puppet(np.random.default_rng(0), size=64)
        colours, coverage = puppet.perform('walk', frames=16)
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        canvas = size * _SUPER_SAMPLING
        self.size = size
        self.canvas = canvas
        self.outline = max(2, round(_OUTLINE_WIDTH * canvas))
        # the order of the draws is part of the data: another order is another data set
        height = rng.uniform(0.72, 0.92) * canvas
        self.unit = height / 1.02
        place_x = rng.uniform(-0.08, 0.08)
        self.x = canvas * (0.5 + place_x)
        place_y = rng.uniform(-0.08, 0.08)
        middle = canvas * (0.5 + 0.6 * place_y)
        self.ground = middle + height / 2
        stoutness = rng.uniform(0.85, 1.2)
        self.limb_width = max(2, round(0.075 * self.unit * stoutness))
        self.shirt = _draw_colour(rng, (0, 1), (0.6, 1), (0.55, 1))
        self.trousers = _draw_colour(rng, (0, 1), (0.5, 1), (0.35, 0.95))
        self.skin = _draw_colour(rng, (0.04, 0.09), (0.3, 0.65), (0.45, 0.98))
        self.amplitude = rng.uniform(0.82, 1.15)
        self.side = int(rng.integers(2))
        self.start = rng.random()
        self.cycles = rng.uniform(1.0, 1.7)
        self.mirrored = rng.random() < 0.5
        habits = rng.normal(0, 0.05, 5)  # offsets of the tilt and of the arms' angles
        self.tilt_habit = habits[0]
        self.arm_habits = habits[1:].reshape(2, 2)

    def _skeleton(self, action: str, cycle: float) -> Tuple[List[Part], np.ndarray]:
        """Return the body's parts from back to front, and the centre of the head."""
        now = pose(action, cycle, self.amplitude, self.side)
        # slower than the action, so that no two cycles are quite the same
        sway = 0.03 * np.sin(2 * np.pi * (0.7 * cycle + self.start))
        tilt = now.tilt + sway + 0.5 * self.tilt_habit
        sine = np.sin(tilt)
        cosine = np.cos(tilt)
        up = np.array([sine, -cosine])
        across = np.array([cosine, sine])
        height = self.ground - self._reach(now.legs) - now.lift * self.unit
        hip = (self.x, height)
        neck = hip + up * (self.unit * _TORSO)
        legs: List[Part] = []
        arms: List[Part] = []
        for index, sign in enumerate((-1, 1)):
            joint = hip + across * _HIP_WIDTH * self.unit * sign
            legs += self._leg(joint, now.legs[index])
            beside_neck = neck + across * _SHOULDER_WIDTH * self.unit * sign
            shoulder = beside_neck - up * _SHOULDER_DROP * self.unit
            arms += self._arm(shoulder, now.arms[index], self.arm_habits[index])
        trunk_width = max(2, round(1.9 * self.limb_width))
        trunk = Part(hip, neck, self.shirt, trunk_width)
        head = neck + up * (_NECK + _HEAD_RADIUS) * self.unit
        return [*legs, trunk, *arms], head

    def _reach(self, legs: Pair) -> float:
        """Return how far below the hip the lower foot is, which stands on the ground."""
        thigh = self.unit * _THIGH
        shin = self.unit * _SHIN
        reaches = []
        for leg in legs:
            reach = thigh * np.cos(leg.upper) + shin * np.cos(leg.lower)
            reaches.append(reach)
        return max(reaches)

    def _leg(self, joint: Sequence[float], leg: Limb) -> List[Part]:
        knee = _point(joint, self.unit * _THIGH, leg.upper)
        foot = _point(knee, self.unit * _SHIN, leg.lower)
        thigh = Part(joint, knee, self.trousers, self.limb_width + 1)
        shin = Part(knee, foot, 0.92 * self.trousers, self.limb_width)
        return [thigh, shin]

    def _arm(self, shoulder: Sequence[float], arm: Limb, habit: np.ndarray) -> List[Part]:
        elbow = _point(shoulder, self.unit * _UPPER_ARM, arm.upper + habit[0])
        hand = _point(elbow, self.unit * _LOWER_ARM, arm.lower + habit[1])
        sleeve = Part(shoulder, elbow, 0.85 * self.shirt, self.limb_width)
        bare = Part(elbow, hand, self.skin, self.limb_width)
        return [sleeve, bare]

    def _draw_frame(self, action: str, cycle: float) -> Tuple[np.ndarray, np.ndarray]:
        """Return colours, uint8 ``(S, S, 3)``, and coverage, uint8 ``(S, S)``, of a moment."""
        # `colour` is the outline's wherever no part is drawn; `alpha` cuts that to its width
        colour = np.full((self.canvas, self.canvas, 3), _OUTLINE, np.uint8)
        alpha = np.zeros((self.canvas, self.canvas), np.uint8)
        parts, head = self._skeleton(action, cycle)
        for part in parts:
            start = _fixed(part.start)
            end = _fixed(part.end)
            shade = part.colour.tolist()
            outlined = part.width + self.outline
            cv2.line(alpha, start, end, 255, outlined, cv2.LINE_AA, _SHIFT)
            cv2.line(colour, start, end, shade, part.width, cv2.LINE_AA, _SHIFT)
        centre = _fixed(head)
        radius = _HEAD_RADIUS * self.unit
        inner = round(radius * 2**_SHIFT)
        outer = round((radius + self.outline / 2) * 2**_SHIFT)
        skin = self.skin.tolist()
        cv2.circle(alpha, centre, outer, 255, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(colour, centre, inner, skin, -1, cv2.LINE_AA, _SHIFT)
        if self.mirrored:
            colour = cv2.flip(colour, 1)
            alpha = cv2.flip(alpha, 1)
        size = self.size, self.size
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        return colour, alpha

    def perform(self, action: str, frames: int) -> Tuple[np.ndarray, np.ndarray]:
        """Draw the action.

        Args:
            action: one of ``ACTIONS``.
            frames: number of frames ``T``, spread evenly over the puppet's 1 to 1.7 cycles.

        Returns:
            tuple: colours, RGB uint8 ``(T, S, S, 3)``, and coverage, uint8 ``(T, S, S)``: 255
            where a pixel belongs wholly to the figure.
        """
        colours = []
        coverage = []
        for t in range(frames):
            cycle = self.start + self.cycles * t / frames
            colour, alpha = self._draw_frame(action, cycle)
            colours.append(colour)
            coverage.append(alpha)
        return np.stack(colours), np.stack(coverage)
