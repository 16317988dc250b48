"""GPT-2 with as little of torch.nn as will do: the published layout as it is, AdamW and checkpoints by hand."""

import collections
import json
import math
import os
import shutil

import numpy as np
import torch


class GPTConfig(collections.namedtuple("Sizes", "vocab_size block_size n_layer n_head n_embd")):
    def __new__(cls, vocab_size=50257, block_size=1024, n_layer=12, n_head=12, n_embd=768):
        return super().__new__(cls, vocab_size, block_size, n_layer, n_head, n_embd)


# ---- model -----------------------------------------------------------------------------------------------------------


def published_shapes(c):
    C = c.n_embd
    yield "wte.weight", (c.vocab_size, C)
    yield "wpe.weight", (c.block_size, C)
    for layer in range(c.n_layer):
        for norm in ("ln_1", "ln_2"):
            yield f"h.{layer}.{norm}.weight", (C,)
            yield f"h.{layer}.{norm}.bias", (C,)
        linears = {"attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C), "mlp.c_fc": (C, 4 * C), "mlp.c_proj": (4 * C, C)}
        for name, (fan_in, fan_out) in linears.items():
            yield f"h.{layer}.{name}.weight", (fan_in, fan_out)
            yield f"h.{layer}.{name}.bias", (fan_out,)
    yield "ln_f.weight", (C,)
    yield "ln_f.bias", (C,)


class GPT(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.order = [name for name, _ in published_shapes(config)]
        self.numbers = torch.nn.ParameterList()
        for name, shape in published_shapes(config):
            std = 0.02 / (2 * config.n_layer) ** 0.5 if name.endswith("c_proj.weight") else 0.02
            if len(shape) == 2:
                value = torch.randn(shape) * std
            else:
                value = torch.full(shape, 1.0 if name.endswith("weight") else 0.0)
            self.numbers.append(torch.nn.Parameter(value))

    def get(self, name):
        return self.numbers[self.order.index(name)]

    def norm(self, x, name):
        mean = x.mean(-1, keepdim=True)
        variance = (x - mean).square().mean(-1, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + 1e-5) * self.get(name + ".weight") + self.get(name + ".bias")

    def linear(self, x, name):
        return x @ self.get(name + ".weight") + self.get(name + ".bias")

    def attention(self, x, layer):
        T, C = x.shape[-2:]
        D = C // self.config.n_head
        hidden = torch.ones(T, T, device=x.device).triu(1).bool()
        q, k, v = self.linear(x, f"h.{layer}.attn.c_attn").chunk(3, dim=-1)
        heads = []
        for h in range(self.config.n_head):
            own = slice(h * D, (h + 1) * D)
            scores = q[..., own] @ k[..., own].mT / math.sqrt(D)
            weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
            heads.append(weights @ v[..., own])
        return self.linear(torch.cat(heads, dim=-1), f"h.{layer}.attn.c_proj")

    def mlp(self, x, layer):
        u = self.linear(x, f"h.{layer}.mlp.c_fc")
        u = 0.5 * u * (1 + torch.tanh((2 / math.pi) ** 0.5 * (u + 0.044715 * u**3)))
        return self.linear(u, f"h.{layer}.mlp.c_proj")

    def forward(self, idx, targets=None):
        x = self.get("wte.weight")[idx] + self.get("wpe.weight")[: idx.size(1)]
        for layer in range(self.config.n_layer):
            x = x + self.attention(self.norm(x, f"h.{layer}.ln_1"), layer)
            x = x + self.mlp(self.norm(x, f"h.{layer}.ln_2"), layer)
        logits = self.norm(x, "ln_f") @ self.get("wte.weight").mT
        loss = None
        if targets is not None:
            picked = logits.log_softmax(-1).gather(-1, targets.unsqueeze(-1))
            loss = -picked.mean()
        return logits, loss


def load_gpt2_weights(model, tensors):
    with torch.no_grad():
        for name, number in zip(model.order, model.numbers, strict=True):
            number[...] = tensors[name]


# ---- optimization ----------------------------------------------------------------------------------------------------


class DecoupledAdam(torch.optim.Optimizer):
    def __init__(self, groups, lr, betas):
        super().__init__(groups, {"lr": lr, "betas": tuple(betas), "eps": 1e-8, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            low, high = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(steps=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
                state["steps"] += 1
                state["mean"].mul_(low).add_(p.grad, alpha=1 - low)
                state["square"].mul_(high).addcmul_(p.grad, p.grad, value=1 - high)
                mean = state["mean"] / (1 - low ** state["steps"])
                square = state["square"] / (1 - high ** state["steps"])
                p -= group["lr"] * group["weight_decay"] * p
                p -= group["lr"] * mean / (square.sqrt() + group["eps"])


def make_optimizer(model, weight_decay, learning_rate, betas):
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    return DecoupledAdam([{"params": decayed, "weight_decay": weight_decay}, {"params": others}], learning_rate, betas)


def learning_rate(step, max_lr, min_lr, warmup_steps, max_steps):
    if step >= max(warmup_steps, max_steps):
        return min_lr
    if step < warmup_steps:
        return (step + 1) * max_lr / warmup_steps
    angle = math.pi * (step - warmup_steps) / (max_steps - warmup_steps)
    return (max_lr + min_lr) / 2 + math.cos(angle) * (max_lr - min_lr) / 2


def train_step(model, optimizer, micro_batches, max_norm):
    parameters = list(model.parameters())
    sums = [torch.zeros_like(p) for p in parameters]
    losses = []
    for x, y in micro_batches:
        loss = model(x, y)[1]
        losses.append(float(loss))
        for total, gradient in zip(sums, torch.autograd.grad(loss, parameters), strict=True):
            total += gradient / len(micro_batches)
    norm = math.sqrt(sum(float(total.double().square().sum()) for total in sums))
    for p, total in zip(parameters, sums, strict=True):
        p.grad = total * (max_norm / norm) if norm > max_norm else total
    optimizer.step()
    return {"loss": np.mean(losses), "grad_norm": norm}


# ---- data ------------------------------------------------------------------------------------------------------------


class TokenShards:
    def __init__(self, paths, batch_size, seq_len, rank=0, world_size=1):
        self.paths = list(paths)
        self.lengths = [int(np.fromfile(path, dtype="<i4", count=3)[2]) for path in self.paths]
        self.B, self.T, self.world_size = batch_size, seq_len, world_size
        # Where the next window begins: shard and place in it.
        self.shard, self.place = 0, 0
        self.skip(rank * batch_size * seq_len)

    def skip(self, count):
        self.place += count
        while self.place >= self.lengths[self.shard]:
            self.place -= self.lengths[self.shard]
            self.shard = (self.shard + 1) % len(self.paths)

    def next_batch(self):
        wanted = self.B * self.T + 1
        tokens, shard, place = [], self.shard, self.place
        while len(tokens) < wanted:
            count = min(wanted - len(tokens), self.lengths[shard] - place)
            tokens.extend(np.fromfile(self.paths[shard], dtype="<u2", count=count, offset=1024 + 2 * place).tolist())
            shard, place = (shard + 1) % len(self.paths), 0
        self.skip(self.world_size * self.B * self.T)
        x, y = torch.tensor(tokens[:-1]), torch.tensor(tokens[1:])
        return x.reshape(self.B, self.T), y.reshape(self.B, self.T)

    def state_dict(self):
        return (self.shard, self.place)

    def load_state_dict(self, state):
        self.shard, self.place = state


# ---- evaluation ------------------------------------------------------------------------------------------------------


@torch.no_grad()
def choose_ending(model, context_ids, endings_ids):
    # All endings in one batch, the shorter ones filled up behind; what is behind cannot be seen.
    longest = max(map(len, endings_ids))
    rows = [[*context_ids, *ending, *[0] * (longest - len(ending))] for ending in endings_ids]
    tokens = torch.tensor(rows)
    likelihood = model(tokens)[0].log_softmax(-1)
    scores = []
    for row, ending in enumerate(endings_ids):
        total = 0.0
        for place, token in enumerate(ending, start=len(context_ids)):
            total += likelihood[row, place - 1, token].item()
        scores.append(total / len(ending))
    return int(np.argmax(scores))


# ---- training --------------------------------------------------------------------------------------------------------


def train(token_dir, out_dir, config, seed, max_steps, **settings):
    chosen = {
        "batch_size": 4,
        "seq_len": config.block_size,
        "accumulation": 1,
        "max_lr": 6e-4,
        "min_lr": 6e-5,
        "warmup_steps": 10,
        "weight_decay": 0.1,
        "betas": (0.9, 0.95),
        "max_norm": 1.0,
        "checkpoint_every": 100,
        **settings,
    }
    torch.manual_seed(seed)
    model = GPT(config)
    optimizer = make_optimizer(model, chosen["weight_decay"], chosen["max_lr"], chosen["betas"])
    names = sorted(name for name in os.listdir(token_dir) if "_train_" in name and name.endswith(".bin"))
    paths = [os.path.join(token_dir, name) for name in names]
    shards = TokenShards(paths, chosen["batch_size"], chosen["seq_len"])

    os.makedirs(out_dir, exist_ok=True)
    done = saved_steps(out_dir)
    if done:
        restore(os.path.join(out_dir, f"step_{done[-1]}"), model, optimizer, shards)
    else:
        save(out_dir, 0, model, optimizer, shards)
    for step in range(done[-1] if done else 0, max_steps):
        rate = learning_rate(step, chosen["max_lr"], chosen["min_lr"], chosen["warmup_steps"], max_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batches = [shards.next_batch() for _ in range(chosen["accumulation"])]
        train_step(model, optimizer, batches, chosen["max_norm"])
        if (step + 1) % chosen["checkpoint_every"] == 0 or step + 1 == max_steps:
            save(out_dir, step + 1, model, optimizer, shards)


def saved_steps(out_dir):
    names = [name.removeprefix("step_") for name in os.listdir(out_dir) if name.startswith("step_")]
    return sorted(int(name) for name in names if name.isdigit())


def save(out_dir, step, model, optimizer, shards):
    """A folder per checkpoint, which gets its name when it is whole; only the last one stays."""
    unfinished = os.path.join(out_dir, "unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    os.makedirs(unfinished)
    arrays = {}
    for index, p in enumerate(model.parameters()):
        state = optimizer.state.get(p) or {"mean": torch.zeros_like(p), "square": torch.zeros_like(p)}
        for name, tensor in (("p", p.detach()), ("mean", state["mean"]), ("square", state["square"])):
            arrays[f"{name}{index}"] = tensor.numpy()
    np.savez(os.path.join(unfinished, "arrays.npz"), **arrays)
    with open(os.path.join(unfinished, "facts.json"), "w") as file:
        json.dump({"config": list(model.config), "steps": step, "shards": shards.state_dict()}, file)
    earlier = saved_steps(out_dir)
    os.rename(unfinished, os.path.join(out_dir, f"step_{step}"))
    for one in earlier:
        shutil.rmtree(os.path.join(out_dir, f"step_{one}"))


def restore(folder, model, optimizer=None, shards=None):
    with open(os.path.join(folder, "facts.json")) as file:
        facts = json.load(file)
    arrays = np.load(os.path.join(folder, "arrays.npz"))
    for index, p in enumerate(model.parameters()):
        p.data.copy_(torch.from_numpy(arrays[f"p{index}"]))
        if optimizer is not None and facts["steps"]:
            moments = {name: torch.from_numpy(arrays[f"{name}{index}"]) for name in ("mean", "square")}
            optimizer.state[p].update(steps=facts["steps"], **moments)
    if shards is not None:
        shards.load_state_dict(facts["shards"])


def load_model(out_dir):
    folder = os.path.join(out_dir, f"step_{saved_steps(out_dir)[-1]}")
    with open(os.path.join(folder, "facts.json")) as file:
        model = GPT(GPTConfig(*json.load(file)["config"]))
    restore(folder, model)
    return model
