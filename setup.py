"""Set-up of devias_mm."""
import importlib.util
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r"__version__ = '(.+)'", (HERE / 'devias_mm/__init__.py').read_text()).group(1)

REQUIREMENTS = [
    'torch>=2.6', 'mmengine>=0.10.7', 'mmaction2>=1.2.0', 'importlib_metadata', 'decord',
    'opencv-python', 'numpy', 'scipy', 'pandas', 'pyarrow', 'einops', 'kornia>=0.7', 'matplotlib',
    'seaborn', 'Jinja2', 'tabulate', 'rich', 'scikit-learn', 'Pillow'
]
TRANSFORMERS = ['transformers>=4.40']
# both packages hold the module `mmcv`: a full one that is there already is kept
if importlib.util.find_spec('mmcv') is None:
    REQUIREMENTS.append('mmcv-lite>=2.0.0,<2.2.0')

setup(
    name='devias_mm',
    version=VERSION,
    description='Scene-debiasing methods for action recognition under one protocol',
    long_description=(HERE / 'README.md').read_text() if (HERE / 'README.md').is_file() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.9',
    packages=find_packages(include=['devias_mm', 'devias_mm.*']),
    install_requires=REQUIREMENTS,
    extras_require=dict(
        test=['pytest', 'pytest-timeout', 'pytest-xdist', 'ruff', *TRANSFORMERS],
        # masks, zero-shot scene teacher, human boxes: models of the Hugging Face hub
        segformer=TRANSFORMERS,
        clip=TRANSFORMERS,
        detector=TRANSFORMERS,
        tensorboard=['tensorboard'],
        deepspeed=['deepspeed'],
        wandb=['wandb']),
)
