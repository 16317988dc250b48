"""GPT-2 with one tensor per role for all layers together, einsum throughout, closures in place of classes."""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import einsum, nn


def GPTConfig(vocab_size=50257, block_size=1024, n_layer=12, n_head=12, n_embd=768):
    return SimpleNamespace(vocab_size=vocab_size, block_size=block_size, n_layer=n_layer, n_head=n_head, n_embd=n_embd)


# role: (published name, shape behind the layers). L layers, C channels, H heads, D channels of a head, 3 = q, k, v.
def roles(c):
    C, H, D = c.n_embd, c.n_head, c.n_embd // c.n_head
    return {
        "gain_1": ("ln_1.weight", (C,)),
        "shift_1": ("ln_1.bias", (C,)),
        "w_qkv": ("attn.c_attn.weight", (C, 3, H, D)),
        "b_qkv": ("attn.c_attn.bias", (3, H, D)),
        "w_out": ("attn.c_proj.weight", (H, D, C)),
        "b_out": ("attn.c_proj.bias", (C,)),
        "gain_2": ("ln_2.weight", (C,)),
        "shift_2": ("ln_2.bias", (C,)),
        "w_up": ("mlp.c_fc.weight", (C, 4 * C)),
        "b_up": ("mlp.c_fc.bias", (4 * C,)),
        "w_down": ("mlp.c_proj.weight", (4 * C, C)),
        "b_down": ("mlp.c_proj.bias", (C,)),
    }


MATRICES = ("tokens", "places", "w_qkv", "w_out", "w_up", "w_down")


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = c = config
        residual = 0.02 * (2 * c.n_layer) ** -0.5
        self.tokens = nn.Parameter(torch.empty(c.vocab_size, c.n_embd).normal_(0, 0.02))
        self.places = nn.Parameter(torch.empty(c.block_size, c.n_embd).normal_(0, 0.02))
        for role, (_, shape) in roles(c).items():
            value = torch.empty(c.n_layer, *shape)
            if role in MATRICES:
                value.normal_(0, residual if role in ("w_out", "w_down") else 0.02)
            else:
                value.fill_(1.0 if role.startswith("gain") else 0.0)
            setattr(self, role, nn.Parameter(value))
        self.gain_f = nn.Parameter(torch.ones(c.n_embd))
        self.shift_f = nn.Parameter(torch.zeros(c.n_embd))

    def forward(self, idx, targets=None):
        T = idx.shape[1]
        future = torch.full((T, T), float("-inf"), device=idx.device).triu(1)
        x = self.tokens[idx] + self.places[:T]
        for layer in range(self.config.n_layer):
            w = SimpleNamespace(**{role: getattr(self, role)[layer] for role in roles(self.config)})
            a = nn.functional.layer_norm(x, x.shape[-1:], w.gain_1, w.shift_1)
            q, k, v = einsum("btc,cnhd->nbhtd", a, w.w_qkv) + w.b_qkv[:, None, :, None]
            p = torch.softmax(einsum("bhtd,bhsd->bhts", q * q.shape[-1] ** -0.5, k) + future, dim=-1)
            x = x + einsum("bhts,bhsd,hdc->btc", p, v, w.w_out) + w.b_out
            a = nn.functional.layer_norm(x, x.shape[-1:], w.gain_2, w.shift_2)
            u = nn.functional.gelu(einsum("btc,cu->btu", a, w.w_up) + w.b_up, approximate="tanh")
            x = x + einsum("btu,uc->btc", u, w.w_down) + w.b_down
        x = nn.functional.layer_norm(x, x.shape[-1:], self.gain_f, self.shift_f)
        logits = einsum("btc,vc->btv", x, self.tokens)
        if targets is None:
            return logits, None
        return logits, nn.functional.cross_entropy(logits.transpose(1, 2), targets)


def load_gpt2_weights(model, tensors):
    tensors = {name.removeprefix("transformer."): value for name, value in tensors.items()}
    alone = {"tokens": "wte.weight", "places": "wpe.weight", "gain_f": "ln_f.weight", "shift_f": "ln_f.bias"}
    for mine, theirs in alone.items():
        getattr(model, mine).data.copy_(tensors[theirs])
    for role, (name, shape) in roles(model.config).items():
        for layer in range(model.config.n_layer):
            getattr(model, role).data[layer] = tensors[f"h.{layer}.{name}"].reshape(shape)


def make_optimizer(model, weight_decay, learning_rate, betas):
    groups = {weight_decay: [], 0.0: []} if weight_decay else {0.0: []}
    for name, parameter in model.named_parameters():
        groups[weight_decay if name in MATRICES else 0.0].append(parameter)
    groups = [{"params": parameters, "weight_decay": decay} for decay, parameters in groups.items()]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=tuple(betas))


def learning_rate(step, max_lr, min_lr, warmup_steps, max_steps):
    warm = max_lr * min(step + 1, warmup_steps) / max(warmup_steps, 1)
    after = min(max(step - warmup_steps, 0) / max(max_steps - warmup_steps, 1), 1.0)
    if step >= max_steps:
        after = 1.0
    cosine = min_lr + (max_lr - min_lr) * math.cos(after * math.pi / 2) ** 2
    return warm if step < warmup_steps else cosine


def train_step(model, optimizer, micro_batches, max_norm):
    # Equal sizes: the mean of the micro-batches' means is the mean over all of them.
    optimizer.zero_grad(set_to_none=False)
    loss = torch.stack([model(x, y)[1] for x, y in micro_batches]).mean()
    loss.backward()
    norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in model.parameters()]))
    scale = torch.clamp(max_norm / norm, max=1.0)
    for p in model.parameters():
        p.grad *= scale
    optimizer.step()
    optimizer.zero_grad()
    return {"loss": loss.detach(), "grad_norm": norm}


class TokenShards:
    def __init__(self, paths, batch_size, seq_len, rank=0, world_size=1):
        blobs = [Path(path).read_bytes()[1024:] for path in paths]
        self.stream = torch.frombuffer(bytearray(b"".join(blobs)), dtype=torch.int16).long() & 0xFFFF
        self.size = (batch_size, seq_len)
        self.turn = (rank, world_size)
        self.done = 0

    def next_batch(self):
        B, T = self.size
        rank, world_size = self.turn
        first = (self.done * world_size + rank) * B * T
        x = (torch.arange(first, first + B * T) % len(self.stream)).view(B, T)
        self.done += 1
        return self.stream[x], self.stream[(x + 1) % len(self.stream)]

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, state):
        self.__dict__.update(state)


def choose_ending(model, context_ids, endings_ids):
    def loss(ending):
        x = torch.tensor([(context_ids + ending)[:-1]])
        y = torch.tensor([[-100] * (len(context_ids) - 1) + ending])
        with torch.inference_mode():
            return nn.functional.cross_entropy(model(x)[0].transpose(1, 2), y).item()

    return min(enumerate(endings_ids), key=lambda pair: loss(pair[1]))[0]


def train(
    token_dir, out_dir, config, seed, max_steps, batch_size=4, seq_len=1024, accumulation=1, max_lr=6e-4, min_lr=6e-5,
    warmup_steps=10, weight_decay=0.1, betas=(0.9, 0.95), max_norm=1.0, checkpoint_every=100,
):  # fmt: skip
    torch.manual_seed(seed)
    model = GPT(config)
    optimizer = make_optimizer(model, weight_decay, max_lr, betas)
    files = sorted(entry.path for entry in os.scandir(token_dir) if "_train_" in entry.name)
    shards = TokenShards(files, batch_size, seq_len)
    at = {"step": 0}

    def save():
        os.makedirs(out_dir, exist_ok=True)
        everything = (vars(config), model.state_dict(), optimizer.state_dict(), shards.state_dict(), at)
        torch.save(everything, os.path.join(out_dir, "state.part"))
        os.rename(os.path.join(out_dir, "state.part"), os.path.join(out_dir, "state"))

    def resume():
        _, weights, moments, place, then = torch.load(os.path.join(out_dir, "state"))
        model.load_state_dict(weights)
        optimizer.load_state_dict(moments)
        shards.load_state_dict(place)
        at.update(then)

    try:
        resume()
    except FileNotFoundError:
        save()
    while at["step"] < max_steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(at["step"], max_lr, min_lr, warmup_steps, max_steps)
        train_step(model, optimizer, [shards.next_batch() for _ in range(accumulation)], max_norm)
        at["step"] += 1
        if at["step"] in (max_steps, at["step"] // checkpoint_every * checkpoint_every):
            save()


def load_model(out_dir):
    sizes, weights, *_ = torch.load(os.path.join(out_dir, "state"))
    model = GPT(GPTConfig(**sizes))
    model.load_state_dict(weights)
    return model
