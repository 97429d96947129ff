"""Building MMEngine's runner."""
import time

from tiny_runs import make_config

from devias_mm.engine.launch import build_runner


def test_two_runners_within_one_second_write_into_their_own_folders(
        tmp_path, tiny_data, monkeypatch):
    now = time.time()
    monkeypatch.setattr('mmengine.runner.runner.time.time', lambda: now)
    for name in ('first', 'second'):
        (tmp_path / name).mkdir()
        cfg = make_config(tmp_path / name, tiny_data)
        cfg.pop('experiment_name')  # named by the file and the second, as a user's is
        runner = build_runner(cfg)
        runner.logger.info(f'this is {name}')
        runner.visualizer.add_config(cfg)
        log_dir = tmp_path / name / 'work' / runner.timestamp
        assert (log_dir / 'vis_data' / 'config.py').is_file()
        assert f'this is {name}' in (log_dir / f'{runner.timestamp}.log').read_text()
