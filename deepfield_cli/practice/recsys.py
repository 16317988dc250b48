"""Recommenders on the back of an envelope: tables and indexes, latency, and how much data a claim needs."""

from __future__ import annotations

from deepfield_cli.practice.number import square_root
from deepfield_cli.practice.question import Question, Sheet, drill


@drill("recsys/embedding-table", "sharded-embedding-tables", "dlrm-paper")
def embedding_table(sheet: Sheet) -> Question:
    """Rows × width × 4 bytes."""
    rows = sheet.draw("rows", 1e6, 10e6, 100e6, 500e6, 1e9)
    width = sheet.draw("width", 16, 32, 64, 128)
    sheet.step("table", rows * width * 4, "B", "4 bytes per number, in float32")
    return sheet.ask(f"How large is an embedding table of {rows} ids, {width} numbers each, in float32?")


@drill("recsys/adagrad-table", "sharded-embedding-tables", "dlrm-paper", "compositional-embeddings")
def optimised_table(sheet: Sheet) -> Question:
    """Weights and one state per number."""
    rows = sheet.draw("rows", 1e6, 20e6, 200e6)
    width = sheet.draw("width", 16, 64, 128)
    devices = sheet.draw("devices", 4, 8, 16)
    table = sheet.step("table", rows * width * 4, "B", "float32 weights")
    both = sheet.step("with state", 2 * table, "B", "Adagrad keeps one more number per weight")
    sheet.step("per device", both / devices, "B", "shared out evenly")
    return sheet.ask(
        f"A table of {rows} ids of width {width} is trained with Adagrad in float32 and shared out over {devices} "
        "GPUs. How "
        "much does each hold?"
    )


@drill("recsys/auc-error", "ranking-models")
def auc_error(sheet: Sheet) -> Question:
    """Hanley and McNeil's standard error."""
    auc = sheet.draw("auc", 0.6, 0.7, 0.75, 0.8, 0.9)
    positives = sheet.draw("positives", 100, 500, 1000, 10000)
    negatives = sheet.draw("negatives", 1000, 10000, 100000)
    first = sheet.step("Q1", auc / (2 - auc), "", "two positives both beat one negative")
    second = sheet.step("Q2", 2 * auc**2 / (1 + auc), "", "one positive beats two negatives")
    square = sheet.step("AUC²", auc**2, "", "what both would be if the pairs were independent")
    spread = auc * (1 - auc) + (positives - 1) * (first - square) + (negatives - 1) * (second - square)
    above = sheet.step("numerator", spread, "", "Hanley and McNeil (1982)")
    sheet.step("standard error", square_root(above / (positives * negatives)), "", "over all pairs, and the root of it")
    return sheet.ask(
        f"An AUC of {auc} was measured on {positives} positives and {negatives} negatives. What is its standard error, "
        "after "
        "Hanley and McNeil?"
    )


@drill("recsys/hnsw-memory", "approximate-nearest-neighbours", "hnsw-paper", "faiss")
def hnsw_memory(sheet: Sheet) -> Question:
    """N·(4d + 8M)."""
    vectors = sheet.draw("vectors", 1e6, 10e6, 100e6, 1e9)
    width = sheet.draw("width", 64, 96, 128, 768)
    links = sheet.draw("links", 16, 32, 48)
    each = sheet.step(
        "per vector", 4 * width + 2 * links * 4, "B", "float32 values, and 2·M links of 4 bytes on the ground"
    )
    sheet.step("index", vectors * each, "B", "upper levels add a few percent")
    return sheet.ask(
        f"How large is an HNSW index of {vectors} vectors of {width} float32 numbers with M = {links} (so 2·M links of "
        "4 bytes "
        "on the lowest level)?"
    )


@drill("recsys/pq-memory", "approximate-nearest-neighbours", "faiss")
def pq_memory(sheet: Sheet) -> Question:
    """N·(m + 8)."""
    vectors = sheet.draw("vectors", 10e6, 100e6, 1e9)
    codes = sheet.draw("codes", 8, 16, 32, 64)
    sheet.step("index", vectors * (codes + 8), "B", "a byte per code, and an id of 8 bytes")
    return sheet.ask(
        f"An IVF-PQ index stores {codes} one-byte codes and an 8-byte id for each of {vectors} vectors. How large is "
        "it, its "
        "centroids left aside?"
    )


@drill("recsys/ivf-scan", "recall-latency-frontier", "faiss", "ann-benchmarks")
def ivf_scan(sheet: Sheet) -> Question:
    """N·probes/lists."""
    vectors = sheet.draw("vectors", 1e6, 10e6, 100e6)
    lists = sheet.draw("lists", 1024, 4096, 16384)
    probes = sheet.draw("probes", 1, 8, 32, 64)
    sheet.step("scanned", vectors * probes / lists, "vectors", "each list holds its share, and so many are opened")
    return sheet.ask(
        f"An IVF index holds {vectors} vectors in {lists} lists of equal size. How many vectors does a query look at "
        "with "
        f"{probes} probes?"
    )


@drill("recsys/exhaustive-search", "latency-budgets", "ann-benchmarks")
def exhaustive_search(sheet: Sheet) -> Question:
    """Every vector is read once."""
    items = sheet.draw("items", 1e6, 10e6, 100e6)
    width = sheet.draw("width", 64, 128, 256)
    bandwidth = sheet.draw("bandwidth", 20e9, 100e9, 900e9, 2e12, unit="B/s")
    amount = sheet.step("read", items * width * 4, "B", "every float32 number once")
    sheet.step("time", amount / bandwidth, "s", "scoring is bound by memory")
    return sheet.ask(
        f"One query is scored against all of {items} items, {width} float32 numbers each, at a memory bandwidth of "
        f"{bandwidth}. How long does that take?"
    )


@drill("recsys/test-exposure", "ab-testing", "designing-ml-systems")
def test_exposure(sheet: Sheet) -> Question:
    """16·p(1 − p)/δ²."""
    rate = sheet.draw("rate", 0.005, 0.01, 0.02, 0.05, 0.1, unit="%")
    lift = sheet.draw("lift", 0.01, 0.02, 0.05, 0.1, unit="%")
    change = sheet.step("difference", rate * lift, "", "the lift, in absolute terms")
    spread = sheet.step("variance", rate * (1 - rate), "", "of one click that happens or not")
    sheet.step("per arm", 16 * spread / change**2, "impressions", "2·(1.96 + 0.84)² is about 16")
    return sheet.ask(
        f"The click-through rate is {rate}. How many impressions does each arm of a test need to see a relative lift "
        f"of {lift} "
        "at 5% significance with 80% power?"
    )


@drill("recsys/matrix-density", "matrix-factorization", "movielens-25m")
def matrix_density(sheet: Sheet) -> Question:
    """Interactions over users times items."""
    interactions = sheet.draw("interactions", 25e6, 100e6, 1e9)
    users = sheet.draw("users", 162e3, 500e3, 10e6)
    items = sheet.draw("items", 62e3, 200e3, 1e6)
    sheet.step("density", interactions / (users * items), "%", "filled cells over all cells")
    return sheet.ask(
        f"{users} users, {items} items, {interactions} interactions. What share of the cells of the matrix is filled?"
    )


@drill("recsys/effective-sample", "off-policy-evaluation", "zr-obp", "doubly-robust-paper")
def effective_sample(sheet: Sheet) -> Question:
    """n/(1 + cv²)."""
    logged = sheet.draw("logged", 10e3, 100e3, 1e6, 10e6)
    spread = sheet.draw("spread", 2, 3, 5, 10)
    sheet.step("effective", logged / (1 + spread**2), "samples", "(Σw)²/Σw² = n/(1 + cv²)")
    return sheet.ask(
        f"Off-policy evaluation on {logged} logged rounds; the importance weights have mean 1 and standard deviation "
        f"{spread}. What is the effective sample size?"
    )


@drill("recsys/feature-log", "feature-stores", "designing-ml-systems")
def feature_log(sheet: Sheet) -> Question:
    """Requests × candidates × features × bytes."""
    requests = sheet.draw("requests", 10e6, 100e6, 1e9)
    candidates = sheet.draw("candidates", 50, 100, 500)
    features = sheet.draw("features", 100, 300, 1000)
    each = sheet.step("per request", candidates * features * 4, "B", "one float32, 4 bytes, per candidate and feature")
    sheet.step("per day", requests * each, "B", "all requests of the day, uncompressed")
    return sheet.ask(
        f"Every one of {requests} requests a day logs {features} float32 features for {candidates} candidates. How "
        "much is "
        "that per day, uncompressed?"
    )


@drill("recsys/in-flight", "latency-budgets", "designing-ml-systems")
def in_flight(sheet: Sheet) -> Question:
    """Little's law."""
    rate = sheet.draw("rate", 500, 2000, 20e3, 100e3, unit="requests/s")
    latency = sheet.draw("latency", 0.02, 0.05, 0.1, 0.2, unit="s")
    sheet.step("in flight", rate * latency, "requests", "Little's law: arrivals per second times seconds inside")
    return sheet.ask(
        f"A ranker answers {rate} and takes {latency} for each. How many requests are in flight at any moment?"
    )


@drill("recsys/embedding-traffic", "sharded-embedding-tables", "dlrm-paper")
def embedding_traffic(sheet: Sheet) -> Question:
    """Batch × tables × width × bytes."""
    batch = sheet.draw("batch", 4096, 16384, 65536)
    tables = sheet.draw("tables", 26, 100, 500)
    width = sheet.draw("width", 32, 64, 128)
    sheet.step("sent", batch * tables * width * 4, "B", "one float32 vector per example and table")
    return sheet.ask(
        f"Embedding tables live on other GPUs. A batch of {batch} examples fetches one vector of {width} float32 "
        "numbers from "
        f"each of {tables} tables. How much is sent in the forward pass?"
    )
