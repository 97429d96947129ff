"""How often each slot had which role (DEVIAS supp. F.7, Figure 5)."""
from typing import Dict, Iterable, Mapping

import numpy as np

ROLES = ('action', 'scene')


def slot_shares(rows: Iterable[Mapping]) -> Dict[str, float]:
    """Return how often each slot was chosen for each role in the predictions of a split.

    Args:
        rows (iterable[Mapping]): rows of a prediction table, such as
            ``table.to_dict('records')``; where a method has slots they hold
            ``action_slot`` and ``scene_slot``, for each slot the share of the
            video's views in which it was chosen. Videos without (not
            readable) do not count.

    Returns:
        dict[str, float]: percent of the views, ``action_slot0``,
        ``action_slot1`` ... ``scene_slot0`` ...; empty without slots.
    """
    rows = list(rows)
    shares = {}
    for role in ROLES:
        chosen = [row[f'{role}_slot'] for row in rows if row.get(f'{role}_slot') is not None]
        if not chosen:
            continue
        mean = np.mean(np.stack(chosen), axis=0)
        for slot, share in enumerate(mean):
            shares[f'{role}_slot{slot}'] = 100.0 * float(share)
    return shares
