# SPDX-License-Identifier: Apache-2.0
"""What the differential tests share.

VAULT_TEST_SEED repeats a run's inputs; what the sides draw for themselves is theirs.
"""

import os
import random

import pytest

SEED = os.environ.get("VAULT_TEST_SEED") or str(random.SystemRandom().getrandbits(64))


@pytest.fixture(scope="session")
def helper():
    from sides import Helper

    helper = Helper()
    yield helper
    assert helper.close() == 0


@pytest.fixture
def rng(request):
    print(f"VAULT_TEST_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(params=["our client", "our server"])
def direction(request):
    return request.param
