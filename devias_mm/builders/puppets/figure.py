"""The puppet: the poses of its eight actions, its random appearance, its drawing.

Angles are in radians from straight down, positive towards the right of the picture; lengths
are in body heights unless said otherwise. Appearance and place are drawn without looking at
the action, so that only the motion tells it.
"""
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from devias_mm.builders.puppets.fields import hsv

Limb = Tuple[float, float]  # angles of the upper and the lower part

_OUTLINE = 18  # grey of the figure's outline, 0-255
_OUTLINE_WIDTH = 1 / 64  # in frame widths, both sides together
_SUPER_SAMPLING = 2
_SHIFT = 3  # OpenCV's fixed-point drawing: 1/8 pixel


class Pose(NamedTuple):
    """One moment of an action: ``arms`` and ``legs`` are (left, right)."""
    arms: Tuple[Limb, Limb] = ((-.25, -.15), (.25, .15))
    legs: Tuple[Limb, Limb] = ((-.10, -.06), (.10, .06))
    tilt: float = 0.  # of the torso, positive to the right
    lift: float = 0.  # of the lowest foot above the ground


def _mirrored(upper: float, lower: float) -> Tuple[Limb, Limb]:
    return (-upper, -lower), (upper, lower)


def _one_sided(pair: Sequence[Limb], side: int, limb: Limb) -> Tuple[Limb, Limb]:
    sign = 1 if side else -1
    limb = (sign * limb[0], sign * limb[1])
    return (pair[0], limb) if side else (limb, pair[1])


def _walk(w, amp, side):
    swing = .62 * amp * np.sin(w)
    left, right = (.7 * amp * max(0, c) for c in (np.cos(w), -np.cos(w)))
    return Pose(arms=((swing, swing + .25), (-swing, -swing + .25)),
                legs=((-swing, -swing - left), (swing, swing - right)),
                lift=.02 * abs(np.sin(w)))


def _jack(w, amp, side):
    spread = amp * (1 - np.cos(w)) / 2
    arm, leg = .25 + 2.35 * spread, .08 + .5 * spread
    return Pose(arms=_mirrored(arm, arm), legs=_mirrored(leg, leg), lift=.04 * abs(np.sin(w)))


def _wave(w, amp, side):
    upper = 2.2 * amp
    lower = upper + .75 * amp * np.sin(2 * w) + .3
    return Pose(arms=_one_sided(Pose().arms, side, (upper, lower)))


def _squat(w, amp, side):
    depth = (1 - np.cos(w)) / 2
    knee, arm = 1.25 * amp * depth, 1.35 * depth
    return Pose(arms=_mirrored(.25 + arm, .15 + arm), legs=_mirrored(knee + .1, -.5 * knee))


def _kick(w, amp, side):
    height = (1 - np.cos(w)) / 2
    leg = 1.5 * amp * height
    return Pose(arms=_mirrored(.7, .4), tilt=-.22 * height * (1 if side else -1),
                legs=_one_sided(Pose().legs, side, (.1 + leg, .06 + 1.08 * leg)))


def _punch(w, amp, side):
    sign, sine = (1 if side else -1), np.sin(w)
    arms = tuple((sign * (.35 + 1.2 * amp * reach), sign * (2.2 - .6 * reach))
                 for reach in (max(0, sine), max(0, -sine)))
    return Pose(arms=arms, legs=_mirrored(.32, .2), tilt=.1 * sign * sine)


def _bow(w, amp, side):
    sign = 1 if side else -1
    return Pose(arms=((.1 * sign, .1 * sign), (.3 * sign, .2 * sign)),
                tilt=sign * 1.35 * amp * (1 - np.cos(w)) / 2)


def _jump(w, amp, side):
    rise, crouch = max(0, np.sin(w)), .55 * max(0, -np.sin(w))
    return Pose(arms=_mirrored(.2 + 2.5 * rise, .1 + 2.7 * rise),
                legs=_mirrored(crouch + .08, .04 - .6 * crouch),
                lift=.18 * amp * rise - .1 * crouch)


_POSES: Dict[str, Callable[[float, float, int], Pose]] = {
    'walk': _walk, 'jack': _jack, 'wave': _wave, 'squat': _squat,
    'kick': _kick, 'punch': _punch, 'bow': _bow, 'jump': _jump,
}
ACTIONS: Tuple[str, ...] = tuple(_POSES)


def pose(action: str, cycle: float, amplitude: float = 1., side: int = 1) -> Pose:
    """The pose of ``action`` (one of ``ACTIONS``) at a time counted in cycles of the motion.

    Args:
        action (str): one of ``ACTIONS``.
        cycle (float): time; the motion repeats at every integer.
        amplitude (float): how far the limbs go, about 0.8 to 1.2.
        side (int): 0 = left, 1 = right, for the actions that have a leading side.
    """
    return _POSES[action](2 * np.pi * cycle, amplitude, side)


def _point(start, length, angle):
    return start[0] + length * np.sin(angle), start[1] + length * np.cos(angle)


class Puppet:
    """A figure of random build, colours, place, tempo and phase.

    Args:
        rng (np.random.Generator): source of all of these.
        size (int): side of the square frames in pixels.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        canvas = size * _SUPER_SAMPLING
        self.size, self.canvas = size, canvas
        self.outline = max(2, round(_OUTLINE_WIDTH * canvas))
        height = rng.uniform(.72, .92) * canvas
        self.unit = height / 1.02
        self.x = canvas * (.5 + rng.uniform(-.08, .08))
        self.ground = canvas * (.5 + .6 * rng.uniform(-.08, .08)) + height / 2
        self.limb_width = max(2, round(.075 * self.unit * rng.uniform(.85, 1.2)))
        self.shirt = 255 * hsv(rng.random(), rng.uniform(.6, 1), rng.uniform(.55, 1))
        self.trousers = 255 * hsv(rng.random(), rng.uniform(.5, 1), rng.uniform(.35, .95))
        self.skin = 255 * hsv(
            rng.uniform(.04, .09), rng.uniform(.3, .65), rng.uniform(.45, .98))
        self.amplitude = rng.uniform(.82, 1.15)
        self.side = int(rng.integers(2))
        self.start, self.cycles = rng.random(), rng.uniform(1., 1.7)
        self.mirrored = rng.random() < .5
        self.habit = rng.normal(0, .05, 5)  # offsets of tilt and arm angles

    def _skeleton(self, action: str, cycle: float):
        """Body parts from back to front, ``(from, to, colour, width)``, and the head's centre."""
        now = pose(action, cycle, self.amplitude, self.side)
        unit, width, habit = self.unit, self.limb_width, self.habit
        tilt = now.tilt + .03 * np.sin(2 * np.pi * (.7 * cycle + self.start)) + .5 * habit[0]
        thigh, shin, upper_arm, lower_arm, torso = (
            unit * part for part in (.235, .235, .18, .17, .31))
        # the lower foot stands on the ground, or `lift` above it
        reach = max(thigh * np.cos(upper) + shin * np.cos(lower) for upper, lower in now.legs)
        hip = (self.x, self.ground - reach - now.lift * unit)
        up = np.array([np.sin(tilt), -np.cos(tilt)])
        across = np.array([np.cos(tilt), np.sin(tilt)])
        neck = hip + up * torso
        legs: List[tuple] = []
        arms: List[tuple] = []
        for sign, leg, arm, bias in zip((-1, 1), now.legs, now.arms, habit[1:].reshape(2, 2)):
            joint = hip + across * .05 * unit * sign
            knee = _point(joint, thigh, leg[0])
            legs += [(joint, knee, self.trousers, width + 1),
                     (knee, _point(knee, shin, leg[1]), .92 * self.trousers, width)]
            shoulder = neck + across * .075 * unit * sign - up * .02 * unit
            elbow = _point(shoulder, upper_arm, arm[0] + bias[0])
            arms += [(shoulder, elbow, .85 * self.shirt, width),
                     (elbow, _point(elbow, lower_arm, arm[1] + bias[1]), self.skin, width)]
        body = [(hip, neck, self.shirt, max(2, round(1.9 * width)))]
        return legs + body + arms, neck + up * (.05 + .085) * unit

    def _draw_frame(self, action: str, cycle: float) -> Tuple[np.ndarray, np.ndarray]:
        colour = np.full((self.canvas, self.canvas, 3), _OUTLINE, np.uint8)
        alpha = np.zeros((self.canvas, self.canvas), np.uint8)
        parts, head = self._skeleton(action, cycle)
        radius = .085 * self.unit

        def fixed(point):
            return tuple(round(float(v) * 2**_SHIFT) for v in point)

        for start, end, shade, width in parts:
            start, end = fixed(start), fixed(end)
            cv2.line(alpha, start, end, 255, width + self.outline, cv2.LINE_AA, _SHIFT)
            cv2.line(colour, start, end, shade.tolist(), width, cv2.LINE_AA, _SHIFT)
        outer = round((radius + self.outline / 2) * 2**_SHIFT)
        cv2.circle(alpha, fixed(head), outer, 255, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(colour, fixed(head), round(radius * 2**_SHIFT), self.skin.tolist(), -1,
                   cv2.LINE_AA, _SHIFT)
        if self.mirrored:
            colour, alpha = cv2.flip(colour, 1), cv2.flip(alpha, 1)
        frame = (self.size, self.size)
        return (cv2.resize(colour, frame, interpolation=cv2.INTER_AREA),
                cv2.resize(alpha, frame, interpolation=cv2.INTER_AREA))

    def perform(self, action: str, frames: int) -> Tuple[np.ndarray, np.ndarray]:
        """Draw the action.

        Args:
            action (str): one of ``ACTIONS``.
            frames (int): number of frames ``T``, spread evenly over the puppet's 1 to 1.7 cycles.

        Returns:
            tuple: colours, RGB uint8 ``(T, S, S, 3)``, and coverage, uint8 ``(T, S, S)``: 255
            where a pixel belongs wholly to the figure.
        """
        drawn = [self._draw_frame(action, self.start + self.cycles * t / frames)
                 for t in range(frames)]
        colours, alphas = zip(*drawn)
        return np.stack(colours), np.stack(alphas)
