"""The whole story over ``/api/v2``, with an HTTP client only."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.factories import photographs
from tests.journeys.client import Client

if TYPE_CHECKING:
    from tests.journeys.conftest import RunningSite

pytestmark = pytest.mark.journey
ENDED = {"completed", "failed", "cancelled", "refused"}


def _deadline() -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).isoformat()  # noqa: TID251 -- a client has its own clock


def test_bounty_training_award_generation_post(  # noqa: PLR0915 -- one story, told in order
    empty_site: RunningSite,
) -> None:
    site = empty_site
    buyer = Client(site.address, site.join("api_buyer"))
    site.operator("user", "credit", "api_buyer", "5000", "--reason", "Story")
    maker = Client(site.address, site.join("api_maker", sparks=1000))
    visitor = Client(site.address, site.join("api_visitor"))
    assert buyer.get("/api/v2/wallet")["available"] == 5100

    # A bounty: the stake moves into its escrow.
    references = [buyer.upload(photographs.drawing(seed)) for seed in (90, 91)]
    bounty = buyer.post(
        "/api/v2/bounties",
        {
            "title": "A LoRA of our fox",
            "description": "A small drawn fox, friendly, flat colours.",
            "kind": "lora",
            "amount": 1500,
            "deadline": _deadline(),
            "images": references,
            "tags": ["mascot"],
            "rule": "refund",
        },
    )
    assert (bounty["status"], bounty["amount"], bounty["escrow"]) == ("open", 1500, 1500)
    assert buyer.get("/api/v2/wallet")["available"] == 3600

    # A training: twelve drawings, held Sparks, epochs with samples.
    drawings = [maker.upload(photographs.drawing(seed)) for seed in range(12)]
    order = {
        "name": "Fox by Maker",
        "images": drawings,
        "captions": ["zorrofox"] * 12,
        "trigger_word": "zorrofox",
        "epochs": 2,
    }
    quoted = maker.post("/api/v2/trainings?dry_run=1", order, status=200)
    assert quoted["cost"] == 500
    training = maker.post("/api/v2/trainings", order)
    assert maker.get("/api/v2/wallet")["held"] == 500
    path = f"/api/v2/trainings/{training['id']}"
    trained = maker.until(path, lambda one: one["status"] in ENDED)
    assert trained["status"] == "completed", trained
    assert [epoch["number"] for epoch in trained["epochs"]] == [1, 2]
    assert all(epoch["samples"] for epoch in trained["epochs"])
    assert maker.get("/api/v2/wallet")["held"] == 0
    assert maker.get("/api/v2/wallet")["available"] == 600

    # The picked epoch is a version, and the version an entry: samples visible, file locked.
    version = maker.post(f"{path}/epochs/2/version")
    entry = maker.post(
        f"/api/v2/bounties/{bounty['id']}/entries",
        {"description": "Twelve drawings, two epochs.", "version": version["id"]},
    )
    assert entry["status"] == "submitted"
    download = f"/api/download/models/{version['id']}"
    for person in (buyer, visitor, Client(site.address)):
        assert person.http.get(download).status_code in {401, 403, 404}

    # The award: refused to strangers, paid once, unlocked and published.
    award = f"/api/v2/bounties/{bounty['id']}/entries/{entry['id']}/award"
    assert visitor.post(award, status=403)["code"] == "not_owner"
    assert maker.post(award, status=403)["code"] == "not_owner"
    awarded = buyer.post(award, status=200)
    assert set(awarded) >= {"entry", "transfer", "model", "version", "status"}
    assert buyer.post(award, status=409)["code"] == "already_awarded"
    assert maker.get("/api/v2/wallet")["available"] == 2100
    fetched = buyer.http.get(download, follow_redirects=True)
    assert fetched.status_code == 200
    shown = visitor.get(f"/api/v1/model-versions/{version['id']}")
    hashes = shown["files"][0]["hashes"]
    assert hashes["SHA256"].lower() == hashlib.sha256(fetched.content).hexdigest()
    assert shown["trainedWords"] == ["zorrofox"]
    assert shown["images"]

    # A generation with the base and that LoRA.
    before = visitor.get("/api/v2/wallet")["available"]
    generation = visitor.post(
        "/api/v2/generations",
        {
            "prompt": "zorrofox",
            "negative_prompt": "",
            "resources": [{"version": version["id"], "strength": 0.8}],
            "steps": 20,
            "cfg_scale": 4,
            "seed": 11,
            "quantity": 4,
        },
    )
    assert generation["cost"] == 8
    made = visitor.until(
        f"/api/v2/generations/{generation['id']}", lambda one: one["status"] in ENDED
    )
    assert made["status"] == "completed", made
    assert [picture["seed"] for picture in made["images"]] == [11, 12, 13, 14]
    assert visitor.get("/api/v2/wallet")["available"] == before - 8
    png = visitor.http.get(made["images"][0]["url"], follow_redirects=True)
    with Image.open(io.BytesIO(png.content)) as picture:
        assert picture.format == "PNG"
        assert "zorrofox" in picture.info["parameters"]
        assert "Steps: 20" in picture.info["parameters"]

    # Two of them posted: the post tells all, the model's gallery shows it.
    post = visitor.post(
        "/api/v2/posts",
        {"title": "My foxes", "images": [{"media": one["media"]} for one in made["images"][:2]]},
    )
    assert len(post["images"]) == 2
    listed = visitor.get(f"/api/v1/images?modelVersionId={version['id']}&limit=50&withMeta=true")
    assert visitor.get("/api/v2/wallet")["available"] >= before - 8
    prompts = [image["meta"]["prompt"] for image in listed["items"] if image["meta"]]
    assert "zorrofox" in prompts

    # Every movement has its reason, and the books agree.
    moved = buyer.get("/api/v2/wallet/transfers?limit=100")["items"]
    assert sorted(line["amount"] for line in moved) == [-1500, 100, 5000]
    assert all(line["reason"] for line in moved)
    verified = json.loads(site.operator("ledger", "verify", "--json"))
    assert (verified["ok"], verified["differences"]) == (True, 0)


def test_photographs_of_a_real_woman_are_refused(empty_site: RunningSite) -> None:
    site = empty_site
    stranger = Client(site.address, site.join("api_stranger", sparks=5000))
    photos = [
        stranger.upload(photographs.real_woman(number, form="JPEG"), f"{number}.jpg")
        for number in range(6)
    ]
    refused = stranger.post(
        "/api/v2/bounties",
        {
            "title": "A model of this lady",
            "description": "Twenty pictures attached.",
            "kind": "lora",
            "amount": 1500,
            "deadline": _deadline(),
            "images": photos,
            "tags": [],
            "rule": "refund",
        },
        status=403,
    )
    assert refused["code"] == "likeness_consent_required"
    assert "consent" in refused["detail"]
    refused = stranger.post(
        "/api/v2/trainings",
        {
            "name": "Her",
            "images": photos,
            "captions": ["her"] * 6,
            "trigger_word": "herface",
            "epochs": 2,
        },
        status=403,
    )
    assert refused["code"] == "likeness_consent_required"
    assert stranger.get("/api/v2/wallet") == {
        "available": 5100,
        "held": 0,
        "earned": 5100,
        "bought": 0,
        "income": 0,
    }
    assert stranger.get("/api/v2/trainings")["items"] == []
    mine = stranger.get("/api/v2/bounties?limit=100")["items"]
    assert all(one["title"] != "A model of this lady" for one in mine)
    # Nobody else can open what was uploaded.
    other = Client(site.address, site.join("api_onlooker"))
    for photo in photos:
        assert other.http.get(f"/media/{photo}/320.webp").status_code == 404
