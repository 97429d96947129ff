"""Checkpoints on the web: downloaded once, into a cache folder, with their hash checked."""
import hashlib
import http.client
import os
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Optional
from urllib.parse import urldefrag, urlparse

import torch
from mmengine.logging import print_log
from mmengine.runner.checkpoint import (
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from devias_mm.errors import CheckpointError
from devias_mm.files import atomic_path, file_sha256

TIMEOUT_SECONDS = 30
ACCEPTED = ('Accepted are a file, http://, https://, torchvision://NAME, open-mmlab://NAME and '
            'mmcls://NAME.')


def local_file(name: str) -> str:
    """Return the file of a checkpoint; one on the web is downloaded first.

    Downloads are kept in the folder of torch's own downloads (``$TORCH_HOME/hub/checkpoints``,
    by default ``~/.cache/torch/hub/checkpoints``).

    Args:
        name: a file; a URL; or a model of a zoo, such as ``torchvision://resnet50``. The hash of
            a download is checked where it is known: from a file name that ends in its first
            digits (``-5c106cde.pth``), or from ``#sha256=<64 digits>`` at the end of the URL.

    Raises:
        CheckpointError: the scheme is unknown, the zoo has no such model, the download fails or
            has another hash. A file is not looked at.

    Example::

        local_file('https://example.org/resnet18-5c106cde.pth')
    """
    if '://' not in name:
        return os.path.expanduser(name)
    url, fragment = urldefrag(_url_of(name))
    expected = _sha256_in_fragment(fragment, name) or _hash_in_name(url)
    cached = _cache_path(url, expected)
    if cached.is_file() and _has_hash(cached, expected):
        print_log(f'{url} was downloaded before: {cached}', logger='current')
        return str(cached)
    _download(url, cached, expected)
    return str(cached)


def _url_of(name: str) -> str:
    """Look up the URL of a model of a zoo; a URL is returned as it is."""
    scheme, model = name.split('://', 1)
    if scheme in ('http', 'https'):
        return name
    if scheme in ('torchvision', 'modelzoo'):
        urls = _torchvision_urls(name)
    elif scheme in ('open-mmlab', 'openmmlab'):
        urls = get_external_models()
        model = get_deprecated_model_names().get(model, model)
    elif scheme == 'mmcls':
        urls = get_mmcls_models()
    else:
        raise CheckpointError(f'checkpoint {name}: the scheme {scheme}:// is unknown. {ACCEPTED}')
    url = urls.get(model, '')
    if not url.startswith(('http://', 'https://')):
        raise CheckpointError(f'checkpoint {name}: {scheme} has no model {model!r} with a URL. '
                              f'{ACCEPTED}')
    return url


def _torchvision_urls(name: str) -> dict:
    try:
        return get_torchvision_models()
    except ImportError as error:
        raise CheckpointError(f'checkpoint {name}: torchvision knows its URL, but is not '
                              'installed: pip install torchvision, or give the URL or a '
                              'file.') from error


def _sha256_in_fragment(fragment: str, name: str) -> Optional[str]:
    if not fragment:
        return None
    match = re.fullmatch(r'sha256=([0-9a-fA-F]{64})', fragment)
    if match is None:
        raise CheckpointError(f'checkpoint {name}: what follows # must be sha256= and 64 '
                              f'hexadecimal digits, got {fragment!r}.')
    return match.group(1).lower()


def _hash_in_name(url: str) -> Optional[str]:
    """Return the first digits of the SHA-256 that torch and OpenMMLab put into file names."""
    match = re.search(r'-([0-9a-f]{8,64})\.\w+$', Path(urlparse(url).path).name)
    # a date such as -20200607.pth has eight hexadecimal digits, too
    if match is None or re.fullmatch(r'20\d{6}', match.group(1)):
        return None
    return match.group(1)


def _cache_path(url: str, expected: Optional[str]) -> Path:
    file = Path(urlparse(url).path).name or 'checkpoint.pth'
    if expected is None or expected not in file:
        # other sites may have another `epoch_100.pth`
        file = f'{hashlib.sha256(url.encode()).hexdigest()[:16]}_{file}'
    return Path(torch.hub.get_dir()) / 'checkpoints' / file


def _has_hash(file: Path, expected: Optional[str]) -> bool:
    return expected is None or file_sha256(file).startswith(expected)


def _download(url: str, target: Path, expected: Optional[str]) -> None:
    """Write a URL to a file, which appears only when it is complete and has its hash."""
    print_log(f'downloading {url} to {target}', logger='current')
    with atomic_path(target) as temporary:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
                length = response.headers.get('Content-Length')
                with open(temporary, 'wb') as file:
                    shutil.copyfileobj(response, file, 1 << 20)
        # URLError and the socket's errors are OSErrors
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise CheckpointError(f'cannot download checkpoint {url}: {error}. Try again, or '
                                  'give the path of a file.') from error
        size = temporary.stat().st_size
        if length is not None and size != int(length):
            raise CheckpointError(f'cannot download checkpoint {url}: {size} of {length} bytes '
                                  'came. Try again, or give the path of a file.')
        if not _has_hash(temporary, expected):
            raise CheckpointError(
                f'checkpoint {url} has the SHA-256 {file_sha256(temporary)}, not {expected}...: '
                'it is damaged, or not the file that was published. Nothing was kept.')
