"""``/api/v2/verify``: was this picture made here? Anyone may ask."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import File, Router
from ninja.files import UploadedFile

from atelier.api.v2 import common
from atelier.media import recognition

router = Router(tags=["verify"])


@router.post("/verify", auth=None, summary="Say whether this site made a picture")
def verify(request: HttpRequest, file: File[UploadedFile]) -> HttpResponse:
    del request
    found = recognition.recognise(file.read())
    return common.json_response(
        {
            "ours": found.is_ours,
            "signs": [
                {"kind": sign.kind, "found": sign.is_found, "text": sign.text}
                for sign in found.signs
            ],
        }
    )
