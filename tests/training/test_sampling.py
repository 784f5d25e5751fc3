"""The batches of an epoch: which examples, how many, and that the estimate is unbiased."""

from itertools import islice, permutations

import numpy as np
import pytest

from optverify.problems import problem
from optverify.training import FullBatch, MiniBatch, OneExample, batches


class Orders:
    """A stand-in for a generator that draws one given permutation."""

    def __init__(self, order):
        self.order = order

    def permutation(self, n):
        return np.array(self.order)


@pytest.mark.parametrize("size", [1, 2, 7, 32, 64, 100, 256, 300, 1000])
@pytest.mark.parametrize("n", [1, 64, 100, 256, 257])
def test_an_epoch_is_a_permutation_cut_into_batches_of_the_size(n, size):
    cut = batches(n, size, np.random.default_rng(0))
    assert sorted(np.concatenate(cut)) == list(range(n))
    assert [len(batch) for batch in cut[:-1]] == [size] * (-(-n // size) - 1)
    assert len(cut[-1]) == (n % size or size)


@pytest.mark.parametrize(
    ("n", "size", "lengths"), [(10, 4, [4, 4]), (8, 4, [4, 4]), (5, 5, [5]), (257, 256, [256])]
)
def test_drop_last_leaves_out_the_short_batch_only(n, size, lengths):
    cut = batches(n, size, np.random.default_rng(0), drop_last=True)
    assert [len(batch) for batch in cut] == lengths
    assert len(np.unique(np.concatenate(cut))) == sum(lengths)


def test_dropped_examples_differ_from_epoch_to_epoch():
    dropped = [
        set(range(10)) - set(np.concatenate(epoch).tolist())
        for epoch in islice(MiniBatch(4, seed=0, drop_last=True).epochs(10), 40)
    ]
    assert set.union(*dropped) == set(range(10))


def test_every_epoch_is_shuffled_anew():
    first, second = (np.concatenate(epoch) for epoch in islice(MiniBatch(32, seed=0).epochs(100), 2))
    assert sorted(first) == sorted(second)
    assert (first != second).any()
    assert (first != np.arange(100)).any()


def test_a_seed_names_its_batches():
    def course(seed):
        return [np.concatenate(epoch).tolist() for epoch in islice(MiniBatch(7, seed=seed).epochs(50), 3)]

    assert course(3) == course(3)
    assert course(3) != course(4)


def test_one_estimator_starts_anew_with_every_run():
    estimator = MiniBatch(7, seed=3)
    first, again = (np.concatenate(next(estimator.epochs(50))).tolist() for _ in range(2))
    assert first == again


def test_one_example_visits_each_example_once_an_epoch():
    epoch = next(OneExample(seed=1).epochs(20))
    assert [len(batch) for batch in epoch] == [1] * 20
    assert sorted(np.concatenate(epoch)) == list(range(20))
    assert np.concatenate(epoch).tolist() != np.concatenate(next(OneExample(seed=2).epochs(20))).tolist()


def test_the_full_batch_is_everything_in_order():
    for epoch in islice(FullBatch().epochs(5), 3):
        assert [batch.tolist() for batch in epoch] == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_gradient_on_each_batch_is_unbiased_over_all_permutations(size):
    """By enumeration of all 5! orders, every batch of an epoch, the short last one too, has the full mean."""
    finite_sum = problem("least_squares")
    few = list(permutations(range(5)))
    theta = np.linspace(-1, 1, finite_sum.dim)
    single = np.array([finite_sum.batch_gradient(theta, i) for i in range(5)])
    full = finite_sum.batch_gradient(theta, np.arange(5))
    for position in range(-(-5 // size)):
        estimates = [single[batches(5, size, Orders(order))[position]].mean(axis=0) for order in few]
        np.testing.assert_allclose(np.mean(estimates, axis=0), full, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        finite_sum.batch_gradient(theta, [3, 1]), single[[3, 1]].mean(axis=0), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MiniBatch(0), ValueError, "MiniBatch: size must be at least 1, got 0"),
        (lambda: MiniBatch(2.0), TypeError, "MiniBatch: size must be an integer, got 2.0"),
        (lambda: MiniBatch(True), TypeError, "MiniBatch: size must be an integer, got True"),
        (lambda: MiniBatch(2, seed=-1), ValueError, "MiniBatch: seed must be at least 0, got -1"),
        (lambda: OneExample(seed="a"), TypeError, "OneExample: seed must be an integer, got 'a'"),
        (lambda: next(FullBatch().epochs(0)), ValueError, "FullBatch: n must be at least 1, got 0"),
        (lambda: batches(0, 4, np.random.default_rng(0)), ValueError, "batches: n must be at least 1, got 0"),
        (
            lambda: batches(10, 11, np.random.default_rng(0), drop_last=True),
            ValueError,
            "batch size 11 is above n = 10, so dropping the short last batch leaves none: "
            "take a smaller batch size or drop_last=False",
        ),
    ],
)
def test_what_does_not_fit_is_named(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message
