"""Reinforcement learning on the back of an envelope: horizons, buffers, updates, and how far numbers can be trusted."""

from __future__ import annotations

from deepfield_cli.practice.number import logarithm, number
from deepfield_cli.practice.question import Question, Sheet, drill

_ATARI_FRAMES_PER_SECOND = 60


@drill("rl/replay-buffer", "deep-q-networks", "dqn-nature")
def replay_buffer(sheet: Sheet) -> Question:
    """One byte per pixel, each state and its successor stacked."""
    transitions = sheet.draw("transitions", 100e3, 200e3, 500e3, 1e6)
    side = sheet.draw("side", 64, 84, 96)
    stack = sheet.draw("stack", 1, 3, 4)
    state = sheet.step("state", stack * side**2, "B", "one byte per pixel and frame")
    sheet.step("buffer", 2 * transitions * state, "B", "a state and its successor per transition")
    return sheet.ask(
        f"A replay buffer holds {transitions} transitions. A state is {stack} grey frames of {side} × {side} in bytes, "
        "and "
        "the next state is stored in full as well. How large is it?"
    )


@drill("rl/effective-horizon", "markov-decision-processes", "sutton-barto")
def effective_horizon(sheet: Sheet) -> Question:
    """1/(1 − γ)."""
    discount = sheet.draw("discount", 0.9, 0.95, 0.98, 0.99, 0.995, 0.997, 0.999)
    sheet.step("horizon", 1 / (1 - discount), "steps", "1 + γ + γ² + … adds up to this")
    return sheet.ask(f"How many steps ahead does an agent with discount {discount} effectively look?")


@drill("rl/gae-horizon", "generalized-advantage-estimation", "gae-paper")
def gae_horizon(sheet: Sheet) -> Question:
    """1/(1 − γλ)."""
    discount = sheet.draw("discount", 0.98, 0.99, 0.995, 0.999)
    mixing = sheet.draw("mixing", 0.9, 0.92, 0.95, 0.97, 0.8)
    sheet.step("horizon", 1 / (1 - discount * mixing), "steps", "residuals are weighted by (γλ)ᵏ")
    return sheet.ask(
        f"GAE with discount {discount} and λ = {mixing}: over about how many steps does it add up the residuals?"
    )


@drill("rl/discount-weight", "bellman-equations", "sutton-barto")
def discount_weight(sheet: Sheet) -> Question:
    """γ^T."""
    discount = sheet.draw("discount", 0.95, 0.97, 0.99)
    delay = sheet.draw("delay", 50, 100, 200)
    sheet.step("weight", discount**delay, "%", "one factor of γ per step; about exp(−T·(1 − γ))")
    return sheet.ask(f"With discount {discount}, how much of a reward is left if it comes {delay} steps later?")


@drill("rl/game-time", "deep-q-networks", "dqn-nature", "machado-ale")
def game_time(sheet: Sheet) -> Question:
    """Frames over 60 per second."""
    frames = sheet.draw("frames", 400e3, 10e6, 40e6, 50e6, 200e6)
    sheet.step("time", frames / _ATARI_FRAMES_PER_SECOND, "s", "an Atari shows 60 frames per second")
    return sheet.ask(f"How long would somebody have to play an Atari, at 60 frames per second, to see {frames} frames?")


@drill("rl/ppo-updates", "ppo-clipping", "ppo-paper", "ppo-37-details")
def ppo_updates(sheet: Sheet) -> Question:
    """Rollouts × epochs × minibatches."""
    total = sheet.draw("total", 1e6, 2e6, 10e6, 50e6)
    environments = sheet.draw("environments", 1, 8, 16, 64)
    length = sheet.draw("length", 128, 256, 2048)
    epochs = sheet.draw("epochs", 3, 4, 10)
    parts = sheet.draw("parts", 4, 8, 32)
    rollouts = sheet.step(
        "rollouts", total / (environments * length), "runs", "samples in all over samples per rollout"
    )
    sheet.step("updates", rollouts * epochs * parts, "steps", "each rollout is gone through so many times, in parts")
    return sheet.ask(
        f"PPO collects {total} samples with {environments} environments and rollouts of {length} steps each; every "
        "rollout is "
        f"used for {epochs} epochs of {parts} minibatches. How many gradient steps is that?"
    )


@drill("rl/collection-time", "actor-critic", "cleanrl-ppo-docs")
def collection_time(sheet: Sheet) -> Question:
    """Steps over environments times speed."""
    total = sheet.draw("total", 1e6, 10e6, 50e6, 100e6)
    environments = sheet.draw("environments", 1, 8, 32, 64)
    speed = sheet.draw("speed", 200, 500, 1500, unit="steps/s")
    together = sheet.step("together", environments * speed, "steps/s", "all environments in parallel")
    sheet.step("time", total / together, "s", "steps over speed")
    return sheet.ask(
        f"You need {total} environment steps; {environments} environments run in parallel at {speed} each. How long "
        "does it "
        "take to collect them?"
    )


@drill("rl/importance-variance", "offline-rl", "sutton-barto")
def importance_variance(sheet: Sheet) -> Question:
    """(1 + v)^T − 1."""
    variance = sheet.draw("variance", 0.05, 0.1, 0.2, 0.5)
    steps = sheet.draw("steps", 5, 10, 20)
    second = sheet.step("second moment", (1 + variance) ** steps, "", "E[ρ²] = 1 + v for each, and they multiply")
    sheet.step("variance", second - 1, "", "less the square of the mean, which stays 1")
    return sheet.ask(
        f"Each importance ratio has mean 1 and variance {variance}, independently. What is the variance of the product "
        "of "
        f"{steps} of them?"
    )


@drill("rl/exploration-schedule", "exploration", "dqn-nature", "cleanrl-dqn-docs")
def exploration_schedule(sheet: Sheet) -> Question:
    """A straight line from 1 to the end."""
    end = sheet.draw("end", 0.01, 0.05, 0.1)
    length = sheet.draw("length", 100e3, 250e3, 1e6, 4e6)
    wanted = sheet.draw("wanted", 0.2, 0.5, 0.7)
    share = sheet.step("share", (1 - wanted) / (1 - end), "%", "how far down the line")
    sheet.step("steps", length * share, "steps", "the same share of the steps")
    return sheet.ask(
        f"ε falls in a straight line from 1 to {end} over {length} steps. After how many steps is it {wanted}?"
    )


@drill("rl/target-half-life", "double-dueling-dqn", "cleanrl-dqn-docs")
def target_half_life(sheet: Sheet) -> Question:
    """ln 2 / τ."""
    rate = sheet.draw("rate", 0.001, 0.002, 0.005, 0.01, 0.02)
    sheet.step("half-life", logarithm(number(2)) / rate, "steps", "(1 − τ)ᵏ = ½ at about ln 2 / τ")
    return sheet.ask(
        f"A target network follows by θ' ← (1 − τ)·θ' + τ·θ with τ = {rate}. After how many updates has half of the "
        "old "
        "weights gone?"
    )


@drill("rl/seeds-needed", "policy-gradient", "cleanrl", "implementation-matters")
def seeds_needed(sheet: Sheet) -> Question:
    """(σ/se)²."""
    spread = sheet.draw("spread", 50, 100, 200, 400)
    wanted = sheet.draw("wanted", 10, 20, 25)
    sheet.step("seeds", (spread / wanted) ** 2, "runs", "the standard error of a mean is σ/√n; solve for n")
    return sheet.ask(
        f"The return differs between seeds with a standard deviation of {spread}. How many seeds until the standard "
        "error of "
        f"the mean is {wanted}?"
    )


@drill("rl/rollout-time", "rl-for-language-models", "deepseekmath-grpo", "trl")
def rollout_time(sheet: Sheet) -> Question:
    """Prompts × samples × tokens over the rate."""
    prompts = sheet.draw("prompts", 64, 128, 512, 1024)
    samples = sheet.draw("samples", 4, 8, 16, 64)
    tokens = sheet.draw("tokens", 500, 1000, 4000)
    rate = sheet.draw("rate", 2000, 10e3, 40e3, unit="tokens/s")
    amount = sheet.step("tokens", prompts * samples * tokens, "tokens", "every sample of every prompt")
    sheet.step("time", amount / rate, "s", "tokens over rate")
    return sheet.ask(
        f"One GRPO step samples {samples} answers of {tokens} tokens for each of {prompts} prompts; the engine makes "
        f"{rate}. "
        "How long does the sampling take?"
    )
