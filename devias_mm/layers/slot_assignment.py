"""Which slot is the action slot, which the scene slot."""
from typing import Tuple

import torch
from torch import Tensor

ASSIGNMENTS = ('hungarian', 'greedy', 'batch', 'hard')


def assign_slots(action_cost: Tensor, scene_cost: Tensor,
                 method: str = 'hungarian') -> Tuple[Tensor, Tensor]:
    """Solve the K-to-2 matching of DEVIAS (section 3.1) for a whole batch.

    With two targets the assignment problem has ``K (K - 1)`` candidates;
    looking at all of them at once is exact and stays on the device, where
    ``scipy.optimize.linear_sum_assignment`` would need a loop over samples
    and a device synchronisation.

    Args:
        action_cost (Tensor): cost of slot k as action slot, ``(B, K)``.
        scene_cost (Tensor): cost of slot k as scene slot, ``(B, K)``.
        method (str): ``hungarian``, the pair of different slots of least
            total cost, per clip (the paper); ``greedy``, the cheapest single
            entry first, then the best other slot for the other target;
            ``batch``, one pair for the whole batch, of least total cost
            summed over its clips; ``hard``, slot 0 action and slot 1 scene.

    Returns:
        tuple[Tensor, Tensor]: action and scene slot, int64 ``(B,)`` each.

    Raises:
        ValueError: for fewer than two slots or an unknown method.
    """
    batch, num_slots = action_cost.shape
    if num_slots < 2:
        raise ValueError(f'an action and a scene slot need at least 2 slots, got {num_slots}')
    if method not in ASSIGNMENTS:
        raise ValueError(f'unknown slot assignment {method!r}, choose one of {ASSIGNMENTS}')
    if method == 'hard':
        zeros = torch.zeros(batch, dtype=torch.long, device=action_cost.device)
        return zeros, zeros + 1
    if method == 'greedy':
        action, scene = action_cost.argmin(1), scene_cost.argmin(1)
        action_first = action_cost.min(1).values <= scene_cost.min(1).values
        slots = torch.arange(num_slots, device=action_cost.device)
        inf = float('inf')
        other_scene = scene_cost.masked_fill(slots == action[:, None], inf).argmin(1)
        other_action = action_cost.masked_fill(slots == scene[:, None], inf).argmin(1)
        return (torch.where(action_first, action, other_action),
                torch.where(action_first, other_scene, scene))
    pairs = action_cost[:, :, None] + scene_cost[:, None, :]  # (B, action slot, scene slot)
    if method == 'batch':
        pairs = pairs.sum(0, keepdim=True).expand(batch, -1, -1)
    same = torch.eye(num_slots, dtype=torch.bool, device=pairs.device)
    best = pairs.masked_fill(same, float('inf')).flatten(1).argmin(1)
    return best // num_slots, best % num_slots
