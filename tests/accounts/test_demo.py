from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.factories import accounts as make

from atelier.accounts import demo
from atelier.accounts import services as accounts
from atelier.core.errors import Unauthenticated

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_closed_demo_accounts_cannot_be_used_in_any_way(client: Client) -> None:
    known = make.user("demo_ada", is_demo=True)
    other = make.user("ada")
    token = make.token(known)
    client.force_login(known, backend="django.contrib.auth.backends.ModelBackend")

    assert demo.set_open(is_open=False) == 1
    assert not client.login(username="demo_ada", password=make.PASSWORD)
    with pytest.raises(Unauthenticated):
        accounts.authenticate_token(text=token)
    known.refresh_from_db()
    other.refresh_from_db()
    assert (known.is_active, other.is_active) == (False, True)
    assert client.login(username="ada", password=make.PASSWORD)

    assert demo.set_open(is_open=False) == 0
    assert demo.set_open(is_open=True) == 1
    assert client.login(username="demo_ada", password=make.PASSWORD)
