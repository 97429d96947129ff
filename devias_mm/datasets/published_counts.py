"""How many videos and classes the published splits hold."""
import fnmatch
from typing import Dict, NamedTuple, Optional, Tuple


class Expected(NamedTuple):
    """What a published split holds; ``None`` where that is not known.

    Attributes:
        videos: accepted numbers of videos.
        classes: number of action classes that occur.
        scene_classes: number of scene classes that occur.
    """
    videos: Optional[Tuple[int, ...]] = None
    classes: Optional[int] = None
    scene_classes: Optional[int] = None


# name of the data set -> pattern of a split -> what it holds; the first pattern that fits counts.
# Numbers: DEVIAS, supp. D; HAT, section 2 (Mimetics); and the published lists themselves
_K400_HAT = Expected((5631, 7860))  # the papers' number, and that of most published pairs
EXPECTED: Dict[str, Dict[str, Expected]] = dict(
    ucf101={
        'training': Expected((9537, ), 101), 'validation': Expected((3783, ), 101),
        'seen': Expected((3783, ), 101), 'scu[bf][ao]-*': Expected((4550, ), 24),
        'hat-*-only': Expected((3783, ), 101), 'hat-random/*': Expected((1572, )),
        'hat-close/*': Expected((1562, )), 'hat-far/*': Expected((1200, ))},
    kinetics400={
        'training': Expected(None, 400), 'validation': Expected((19796, ), 400),
        'seen': Expected((19796, ), 400), 'scu[bf][ao]-*': Expected((10190, ), 393),
        'hat-*-only': Expected((19877, )), 'hat-random/1': Expected((5631, )),
        'hat-far/1': Expected((5631, )), 'hat-random/*': _K400_HAT, 'hat-close/*': _K400_HAT,
        'hat-far/*': _K400_HAT, 'mimetics': Expected((713, ), 50)},
    hvu={
        'training': Expected((27532, ), 641, 184), 'validation': Expected((200, )),
        'seen': Expected((200, )), 'unseen': Expected((229, ))},
    diving48={
        'training': Expected(None, 47), 'validation': Expected((1970, )),
        'test': Expected((1970, ))},
    mini_ssv2={'validation': Expected((11341, )), 'test': Expected((11341, ))},
    hmdb51={'validation': Expected((1530, ), 51), 'test': Expected((1530, ), 51)},
    # 8 of the 15,409 listed segments end before they start
    activitynet={'training': Expected((15401, ), 200)},
    # of the published list, and of the data set itself
    places365={split: Expected((7300, 36500), 365) for split in ('validation', 'val')})


def expected_of(data: str, split: str) -> Expected:
    """What a split of a data set should hold; nothing is known of most."""
    for pattern, expected in EXPECTED.get(data, {}).items():
        if fnmatch.fnmatchcase(split, pattern):
            return expected
    return Expected()
