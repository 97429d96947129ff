"""Assign the roles of action and scene to slots."""
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
        return _assign_greedily(action_cost, scene_cost)
    # (B, action slot, scene slot)
    pairs = action_cost[:, :, None] + scene_cost[:, None, :]
    if method == 'batch':
        pairs = pairs.sum(0, keepdim=True)
        pairs = pairs.expand(batch, -1, -1)
    same = torch.eye(num_slots, dtype=torch.bool, device=pairs.device)
    pairs = pairs.masked_fill(same, torch.inf)
    best = pairs.flatten(1).argmin(1)
    return best // num_slots, best % num_slots


def _assign_greedily(action_cost: Tensor, scene_cost: Tensor) -> Tuple[Tensor, Tensor]:
    """Give the cheapest entry its slot first; see :func:`assign_slots`."""
    lowest_action, action = action_cost.min(1)
    lowest_scene, scene = scene_cost.min(1)
    action_first = lowest_action <= lowest_scene
    # what is left to the role that chooses second
    other_action = _cheapest_other(action_cost, scene)
    other_scene = _cheapest_other(scene_cost, action)
    action_slot = torch.where(action_first, action, other_action)
    scene_slot = torch.where(action_first, other_scene, scene)
    return action_slot, scene_slot


def _cheapest_other(cost: Tensor, taken: Tensor) -> Tensor:
    """Return the cheapest slot of each clip, ``(B,)``, that is not ``taken``, ``(B,)``."""
    slots = torch.arange(cost.shape[1], device=cost.device)
    is_taken = slots == taken[:, None]
    free = cost.masked_fill(is_taken, torch.inf)
    return free.argmin(1)
