"""Give bad inputs to the real command lines and print the one line that a user sees for each.

    python tests/bad_inputs.py               # all of them, a few minutes on a CPU
    python tests/bad_inputs.py convert nan   # those whose name contains one of these words

A case is a command that must end with an error of one line, without a traceback, and must leave
nothing behind. More cases: write a function that yields :class:`Case` and add it to ``GROUPS``.
"""
import contextlib
import functools
import http.server
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests' / 'engine')]

import torch  # noqa: E402
from tiny_runs import make_config, make_data  # noqa: E402


class Case(NamedTuple):
    """A bad input.

    Attributes:
        name: group and kind, unique.
        command: tool and arguments, from the root of the repository.
        expected: a part of the line that the user must see.
        forbidden: files and folders that must not exist afterwards.
    """
    name: str
    command: List[str]
    expected: str
    forbidden: List[Path] = []


class Answer(NamedTuple):
    """What a command said: its last line of error, and what is wrong with that."""
    line: str
    problem: str


class Workplace(NamedTuple):
    """Where cases keep their files: a folder, tiny videos, and the URL of a web server there."""
    folder: Path
    data: Path
    url: str


class Payload:
    """Its pickle creates a folder when it is loaded by a reader that runs code."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder, )


def training(place: Workplace) -> Iterator[Case]:
    """Configs and starting weights that cannot train."""
    (place.folder / 'train').mkdir()
    make_config(place.folder / 'train', place.data)
    config = str(place.folder / 'train' / 'tiny.py')
    options = {
        'no epochs': ('train_cfg.max_epochs=0', 'train_cfg.max_epochs=0'),
        'negative epochs': ('train_cfg.max_epochs=-1', 'train_cfg.max_epochs=-1'),
        'negative workers': ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers=-1'),
        'batch size 0': ('train_dataloader.batch_size=0', 'train_dataloader.batch_size=0'),
        'negative lr': ('optim_wrapper.optimizer.lr=-1', 'optim_wrapper.optimizer.lr=-1'),
        'lr is a word': ('optim_wrapper.optimizer.lr=fast', "optim_wrapper.optimizer.lr='fast'"),
        'misspelt key': ('train_dataloader.batchsize=2', "did you mean 'batch_size'?"),
        'misspelt top-level key': ('optim_wraper.optimizer.lr=1', "did you mean 'optim_wrapper'?"),
        'misspelt model option': ('model.cls_head.dropout=1', "did you mean 'dropout_ratio'?"),
        'fewer classes': ('model.cls_head.num_classes=5', 'num_classes=8'),
        'more classes': ('model.cls_head.num_classes=9', 'num_classes=8'),
        'no such list': ('train_dataloader.dataset.ann_file=gone.txt', 'gone.txt'),
        'no such start': ('load_from=gone.pth', 'checkpoint not found: gone.pth'),
        'lr far too high': ('optim_wrapper.optimizer.lr=1e30', 'the training stopped: '),
    }
    for name, (option, expected) in options.items():
        work = place.folder / 'train' / name.replace(' ', '-')
        yield Case(f'train, {name}', ['tools/train.py', config, '--work-dir', str(work),
                                      '--cfg-options', option], expected, [work / 'epoch_3.pth'])
    yield Case('train, no such config', ['tools/train.py', 'gone.py'], 'config not found: gone.py')


def checkpoints(place: Workplace) -> Iterator[Case]:
    """Files and downloads that are damaged, foreign or harmful, in three tools."""
    folder = place.folder / 'checkpoints'
    folder.mkdir()
    make_config(folder, place.data)
    config = str(folder / 'tiny.py')
    ran = folder / 'ran'
    torch.save(dict(state_dict={}, odd=Payload(ran)), folder / 'payload.pth')
    torch.save(dict(state_dict=dict(weight=torch.arange(1000.))), folder / 'good.pth')
    content = bytearray((folder / 'good.pth').read_bytes())
    (folder / 'cut.pth').write_bytes(content[:len(content) // 2])
    content[content.find(torch.arange(500., 510.).numpy().tobytes())] ^= 1
    (folder / 'flipped.pth').write_bytes(content)
    (folder / 'word.pth').write_text('hello')
    files = {
        'payload': (str(folder / 'payload.pth'), 'classes that could run code'),
        'payload from the web': (f'{place.url}/checkpoints/payload.pth', 'that could run code'),
        'missing on the web': (f'{place.url}/gone.pth', 'HTTP Error 404'),
        'unknown scheme': ('s3://bucket/file.pth', 'the scheme s3:// is unknown'),
        'truncated': (str(folder / 'cut.pth'), 'truncated'),
        'flipped byte': (str(folder / 'flipped.pth'), 'the checksum of'),
        'no checkpoint': (str(folder / 'word.pth'), 'not a checkpoint'),
        'foreign': (str(folder / 'good.pth'), ''),
    }
    target = folder / 'converted.pth'
    for name, (file, expected) in files.items():
        work = str(folder / 'work')
        yield Case(f'test, {name}', ['tools/test.py', config, file, '--work-dir', work],
                   expected or 'does not fit the model', [ran])
        yield Case(f'load_from, {name}', ['tools/train.py', config, '--work-dir', work,
                                          '--cfg-options', f'load_from={file}'],
                   expected or 'does not hold the encoder', [ran, folder / 'work' / 'epoch_3.pth'])
        yield Case(f'convert, {name}', ['tools/data/convert_checkpoint.py', file, str(target)],
                   expected or 'no known layout', [ran, target])


def conversions(place: Workplace) -> Iterator[Case]:
    """Published checkpoints that lack something, or hold what is no weight."""
    folder = place.folder / 'conversions'
    folder.mkdir()
    state = published_devias()
    for name, change in CHANGES.items():
        file = folder / f'{name.replace(" ", "-")}.pth'
        torch.save(dict(model=change(dict(state))), file)
        target = folder / f'{file.stem}-converted.pth'
        yield Case(f'convert, {name}', ['tools/data/convert_checkpoint.py', str(file),
                                        str(target)], 'gives no usable model: ', [target])


def published_devias() -> Dict[str, torch.Tensor]:
    """Make random weights of a small DEVIAS in the published names."""
    from mmaction.registry import MODELS

    import devias_mm.register  # noqa: F401
    from devias_mm.weights.conversion import export
    backbone = dict(type='TokenViT', img_size=32, depth=2, embed_dims=24, num_heads=2,
                    num_frames=4)
    slots = dict(num_heads=2, head_dims=8, attn_norm='l1', out_proj=True, mlp_norm=True,
                 final_norm=True, num_iters=3, tied=False)
    model = MODELS.build(dict(type='DEVIAS', num_classes=5, num_scene_classes=3,
                              slot_attention=slots, backbone=backbone))
    return export(model.state_dict(), 'devias', 3).state_dict


def lacking(*prefixes: str) -> Callable[[dict], dict]:
    """Make a change that leaves weights out."""
    def change(state: dict) -> dict:
        return {key: value for key, value in state.items() if not key.startswith(prefixes)}
    return change


def replacing(name: str, function: Callable) -> Callable[[dict], dict]:
    """Make a change of one weight."""
    def change(state: dict) -> dict:
        return {**state, name: function(state[name])}
    return change


QKV = 'blocks.0.attn.qkv.weight'
CHANGES = {
    'without the head': lacking('head.'),
    'without a block': lacking('blocks.0.'),
    'without the latents': lacking('agg_block.latents'),
    'without the mask predictor': lacking('mask_predictor.'),
    'the aggregation alone': lacking('patch_embed.', 'blocks.', 'norm.', 'head.', 'mask_'),
    'transposed': replacing(QKV, lambda weight: weight.T.clone()),
    'of another width': replacing(QKV, lambda weight: weight[:, :-1].clone()),
    'empty': replacing(QKV, lambda weight: weight[:0].clone()),
    'integers': replacing(QKV, lambda weight: weight.int()),
    'NaN': replacing(QKV, lambda weight: weight * float('nan')),
    'infinite': replacing('head.bias', lambda bias: bias + float('inf')),
}
GROUPS = (training, checkpoints, conversions)


@contextlib.contextmanager
def workplace() -> Iterator[Workplace]:
    """Make tiny data and serve the folder on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        handler = functools.partial(QuietHandler, directory=folder)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            data = make_data(Path(folder) / 'data')
            yield Workplace(Path(folder), data, f'http://127.0.0.1:{server.server_port}')
        finally:
            server.shutdown()
            server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, *args) -> None:
        """Say nothing."""


def run(case: Case, place: Workplace) -> Answer:
    """Run a command and judge what it says."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1',
                       CUDA_VISIBLE_DEVICES='', TORCH_HOME=str(place.folder / 'cache'))
    done = subprocess.run([sys.executable, *case.command], cwd=ROOT, env=environment, text=True,
                          capture_output=True, timeout=300)
    errors = [line for line in done.stderr.splitlines() if 'error: ' in line]
    line = errors[-1] if errors else ''
    problem = ''
    if done.returncode == 0:
        problem = 'the command succeeded'
    elif 'Traceback' in done.stderr:
        problem = f'a traceback: {done.stderr.splitlines()[-1]}'
    elif case.expected not in line:
        problem = f'the line does not say {case.expected!r}'
    for path in case.forbidden:
        if path.exists():
            problem = f'{path.name} was left behind'
    return Answer(line, problem)


def main(words: List[str]) -> int:
    failures = 0
    with workplace() as place:
        for group in GROUPS:
            for case in group(place):
                if words and not any(word.lower() in case.name.lower() for word in words):
                    continue
                answer = run(case, place)
                print(f'{case.name}\n    {answer.line}', flush=True)
                if answer.problem:
                    failures += 1
                    print(f'    WRONG: {answer.problem}', flush=True)
    print(f'{failures} wrong')
    return min(failures, 1)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
