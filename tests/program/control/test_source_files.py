"""What is no program to look at is refused in one line."""

import os
from pathlib import Path

import pytest
from controlled import written

from nntui.program.control.loading.source_file import read_program
from nntui.program.program_error import ProgramError

REFUSED = {
    "print 'loss', 3": "line 1: this is Python 2 (print 'loss', 3); nntui runs Python 3",
    "x = 1\nfor i in range(3):\n    print i, x\n": "line 3: this is Python 2 (print i, x)",
    "try:\n    pass\nexcept ValueError, e:\n    pass\n": "line 3: this is Python 2",
    "raise ValueError, 'x'": "line 1: this is Python 2",
    "exec 'x = 1'": "line 1: this is Python 2",
    "def f(:\n    pass\n": "line 1: invalid syntax: def f(:",
    "x = (1,\n": "line 1: '(' was never closed: x = (1,",
    "if x:\npass\n": "line 2: expected an indented block after 'if' statement on line 1: pass",
    "import torch\n": "line 1: the program trains with PyTorch; nntui reads networks that are",
    "import os\nimport torch.nn as nn, sys\n": "line 2: the program trains with PyTorch",
    "from tensorflow import keras\n": "line 1: the program trains with TensorFlow",
    "from keras.models import Sequential\n": "line 1: the program trains with Keras",
    "import jax.numpy as np\n": "line 1: the program trains with JAX",
    "from sklearn.neural_network import MLPClassifier\nMLPClassifier().fit([], [])\n": (
        "line 1: the program trains with scikit-learn"
    ),
    '{"cells": [], "metadata": {}}': "is a notebook; make a program of it with: jupyter nbconvert",
    "x = '\0'": "null bytes",
}


@pytest.mark.parametrize("text", REFUSED)
def test_one_line_says_what_is_wrong_and_where(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ProgramError) as caught:
        read_program(path)
    told = str(caught.value)
    assert told.startswith(path)
    assert REFUSED[text] in told
    assert "\n" not in told


READ = [
    "from sklearn.datasets import make_moons\n",
    "from keras.datasets import mnist\nfrom tensorflow.keras.datasets import cifar10\n",
    "from sklearn.model_selection import train_test_split\nfrom sklearn.metrics import log_loss\n",
    "from sklearn.linear_model import LinearRegression\nw -= 0.1 * X.T.dot(e)\n",
    "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
    "# -*- coding: latin-1 -*-\ns = 'x'\n",
    "\ufeffx = 1\n",
    "",
    "print('a'); print ('b', 1)\nprint(*[1]) ; x = '''\nprint 1\n'''\n",
]


@pytest.mark.parametrize("text", READ)
def test_what_computes_itself_is_read(tmp_path: Path, text: str) -> None:
    source = read_program(written(tmp_path, text))
    assert source.text == text.lstrip("\ufeff")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    cases = {
        str(tmp_path): f"{tmp_path} is a directory; name the program's file in it",
        str(tmp_path / "none.py"): f"{tmp_path / 'none.py'}: no such file",
        "/dev/null": "/dev/null is not a regular file",
        str(tmp_path / "x.py" / "y.py"): f"{tmp_path / 'x.py' / 'y.py'}: no such file",
    }
    for path, told in cases.items():
        with pytest.raises(ProgramError) as caught:
            read_program(path)
        assert str(caught.value) == told
    fifo = tmp_path / "fifo.py"
    os.mkfifo(fifo)
    with pytest.raises(ProgramError, match="is not a regular file"):
        read_program(str(fifo))
    large = tmp_path / "large.py"
    large.write_bytes(b"#" * (5 << 20))
    with pytest.raises(ProgramError, match="is larger than 4 MB"):
        read_program(str(large))
    binary = tmp_path / "binary.py"
    binary.write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(ProgramError, match="is not"):
        read_program(str(binary))
    link = tmp_path / "link.py"
    link.symlink_to(link)
    with pytest.raises(ProgramError, match="cannot be read"):
        read_program(str(link))


def test_the_line_that_is_in_no_known_encoding_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_bytes(b"# a\n" * 5000 + "# größe\n".encode("latin-1"))
    with pytest.raises(ProgramError, match=r"net\.py, line 5001 is not utf-8; save it"):
        read_program(str(path))
    path.write_bytes(b"# -*- coding: latin-1 -*-\r\nname = '" + "größe'\r\n".encode("latin-1"))
    assert read_program(str(path)).text == "# -*- coding: latin-1 -*-\nname = 'größe'\n"
