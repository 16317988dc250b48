# fails: shapes_and_types   diagnosis: missing-name
"""The function has another name."""

def forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return x, None


def attention_backward(dy, cache):
    return {}
