from __future__ import annotations

import io
import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from atelier_engine import metadata
from atelier_engine.metadata import Resource, Settings

FULL = Settings(
    prompt='a "small" fox: in snow, ü',
    negative_prompt="blurry, text",
    steps=20,
    sampler="DPM++ 2M Karras",
    cfg_scale=4.5,
    seed=2**62 + 1,
    width=256,
    height=320,
    clip_skip=2,
    model="Atelier Base",
    model_hash="0123456789",
    resources=(
        Resource("lora", "foxel", "abcdef0123", None, 12, 0.8),
        Resource("lora", "snow", None, "urn:air:sd1:lora:civitai:7@9", None, 1.0),
    ),
    generator="Atelier",
)


def png(**texts: str) -> bytes:
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_itxt(key, value, zip=key == "prompt")
    Image.new("RGB", (8, 8), "red").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def test_what_is_written_is_read_back_whole_and_no_pixel_changes() -> None:
    plain = png(parameters="old", Comment="stays")
    written = metadata.write_png(plain, FULL, facts={"work": "w1"})
    assert metadata.read(written) == FULL
    with Image.open(io.BytesIO(written)) as opened, Image.open(io.BytesIO(plain)) as before:
        opened.load()
        assert isinstance(opened, PngImagePlugin.PngImageFile)
        assert opened.tobytes() == before.tobytes()
        assert opened.text["Comment"] == "stays"
        assert opened.text["parameters"].count("Steps: 20") == 1
        assert json.loads(opened.text["atelier"])["facts"] == {"work": "w1"}


def test_the_text_alone_tells_nearly_as_much() -> None:
    found = metadata.from_text(metadata.as_text(FULL))
    assert found is not None
    assert found.prompt == f"{FULL.prompt} <lora:foxel:0.8> <lora:snow:1>"
    assert found.negative_prompt == FULL.negative_prompt
    assert (found.steps, found.sampler, found.cfg_scale) == (20, "DPM++ 2M Karras", 4.5)
    assert (found.seed, found.width, found.height) == (2**62 + 1, 256, 320)
    assert (found.clip_skip, found.model, found.model_hash) == (2, "Atelier Base", "0123456789")
    loras = {resource.name: resource for resource in found.resources if resource.kind == "lora"}
    assert loras["foxel"] == FULL.resources[0]
    assert loras["snow"] == FULL.resources[1]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_formats_carry_the_text_as_a_comment(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind, exif=metadata.exif(FULL))
    found = metadata.read(out.getvalue())
    assert found is not None
    assert found.prompt.startswith(FULL.prompt)
    assert found.seed == FULL.seed


def test_text_of_the_common_web_interface_is_read() -> None:
    text = (
        "portrait of a fox <lora:inkStyle:0.65>,\nin a forest\n"
        "Negative prompt: bad, worse\nstill negative\n"
        "Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 123456789012, "
        "Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned, Clip skip: 2, Lora hashes: "
        '"inkStyle: aabbccddeeff", TI hashes: "easyneg: 11223344", Hashes: {"model": "6ce0161689", '
        '"lora:inkStyle": "aabbccddee"}, Civitai resources: [{"type":"checkpoint",'
        '"modelVersionId":691639,"modelName":"FLUX","modelVersionName":"Dev"}, {"type":"lora",'
        '"weight":0.6,"air":"urn:air:flux1:lora:civitai:1@2"}], Version: v1.10.1'
    )
    found = metadata.read(png(parameters=text))
    assert found is not None
    assert found.prompt == "portrait of a fox <lora:inkStyle:0.65>,\nin a forest"
    assert found.negative_prompt == "bad, worse\nstill negative"
    assert (found.sampler, found.steps, found.cfg_scale) == ("DPM++ 2M Karras", 30, 7.0)
    assert (found.seed, found.width, found.height) == (123456789012, 512, 768)
    assert found.generator == "v1.10.1"
    assert Resource("lora", "inkStyle", "aabbccddee", None, None, 0.65) in found.resources
    assert Resource("embedding", "easyneg", "11223344") in found.resources
    assert Resource("checkpoint", "FLUX", None, None, 691639) in found.resources
    air = "urn:air:flux1:lora:civitai:1@2"
    assert Resource("lora", None, None, air, None, 0.6) in found.resources


def test_swarm_and_comfy_are_read() -> None:
    swarm = {"sui_image_params": {"prompt": "fox", "steps": 9, "seed": 4, "loras": ["a"]}}
    found = metadata.read(png(parameters=json.dumps(swarm)))
    assert found is not None
    assert (found.prompt, found.steps, found.seed) == ("fox", 9, 4)
    assert [resource.name for resource in found.resources] == ["a"]
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "base.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a comfy fox", "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["1", 1]}},
        "4": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 5,
                "steps": 12,
                "cfg": 6.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "model": ["1", 0],
                "positive": ["2", 0],
                "negative": ["3", 0],
            },
        },
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0]}},
    }
    comfy = metadata.read(png(prompt=json.dumps(graph), workflow='{"nodes": [], "links": []}'))
    assert comfy is not None
    assert (comfy.prompt, comfy.negative_prompt) == ("a comfy fox", "ugly")
    assert (comfy.steps, comfy.seed, comfy.cfg_scale) == (12, 5, 6.0)
    assert comfy.generator == "ComfyUI"


def _text_chunk(body: bytes, kind: bytes = b"tEXt") -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


PLAIN = png()
HEAD, TAIL = PLAIN[:33], PLAIN[33:]
BOMB = b"parameters\0\0" + zlib.compress(b"Steps: 1, " * 5_000_000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        PLAIN,
        PLAIN[:40],
        HEAD + b"\xff\xff\xff\xfftEXtparameters\0x",
        HEAD + _text_chunk(BOMB, b"zTXt") + TAIL,
        HEAD + _text_chunk(b"parameters\0\0not zlib", b"zTXt") + TAIL,
        HEAD + _text_chunk(b"atelier\0" + b"[" * 100_000) + TAIL,
        HEAD + _text_chunk(b"atelier\0" + b'{"version":1,"seed":' + b"9" * 9_999 + b"}") + TAIL,
        HEAD + _text_chunk(b"parameters\0" + b"a: " * 80_000) + TAIL,
        HEAD + _text_chunk(b"parameters\0Steps: 1, " + b"[" * 50_000 + b", Seed: 1, A: 2") + TAIL,
        HEAD + _text_chunk(b"parameters\0" + b"<lora:" * 40_000) + TAIL,
        HEAD + _text_chunk(b"prompt\0" + b'{"1":' * 5_000) + TAIL,
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0" + b"\0" * 400,
        b"RIFF\xff\xff\xff\xffWEBPVP8X",
    ],
)
def test_hostile_files_say_nothing_harmful(data: bytes) -> None:
    found = metadata.read(data)
    if found is not None:
        assert len(found.prompt) <= 256 * 1024
        assert len(found.resources) <= 64
        assert found.seed is None or found.seed < 2**63


def test_wrong_types_in_our_own_record_are_left_out() -> None:
    record = {
        "version": 1,
        "prompt": ["x"],
        "steps": True,
        "seed": "1e400",
        "cfg_scale": "nan",
        "resources": [7, {"kind": "lora", "name": {"a": 1}, "strength": "0.5"}],
    }
    found = metadata.read(HEAD + _text_chunk(b"atelier\0" + json.dumps(record).encode()) + TAIL)
    assert found == Settings(resources=(Resource("lora", strength=0.5),))


def test_only_a_png_takes_chunks() -> None:
    with pytest.raises(metadata.NotAPngError):
        metadata.write_png(b"\xff\xd8\xff", FULL)
