"""Checkpoints from the web go through the restricted reader, a cache and a hash check."""
import functools
import http.server
import os
import threading

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader, load_checkpoint
from torch import nn

from devias_mm.errors import CheckpointError
from devias_mm.files import file_sha256
from devias_mm.weights import download
from devias_mm.weights.download import local_file
from devias_mm.weights.reading import load_checkpoint_file


class Payload:
    """Its pickle creates a folder when it is loaded by a reader that runs code."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder, )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files; of `cut.pth` only the half, and count what is asked for."""
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path != '/cut.pth':
            return super().do_GET()
        with open(self.translate_path(self.path), 'rb') as file:
            content = file.read()
        self.send_response(200)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content[:len(content) // 2])
        return None

    def log_message(self, *args):
        """Keep the console quiet."""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A local web server with good, harmful and broken files: (folder, URL)."""
    folder = tmp_path / 'site'
    folder.mkdir()
    torch.save(dict(state_dict=nn.Linear(2, 3).state_dict()), folder / 'good.pth')
    torch.save(dict(state_dict={}, odd=Payload(str(tmp_path / 'ran'))), folder / 'payload.pth')
    torch.save(Payload(str(tmp_path / 'ran')), folder / 'old.pth',
               _use_new_zipfile_serialization=False)
    (folder / 'cut.pth').write_bytes((folder / 'good.pth').read_bytes())
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    Handler.asked.clear()
    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def resnet(**kwargs):
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(dict(type='ResNet', depth=18, **kwargs))


def load_as_pretrained(url):
    """MMAction2's ``pretrained=`` of a backbone."""
    resnet(pretrained=url).init_weights()


def load_as_init_cfg(url):
    resnet(pretrained=None, init_cfg=dict(type='Pretrained', checkpoint=url)).init_weights()


def load_by_mmengine(url):
    load_checkpoint(nn.Linear(2, 3), url)


@pytest.mark.parametrize('load', [load_checkpoint_file, load_by_mmengine, load_as_pretrained,
                                  load_as_init_cfg])
@pytest.mark.parametrize('name', ['payload.pth', 'old.pth'])
def test_no_code_of_a_download_runs(site, tmp_path, load, name):
    _, url = site
    with pytest.raises(CheckpointError, match='mkdir'):
        load(f'{url}/{name}')
    assert not (tmp_path / 'ran').exists()
    # and the payload is one: a reader that runs code runs it
    torch.load(site[0] / name, weights_only=False)
    assert (tmp_path / 'ran').is_dir()


@pytest.mark.parametrize('load', [load_by_mmengine, load_as_pretrained, load_as_init_cfg])
def test_no_code_of_a_file_runs(site, tmp_path, load):
    with pytest.raises(CheckpointError, match='mkdir'):
        load(str(site[0] / 'payload.pth'))
    assert not (tmp_path / 'ran').exists()


def test_every_scheme_of_mmengine_is_replaced():
    names = {loader.__name__ for loader in CheckpointLoader._schemes.values()}
    assert names == {'load_from_restricted_reader'}


def test_a_download_is_kept(site):
    folder, url = site
    first = load_checkpoint_file(f'{url}/good.pth')
    expected = torch.load(folder / 'good.pth', weights_only=True)['state_dict']
    assert torch.equal(first['state_dict']['weight'], expected['weight'])
    load_by_mmengine(f'{url}/good.pth')
    assert Handler.asked == ['/good.pth']
    # a file of the same name elsewhere is another one
    assert local_file(f'{url}/good.pth') != local_file(f'{url}/./good.pth')


def test_the_hash_is_checked(site):
    folder, url = site
    digest = file_sha256(folder / 'good.pth')
    for name in (f'net-{digest[:8]}.pth', 'net-01234567.pth', 'net-20200607.pth'):
        (folder / name).write_bytes((folder / 'good.pth').read_bytes())
    kept = local_file(f'{url}/net-{digest[:8]}.pth')
    assert kept.endswith(f'checkpoints/net-{digest[:8]}.pth')  # the name that torch gives it
    local_file(f'{url}/net-20200607.pth')  # a date
    local_file(f'{url}/good.pth#sha256={digest}')
    for name, expected in (('net-01234567.pth', '01234567'),
                           (f'good.pth#sha256={"0" * 64}', '0' * 64)):
        with pytest.raises(CheckpointError, match=f'SHA-256 {digest}, not {expected}'):
            local_file(f'{url}/{name}')
    with pytest.raises(CheckpointError, match="64 hexadecimal digits, got 'sha256=12'"):
        local_file(f'{url}/good.pth#sha256=12')
    # one that was damaged in the cache is downloaded again
    with open(kept, 'r+b') as file:
        file.truncate(100)
    assert file_sha256(local_file(f'{url}/net-{digest[:8]}.pth')) == digest


@pytest.mark.parametrize('name, message', [
    ('none.pth', 'HTTP Error 404'), ('cut.pth', r'\d+ of \d+ bytes came')])
def test_a_failed_download_leaves_nothing(site, tmp_path, name, message):
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint_file(f'{site[1]}/{name}')
    assert not [path for path in (tmp_path / 'cache').rglob('*') if path.is_file()]


def test_models_of_zoos_are_looked_up(site, monkeypatch):
    folder, url = site
    monkeypatch.setattr(download, 'get_external_models', lambda: dict(net=f'{url}/good.pth'))
    monkeypatch.setattr(download, 'get_mmcls_models', lambda: dict(net=f'{url}/mmcls.pth'))
    monkeypatch.setattr(download, 'get_torchvision_models', lambda: dict(net=f'{url}/good.pth'))
    state = {'backbone.weight': torch.ones(3, 2), 'backbone.bias': torch.ones(3),
             'head.fc.weight': torch.ones(1)}
    torch.save(dict(state_dict=state), folder / 'mmcls.pth')
    for scheme in ('open-mmlab', 'openmmlab', 'torchvision'):
        assert 'weight' in load_checkpoint_file(f'{scheme}://net')['state_dict']
        with pytest.raises(CheckpointError, match="has no model 'other'"):
            load_checkpoint_file(f'{scheme}://other')
    model = nn.Linear(2, 3)
    load_checkpoint(model, 'mmcls://net')  # an image classifier's backbone alone
    assert model.bias.tolist() == [1, 1, 1]


@pytest.mark.parametrize('name', ['s3://bucket/a.pth', 'file:///etc/passwd', 'ftp://x/a.pth'])
def test_other_schemes_are_refused(name):
    with pytest.raises(CheckpointError, match='is unknown. Accepted are a file, http://'):
        load_checkpoint_file(name)
