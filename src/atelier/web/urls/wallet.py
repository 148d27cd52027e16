from __future__ import annotations

from django.urls import path

from atelier.web.views import wallet

urlpatterns = [
    path("wallet", wallet.wallet, name="wallet"),
    path("wallet/daily", wallet.claim_daily, name="claim_daily"),
    path("wallet/transfers/<str:transfer_id>", wallet.transfer, name="transfer"),
]
