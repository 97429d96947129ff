"""Work in several processes."""
import subprocess
import sys

# OpenCV has started its threads before the workers are forked
CODE = '''
import cv2
import numpy as np
from devias_mm.processes import map_in_processes

cv2.setNumThreads(4)
image = np.random.default_rng(0).random((2000, 2000), dtype=np.float32)
cv2.GaussianBlur(image, (31, 31), 5)
cv2.resize(image, (4000, 4000))

def blurred_mean(size):
    return float(cv2.GaussianBlur(image, (size, size), 1).mean())

sizes = [3, 5, 7, 9, 11, 13, 15, 17]
several = list(map_in_processes(blurred_mean, sizes, 2))
assert several == list(map_in_processes(blurred_mean, sizes, 1))
assert cv2.getNumThreads() == 4
'''


def test_workers_do_not_wait_for_threads_of_opencv():
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', CODE], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
