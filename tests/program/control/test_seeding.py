"""Seeds: the program's own, one in their place, or 0 where it sets none."""

from pathlib import Path

import pytest
from controlled import alone, to_the_end, written

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded")

SEEDED = {
    "np.random.seed": "np.random.seed(SEED); print(np.random.rand(3), np.random.randn(2))",
    "from numpy.random": "from numpy.random import seed, rand; seed(SEED); print(rand(3))",
    "RandomState": "r = np.random.RandomState(SEED); print(r.rand(3), r.permutation(4))",
    "RandomState.seed": "r = np.random.RandomState(); r.seed(SEED); print(r.rand(3))",
    "default_rng": "r = np.random.default_rng(SEED); print(r.normal(size=3))",
    "Generator": "r = np.random.Generator(np.random.PCG64(SEED)); print(r.random(3))",
    "MT19937": "r = np.random.Generator(np.random.MT19937(SEED)); print(r.random(3))",
    "SeedSequence": "r = np.random.default_rng(np.random.SeedSequence(SEED)); print(r.random(3))",
    "random.seed": "random.seed(SEED); print(random.random(), random.gauss(0, 1))",
    "from random": "from random import seed, uniform; seed(SEED); print(uniform(1, 2))",
    "random.Random": "r = random.Random(SEED); print(r.random(), r.sample(range(9), 3))",
    "keywords": "np.random.seed(seed=SEED); print(np.random.rand())",
    "each time": "for i in range(3): np.random.seed(SEED); print(np.random.rand(2))",
}
IMPORTS = "import random\nimport numpy as np\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each kind prints alone with seed 3, and with seed 7: all in one process."""
    lines = ["import random", "import numpy as np"]
    for text in SEEDED.values():
        for seed in ("3", "7"):
            lines += [text.replace("SEED", seed), "print('----')"]
    path = written(tmp_path_factory.mktemp("plain"), "\n".join(lines))
    return str(alone(path).stdout).split("----\n")


@pytest.mark.parametrize("kind", SEEDED)
def test_a_seed_takes_the_place_of_the_programs_own(
    tmp_path: Path, kind: str, plain: list[str]
) -> None:
    at = 2 * list(SEEDED).index(kind)
    path = written(tmp_path, IMPORTS + SEEDED[kind].replace("SEED", "3"))
    seen = to_the_end(path)
    assert seen["output"] == plain[at]
    assert (seen["seed"], seen["seeded_by_us"]) == (None, False)
    seen = to_the_end(path, seed=7)
    assert seen["output"] == plain[at + 1] != plain[at]
    assert (seen["seed"], seen["seeded_by_us"]) == (7, False)


UNSEEDED = {
    "numpy": "print(np.random.rand(2))",
    "random": "print(random.random())",
    "default_rng": "print(np.random.default_rng().random(2))",
    "RandomState": "print(np.random.RandomState().rand(2))",
    "Random": "print(random.Random().random())",
    "PCG64": "print(np.random.Generator(np.random.PCG64()).random())",
    "None": "np.random.seed(None); print(np.random.rand(2))",
}


@pytest.mark.parametrize("kind", UNSEEDED)
def test_a_program_that_sets_none_gets_0_and_that_is_told(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, IMPORTS + UNSEEDED[kind])
    seen = [to_the_end(path) for _ in range(2)]
    assert seen[0]["output"] == seen[1]["output"]
    assert (seen[0]["seed"], seen[0]["seeded_by_us"]) == (0, True)
    assert to_the_end(path, seed=0)["output"] == seen[0]["output"]
    assert to_the_end(path, seed=5)["output"] != seen[0]["output"]


def test_the_start_of_an_unseeded_program_is_that_of_seed_0(tmp_path: Path) -> None:
    path = written(tmp_path, f"{IMPORTS}print(np.random.rand(2), random.random())")
    seeded = (
        f"{IMPORTS}np.random.seed(0); random.seed(0)\nprint(np.random.rand(2), random.random())"
    )
    expected = alone(written(tmp_path, seeded, "other.py")).stdout
    assert to_the_end(path)["output"] == expected


def test_a_program_without_chance_is_not_said_to_be_seeded(tmp_path: Path) -> None:
    seen = to_the_end(written(tmp_path, f"{IMPORTS}print(np.zeros(2))"))
    assert (seen["seed"], seen["seeded_by_us"]) == (None, False)


def test_seeds_that_differ_stay_different_and_the_same_stay_the_same(tmp_path: Path) -> None:
    text = """
        a, b, c = (np.random.default_rng(seed).random() for seed in (1, 2, 1))
        print(a == c, a == b, np.random.RandomState(2).rand() == np.random.RandomState(2).rand())
        """
    text = IMPORTS + "\n".join(line.strip() for line in text.splitlines())
    assert to_the_end(written(tmp_path, text), seed=9)["output"] == "True False True\n"


def test_generators_are_still_what_they_were(tmp_path: Path) -> None:
    text = """
        import copy, pickle
        r = np.random.RandomState(1)
        print(isinstance(r, np.random.RandomState), type(r).__name__)
        print(isinstance(np.random.mtrand._rand, np.random.RandomState))
        print(isinstance(random.Random(1), random.Random), np.random.PCG64.__name__)
        g = np.random.default_rng(1); h = copy.deepcopy(g); k = pickle.loads(pickle.dumps(g))
        print(g.random() == h.random() == k.random(), r.get_state()[0])
        s = copy.deepcopy(r); print(s.rand() == r.rand())
        print([each.entropy for each in g.bit_generator.seed_seq.spawn(1)])
        b = np.random.Generator(np.random.PCG64(1)); d = pickle.loads(pickle.dumps(b))
        print(b.random() == d.random())
        q = random.Random(5); p = pickle.loads(pickle.dumps(q)); print(p.random() == q.random())
        random.seed(5); t = random.getstate(); x = random.random(); random.setstate(t)
        print(x == random.random())
        try: np.random.seed(-1)
        except ValueError as error: print(error)
        """
    text = IMPORTS + "\n".join(line.strip() for line in text.splitlines())
    path = written(tmp_path, text)
    assert to_the_end(path)["output"] == alone(path).stdout
