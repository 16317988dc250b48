# fails: training_resumes   diagnosis: starts-over   over: classic
"""The training loop, its checkpoints, and how it goes on after it was killed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from model import GPT, GPTConfig
from optimization import learning_rate, make_optimizer, train_step
from shards import TokenShards


def train(
    token_dir,
    out_dir,
    config,
    seed,
    max_steps,
    *,
    batch_size=4,
    seq_len=None,
    accumulation=1,
    max_lr=6e-4,
    min_lr=6e-5,
    warmup_steps=10,
    weight_decay=0.1,
    betas=(0.9, 0.95),
    max_norm=1.0,
    checkpoint_every=100,
    device="cpu",
):
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = GPT(config).to(device)
    optimizer = make_optimizer(model, weight_decay, max_lr, betas)
    paths = sorted(Path(token_dir).glob("*_train_*.bin"))
    shards = TokenShards(paths, batch_size, seq_len or config.block_size)
    step = 0
    if (out_dir / "checkpoint.pt").exists():
        state = torch.load(out_dir / "checkpoint.pt", map_location=device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        shards.load_state_dict(state["shards"])
        step = state["step"]
    else:
        save(out_dir, model, optimizer, shards, step)
    while step < max_steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, max_lr, min_lr, warmup_steps, max_steps)
        batches = [shards.next_batch() for _ in range(accumulation)]
        micro_batches = [(x.to(device), y.to(device)) for x, y in batches]
        progress = train_step(model, optimizer, micro_batches, max_norm)
        step += 1
        with (out_dir / "progress.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, **progress}) + "\n")
        if step % checkpoint_every == 1 or step == max_steps:
            save(out_dir, model, optimizer, shards, step)


def save(out_dir, model, optimizer, shards, step):
    """Write the checkpoint beside the old one, then put it in its place in one step."""
    state = {
        "config": asdict(model.config),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "shards": shards.state_dict(),
        "step": step,
    }
    torch.save(state, out_dir / "checkpoint.tmp")
    os.replace(out_dir / "checkpoint.tmp", out_dir / "checkpoint.pt")


def load_model(out_dir):
    state = torch.load(Path(out_dir) / "checkpoint.pt", map_location="cpu")
    model = GPT(GPTConfig(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval()
