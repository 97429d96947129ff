"""How much of a dataset's actions can be told from its scenes (Choi et al. 2019, Eq. 1)."""
from typing import NamedTuple, Sequence

import numpy as np


class SceneBias(NamedTuple):
    """Scene representation bias of a dataset.

    Attributes:
        bias: ``log(accuracy / chance)``, natural logarithm; 0: unbiased.
        accuracy: ``M(D, phi_scene)``, action accuracy of a linear classifier on
            scene features, percent.
        chance: ``M_rand``, percent.
    """
    bias: float
    accuracy: float
    chance: float


def scene_representation_bias(train_features: np.ndarray, train_labels: Sequence[int],
                              test_features: np.ndarray, test_labels: Sequence[int],
                              num_classes: int, max_iter: int = 1000) -> SceneBias:
    r"""Return :math:`B_{scene} = \log(M(D, \phi_{scene}) / M_{rand})` (Choi et al. 2019, Eq. 1).

    ``M`` is the accuracy of a linear classifier (logistic regression on standardised
    features) that was trained on scene features of the training videos;
    chance is ``100 / num_classes`` as in the paper (UCF-101: 1.0 %).

    Args:
        train_features: scene features or scene probabilities ``(n, D)`` of the
            training videos, from a model that knows scenes only.
        train_labels: action classes ``(n,)``, in ``[0, num_classes)``.
        test_features: ``(m, D)``.
        test_labels: ``(m,)``; -1 is left out.
        num_classes: action classes of the dataset.
        max_iter: of the solver.

    Returns:
        SceneBias: ``bias`` is ``-inf`` where no video is right.

    Raises:
        ValueError: fewer than two training classes, or a label out of range.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train_labels = np.asarray(train_labels)
    test_labels = np.asarray(test_labels)
    if len(np.unique(train_labels)) < 2:
        raise ValueError('a linear classifier needs training videos of at least two actions')
    for name, labels, low in (('train_labels', train_labels, 0), ('test_labels', test_labels, -1)):
        if labels.min() < low or labels.max() >= num_classes:
            raise ValueError(f'{name} must lie in [{low}, {num_classes}), got '
                             f'[{labels.min()}, {labels.max()}]')
    known = test_labels >= 0
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=max_iter))
    probe.fit(np.asarray(train_features, dtype=np.float64), train_labels)
    predicted = probe.predict(np.asarray(test_features, dtype=np.float64)[known])
    accuracy = 100.0 * (predicted == test_labels[known]).mean()
    chance = 100.0 / num_classes
    with np.errstate(divide='ignore'):
        bias = np.log(accuracy / chance)
    return SceneBias(float(bias), float(accuracy), chance)
