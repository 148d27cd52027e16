"""Command line: ``python -m atelier_engine.base_model prepare|codec|denoiser|export|sheet|all``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import torch

from atelier_engine.base_model import run


def main(arguments: list[str] | None = None) -> None:
    """Run one stage of the training, or all of them."""
    parser = argparse.ArgumentParser(
        prog="python -m atelier_engine.base_model", description=__doc__
    )
    parser.add_argument("stage", choices=["prepare", "codec", "denoiser", "export", "sheet", "all"])
    parser.add_argument(
        "--data", type=Path, help="the node_modules folder with the picture packages"
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="where checkpoints live between runs"
    )
    parser.add_argument("--target", type=Path, help="where the finished model is written")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--codec-steps", type=int, default=2000)
    parser.add_argument(
        "--seconds", type=float, default=3765.0, help="training time of the denoiser"
    )
    parser.add_argument("--steps", type=int, help="end the denoiser by steps instead (repeatable)")
    parser.add_argument("--smoke", action="store_true", help="a handful of words, everything tiny")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    settings = run.Settings(
        work=given.work,
        source=given.data or given.work / "node_modules",
        target=given.target,
        codec_steps=given.codec_steps,
        seconds=given.seconds,
        steps=given.steps,
    )
    if given.smoke:
        settings = run.smoke(settings)
    stages = (
        ["prepare", "codec", "denoiser", "export", "sheet"]
        if given.stage == "all"
        else [given.stage]
    )
    for stage in stages:
        figures = run.STAGES[stage](settings)
        sys.stdout.write(json.dumps({"stage": stage, **figures}) + "\n")


if __name__ == "__main__":
    main()
