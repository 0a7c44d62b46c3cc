"""Models that recognise and say next to nothing, in the shapes that the local engines' own packages load.

`python toy_models.py FOLDER` writes them as `rymi speech pull` would, but for Vosk's, whose graphs only Kaldi makes.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

onnx: Any = importlib.import_module("onnx")
helper, numbers, kinds = onnx.helper, onnx.numpy_helper, onnx.TensorProto
_FORMAT = 8


def _array(name: str, values: Any, kind: Any = np.float32) -> Any:
    return numbers.from_array(np.array(values, kind), name)


def _tensor(name: str, kind: Any, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def _save(graph: Any, opset: int, file: Path, **told: Any) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_FORMAT)
    helper.set_model_props(model, {key: str(value) for key, value in told.items()})
    onnx.save(model, str(file))


def piper(folder: Path, rate: int = 16_000) -> None:
    """Fifty milliseconds of a tone for each phoneme."""
    folder.mkdir(parents=True)
    tone = np.sin(2 * np.pi * 300 * np.arange(rate // 20) / rate) * 0.4
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["input"], ["numbers"], to=kinds.FLOAT),
            helper.make_node("Unsqueeze", ["numbers", "last"], ["column"]),
            helper.make_node("Mul", ["column", "nothing"], ["silence"]),
            helper.make_node("Add", ["silence", "tone"], ["rows"]),
            helper.make_node("Reshape", ["rows", "shape"], ["output"]),
        ],
        "piper",
        [
            _tensor("input", kinds.INT64, 1, "T"),
            _tensor("input_lengths", kinds.INT64, 1),
            _tensor("scales", kinds.FLOAT, 3),
        ],
        [_tensor("output", kinds.FLOAT, 1, 1, 1, "N")],
        [
            _array("last", [2], np.int64),
            _array("nothing", [[[0.0]]]),
            _array("tone", tone[None, None, :]),
            _array("shape", [1, 1, 1, -1], np.int64),
        ],
    )
    _save(graph, 17, folder / f"{folder.name}.onnx")
    signs = "_^$ abcdefghijklmnopqrstuvwxyzəɪʊɛɔæʌɑɹɾʃθðŋˈˌː.,?!"  # noqa: RUF001 - They are phonemes.
    described = {
        "audio": {"sample_rate": rate},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "num_symbols": 256,
        "num_speakers": 1,
        "inference": {},
        "phoneme_id_map": {sign: [number] for number, sign in enumerate(signs)},
    }
    (folder / f"{folder.name}.onnx.json").write_text(json.dumps(described))


def sherpa(folder: Path) -> None:
    """A transducer that says yes once where it is loud."""
    folder.mkdir(parents=True)
    floats, size = kinds.FLOAT, 2
    state = [_tensor(name, floats, 1, "N", size) for name in ("h", "c")]
    encoder = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["loudness"], axes=[2], keepdims=1),
            helper.make_node("Slice", ["loudness", "first", "past", "time", "step"], ["every"]),
            helper.make_node("Concat", ["every", "every"], ["encoder_out"], axis=2),
            *(helper.make_node("Identity", [name], [f"next_{name}"]) for name in ("h", "c")),
        ],
        "encoder",
        [_tensor("x", floats, "N", 9, 80), *state],
        [
            _tensor("encoder_out", floats, "N", "T", size),
            *(_tensor(f"next_{name}", floats, 1, "N", size) for name in ("h", "c")),
        ],
        [_array(name, [value], np.int64) for name, value in (("first", 0), ("past", 4), ("time", 1), ("step", 4))],
    )
    shape = {"num_encoder_layers": 1, "T": 9, "decode_chunk_len": 4, "rnn_hidden_size": size, "d_model": size}
    _save(encoder, 13, folder / "encoder.onnx", model_type="lstm", version=1, model_author="toy", **shape)
    decoder = helper.make_graph(
        [helper.make_node("Cast", ["y"], ["decoder_out"], to=floats)],
        "decoder",
        [_tensor("y", kinds.INT64, "N", 2)],
        [_tensor("decoder_out", floats, "N", size)],
    )
    _save(decoder, 13, folder / "decoder.onnx", vocab_size=3, context_size=2)
    # Blank, unless it is loud and yes was not said already.
    joiner = helper.make_graph(
        [
            helper.make_node("MatMul", ["encoder_out", "heard"], ["a"]),
            helper.make_node("MatMul", ["decoder_out", "said"], ["b"]),
            helper.make_node("Add", ["a", "b"], ["both"]),
            helper.make_node("Add", ["both", "usual"], ["logit"]),
        ],
        "joiner",
        [_tensor("encoder_out", floats, "N", size), _tensor("decoder_out", floats, "N", size)],
        [_tensor("logit", floats, "N", 3)],
        [
            _array("heard", [[0, 1, 0], [0, 0, 0]]),
            _array("said", [[0, 0, 0], [0, -50, 0]]),
            _array("usual", [0, 8, -100]),
        ],
    )
    _save(joiner, 13, folder / "joiner.onnx", joiner_dim=size)
    (folder / "tokens.txt").write_text("<blk> 0\n\u2581YES 1\n<unk> 2\n")


def whisper(folder: Path) -> None:
    """It says yes, whatever it hears: where it is in its answer is all that it knows."""
    specs: Any = importlib.import_module("ctranslate2.specs.whisper_spec")
    tokenizers: Any = importlib.import_module("tokenizers")
    marks = ["startoftranscript", "en", "translate", "transcribe", "startoflm", "startofprev", "nospeech"]
    special = [f"<|{mark}|>" for mark in (*marks, "nocaptions", "notimestamps")]
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, "\u0120yes", "<|endoftext|>", *special, *(f"<|{at * 0.02:.2f}|>" for at in range(1_501))]
    size, steps = 64, ["<|0.00|>", "\u0120yes", "<|1.00|>", "<|endoftext|>"]

    def zeros(*shape: int) -> Any:
        return np.zeros(shape, np.float32)

    def fill(linear: Any, out: int, into: int) -> None:
        linear.weight, linear.bias = zeros(out, into), zeros(out)

    def normal(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(size, np.float32), zeros(size)

    spec = specs.WhisperSpec(1, 1, 1, 1)
    encoder, decoder = spec.encoder, spec.decoder
    decoder.scale_embeddings = False
    encoder.conv1.weight, encoder.conv1.bias = zeros(size, 80, 3), zeros(size)
    encoder.conv2.weight, encoder.conv2.bias = zeros(size, size, 3), zeros(size)
    encoder.position_encodings.encodings = np.eye(size, dtype=np.float32)[np.minimum(np.arange(1_500) // 20, 4)] * 9
    places = np.eye(size, dtype=np.float32)[np.minimum(np.arange(448), len(steps) - 1)]
    decoder.position_encodings.encodings = places
    decoder.embeddings.weight = zeros(len(words), size)
    decoder.projection.weight = zeros(len(words), size)
    for place, word in enumerate(steps):
        decoder.projection.weight[words.index(word), place] = 2
    for whole in (encoder, decoder):
        normal(whole.layer_norm)
        for layer in whole.layer:
            normal(layer.self_attention.layer_norm)
            fill(layer.self_attention.linear[0], 3 * size, size)
            fill(layer.self_attention.linear[1], size, size)
            normal(layer.ffn.layer_norm)
            fill(layer.ffn.linear_0, 4 * size, size)
            fill(layer.ffn.linear_1, size, 4 * size)
    for layer in decoder.layer:
        normal(layer.attention.layer_norm)
        for linear, out in zip(layer.attention.linear, (size, 2 * size, size), strict=True):
            fill(linear, out, size)
        # Where it looks decides nothing but when a word was spoken.
        layer.attention.linear[0].weight += np.eye(size, dtype=np.float32)
        layer.attention.linear[1].weight[:size] += np.eye(size, dtype=np.float32)
    spec.register_vocabulary(words)
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.lang_ids, spec.config.alignment_heads = [words.index("<|en|>")], [[0, 0]]
    folder.mkdir(parents=True)
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    numbered = {word: number for number, word in enumerate(words)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=numbered, merges=[]))
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    models = Path(sys.argv[1])
    piper(models / "piper" / "amy")
    sherpa(models / "sherpa" / "zip")
    whisper(models / "faster-whisper" / "tiny")
