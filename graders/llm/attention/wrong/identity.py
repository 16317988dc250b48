# fails: forward_matches   diagnosis: none
"""Returns x."""

def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    return x.clone(), None


def attention_backward(dy, cache):
    return {}
