"""Read the recipe of a row for tests."""
from functools import cache
from pathlib import Path

from mmengine.config import Config

from devias_mm.harness import Method, load_suite
from devias_mm.harness.recipes import apply_change, read_recipe

ROOT = Path(__file__).resolve().parents[1]
load = cache(load_suite)


def find_method(row: str) -> Method:
    """Return the method of ``benchmarks/x.py:method``; with ``/pretrain`` what it starts from."""
    suite, name = row.split(':')
    name, _, part = name.partition('/')
    method = load(suite, ROOT).methods[name]
    return method.pretrain if part == 'pretrain' else method


def resolve(method: Method) -> Config:
    """Return the recipe of a method."""
    cfg = read_recipe(method.config)
    apply_change(cfg, method.change)
    return cfg


def read_row(row: str) -> Config:
    """Return the recipe of ``benchmarks/x.py:method``, or with ``/pretrain`` of its start."""
    return resolve(find_method(row))
