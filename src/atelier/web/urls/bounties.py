from __future__ import annotations

from django.urls import path

from atelier.web.views import bounties, bounty_acts

_ONE = "bounties/<str:bounty_id>"
_ENTRY = f"{_ONE}/entries/<str:entry_id>"

urlpatterns = [
    path("bounties", bounties.index, name="bounties"),
    path("bounties/new", bounties.new, name="bounty_new"),
    path(_ONE, bounties.detail, name="bounty"),
    path(f"{_ONE}/edit", bounties.edit, name="bounty_edit"),
    path(f"{_ONE}/enter", bounty_acts.enter, name="bounty_enter"),
    path(f"{_ONE}/contribute", bounty_acts.contribute, name="bounty_contribute"),
    path(f"{_ONE}/extend", bounty_acts.extend, name="bounty_extend"),
    path(f"{_ONE}/cancel", bounty_acts.cancel, name="bounty_cancel"),
    path(f"{_ONE}/dispute", bounty_acts.dispute, name="bounty_dispute"),
    path(f"{_ONE}/contributions/<str:contribution_id>/give", bounty_acts.give, name="bounty_give"),
    path(f"{_ENTRY}/award", bounty_acts.award, name="bounty_award"),
    path(f"{_ENTRY}/shortlist", bounty_acts.shortlist, name="bounty_shortlist"),
    path(f"{_ENTRY}/withdraw", bounty_acts.withdraw, name="bounty_withdraw"),
]
