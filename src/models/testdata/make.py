"""Makes the tiny random models and cases beside this file, one of each family, with PyTorch and transformers.

    pip install torch transformers safetensors && python make.py [NAME ...]

A case is prompt tuning on one ragged batch as PEFT does it: prompt rows in front of the embedded input, cross-entropy averaged over
the label tokens of the batch. Computed in float64 (transformers lowers norms and softmax to float32 on the way).
"""
import json
import os
import sys
import zlib

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = 5
INPUTS, TARGETS = [7, 1, 9, 4], [2, 1, 3, 1]

IDS = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "torch_dtype": "float32"}
LLAMA = {**IDS, "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "hidden_act": "silu", "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "vocab_size": 40}
T5 = {"is_encoder_decoder": True, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1, "dropout_rate": 0.1, "d_model": 24,
      "d_kv": 8, "d_ff": 36, "num_heads": 4, "num_layers": 2, "num_decoder_layers": 2, "feed_forward_proj": "gated-gelu",
      "relative_attention_num_buckets": 12, "relative_attention_max_distance": 24, "tie_word_embeddings": False, "vocab_size": 40}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
MODELS = {
    "llama": {**LLAMA, "model_type": "llama", "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False},
    "llama3": {**LLAMA, "model_type": "llama", "tie_word_embeddings": False, "rope_theta": 500000.0, "rope_scaling": LLAMA3, "head_dim": 10},
    "llama-linear": {**LLAMA, "model_type": "llama", "attention_bias": True, "tie_word_embeddings": True,
                     "rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama-dynamic": {**LLAMA, "model_type": "llama", "tie_word_embeddings": True, "max_position_embeddings": 64,
                      "rope_scaling": {"type": "dynamic", "factor": 4.0}},
    "qwen2-yarn": {**LLAMA, "model_type": "qwen2", "tie_word_embeddings": True, "head_dim": 12, "max_position_embeddings": 64,
                   "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}},
    "phi3-longrope": {**LLAMA, "model_type": "phi3", "tie_word_embeddings": False, "original_max_position_embeddings": 64,
                      "rope_scaling": {"type": "longrope", "short_factor": [1.1, 1.6, 3.0], "long_factor": [2.0, 5.0, 9.0]},
                      "attention_bias": False},
    "mistral": {**LLAMA, "model_type": "mistral", "sliding_window": 7, "tie_word_embeddings": False},
    "qwen2": {**LLAMA, "model_type": "qwen2", "use_sliding_window": False, "sliding_window": 512, "max_window_layers": 2,
              "tie_word_embeddings": True},
    "qwen3": {**LLAMA, "model_type": "qwen3", "head_dim": 8, "attention_bias": False, "tie_word_embeddings": True},
    "olmo2": {**LLAMA, "model_type": "olmo2", "tie_word_embeddings": False, "attention_bias": False},
    "phi3": {**LLAMA, "model_type": "phi3", "tie_word_embeddings": False, "sliding_window": 2047,
             "original_max_position_embeddings": 512, "rope_scaling": None, "attention_bias": False},
    "gemma3": {**IDS, "model_type": "gemma3_text", "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 3,
               "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh",
               "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "query_pre_attn_scalar": 20, "sliding_window": 6,
               "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "rope_theta": 1000000.0,
               "rope_local_base_freq": 10000.0, "tie_word_embeddings": True, "vocab_size": 40},
    "gemma2": {**IDS, "model_type": "gemma2", "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 4,
               "num_key_value_heads": 2, "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh", "max_position_embeddings": 512,
               "rms_norm_eps": 1e-6, "query_pre_attn_scalar": 20, "sliding_window": 6, "rope_theta": 10000.0,
               "attn_logit_softcapping": 3.0, "final_logit_softcapping": 4.0, "attention_bias": False, "tie_word_embeddings": True,
               "vocab_size": 40},
    "gpt2": {**IDS, "model_type": "gpt2", "n_embd": 24, "n_head": 4, "n_layer": 2, "n_positions": 64, "n_inner": None,
             "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "vocab_size": 40},
    "gpt_neox": {**IDS, "model_type": "gpt_neox", "hidden_size": 32, "intermediate_size": 36, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "hidden_act": "gelu", "max_position_embeddings": 512, "layer_norm_eps": 1e-5,
                 "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": True, "tie_word_embeddings": False,
                 "vocab_size": 40},
    "opt": {**IDS, "eos_token_id": 2, "pad_token_id": 1, "model_type": "opt", "hidden_size": 24, "ffn_dim": 36, "num_hidden_layers": 2,
            "num_attention_heads": 4, "activation_function": "relu", "max_position_embeddings": 64, "do_layer_norm_before": True,
            "word_embed_proj_dim": 24, "tie_word_embeddings": True, "vocab_size": 40},
    "t5": {**T5, "model_type": "t5", "feed_forward_proj": "relu", "tie_word_embeddings": True},
    "mt5": {**T5, "model_type": "mt5"},
    "umt5": {**T5, "model_type": "umt5"},
}


def generator(*names):
    g = torch.Generator()
    g.manual_seed(zlib.crc32("/".join(map(str, names)).encode()))
    return g


def weight(config, name, p):
    """Scales at which attention is not uniform, gates are not linear and no gradient vanishes."""
    x = torch.randn(p.shape, generator=generator(config["model_type"], name), dtype=torch.float32)
    if name.endswith("bias") and "relative" not in name:
        return 0.2 * x
    if p.dim() == 1:
        return 0.2 * x + (0.0 if config["model_type"].startswith("gemma") else 1.0)
    if "relative" in name or "shared" in name:
        return x
    if any(part in name for part in ("wpe", "embed_positions")):
        return 0.2 * x
    if any(part in name for part in ("embed_tokens", "wte", "embed_in")):
        return 0.6 * x
    fan_in = p.shape[0] if config["model_type"] == "gpt2" else p.shape[1]
    return 1.2 * fan_in ** -0.5 * x


def make(name, config):
    folder = os.path.join(HERE, "models", name)
    os.makedirs(folder, exist_ok=True)
    os.makedirs(os.path.join(HERE, "cases"), exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=1)
    parsed = AutoConfig.from_pretrained(folder)
    seq2seq = parsed.is_encoder_decoder
    model = (AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM).from_config(
        parsed, dtype=torch.float32, attn_implementation="eager")
    if seq2seq and config["tie_word_embeddings"] is False:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
    tensors = {}
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.copy_(weight(config, n, p))
            tensors["embed_out.weight" if parsed.model_type == "gpt_neox" and n == "lm_head.weight" else n] = p.detach().clone()
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    model = model.double().eval()
    if parsed.model_type == "umt5":
        model.config.tie_word_embeddings = False  # no scale before an untied head, as published

    g = generator(name, "batch")
    vocabulary, width = parsed.vocab_size, model.get_input_embeddings().weight.shape[1]
    ids = [torch.randint(3, vocabulary, (n,), generator=g).tolist() for n in INPUTS]
    with torch.no_grad():
        embedded = model.get_input_embeddings()(torch.randint(3, vocabulary, (PROMPT,), generator=g))
    noise = torch.randn(PROMPT, width, generator=g, dtype=torch.float64)
    prompt = (embedded + 0.3 * embedded.pow(2).mean().sqrt() * noise).float().double().requires_grad_(True)
    labels, rows, losses = [], [], []
    for own, count in zip(ids, TARGETS):
        inputs = torch.cat([prompt, model.get_input_embeddings()(torch.tensor(own))])[None]
        if seq2seq:
            target = torch.randint(3, vocabulary, (count,), generator=g).tolist()
            labels.append(target)
            logits = model(inputs_embeds=inputs, decoder_input_ids=torch.tensor([[0] + target[:-1]])).logits[0]
        else:
            target = own[len(own) - count:]
            labels.append([-100] * (len(own) - count) + target)
            first = PROMPT + len(own) - count - 1
            logits = model(inputs_embeds=inputs).logits[0][first:first + count]
        rows.append(logits)
        losses.append(torch.nn.functional.cross_entropy(logits.double(), torch.tensor(target), reduction="sum"))
    loss = sum(losses) / sum(TARGETS)
    loss.backward()
    assert float(prompt.grad.abs().max()) > 1e-3, f"{name}: the gradient is trivial"
    save_file({"prompt": prompt.detach().float(), "logits": torch.cat(rows).detach().float(), "grad_prompt": prompt.grad.float()},
              os.path.join(HERE, "cases", f"{name}.safetensors"))
    with open(os.path.join(HERE, "cases", f"{name}.json"), "w") as f:
        json.dump({"format": "prompt-case/1", "model": f"models/{name}", "kind": "seq2seq" if seq2seq else "causal",
                   "tensors": f"cases/{name}.safetensors", "input_ids": ids, "labels": labels, "loss": float(loss),
                   "example_loss_sums": [float(x) for x in losses]}, f)
    print(f"{name}: loss {float(loss):.4f}, largest gradient {float(prompt.grad.abs().max()):.2e}")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or MODELS:
        make(chosen, MODELS[chosen])
