"""Ordinary files of graphs, folders and what is not Python's: the second half of ``benign``."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from bench.corpus.data import training_data as _data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def onnx_files(out: Path) -> None:
    """Of skl2onnx, torch and onnx itself."""
    import onnx
    import torch
    from onnx import TensorProto, helper
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    x, y = _data()
    for model in (LogisticRegression(), RandomForestClassifier(3)):
        (out / f"{type(model).__name__}.onnx").write_bytes(
            to_onnx(model.fit(x, y), x[:1].astype("f4")).SerializeToString()
        )
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 2)
    ).eval()
    try:
        torch.onnx.export(net, (torch.ones(1, 1, 8, 8),), str(out / "torch.onnx"), dynamo=False)
    except Exception as error:
        print("left out: torch.onnx", str(error)[:60])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1000], [0.5] * 1000)
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1000]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", value[:1], value[1:], [weights])
    model = helper.make_model(graph)
    onnx.save(model, out / "by-hand.onnx")
    folder = out / "external"
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location="model.onnx_data", size_threshold=0)


def keras_files(out: Path) -> None:
    """Of Keras 3, in all its formats."""
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling2D()(x))
    functional = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    sequential = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "gelu", kernel_regularizer="l2"), layers.Dense(1)]
    )
    sequential.compile("adam", "mse", metrics=["mae"])
    words = keras.Sequential(
        [keras.Input((5,)), layers.Embedding(9, 4), layers.Bidirectional(layers.LSTM(3)), layers.Dense(1, "sigmoid")]
    )
    attention_in = keras.Input((5, 8))
    attention = keras.Model(
        attention_in, layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(attention_in, attention_in))
    )
    wrapped = keras.Sequential(
        [keras.Input((3, 8)), layers.TimeDistributed(layers.Dense(2)), layers.Normalization(), layers.Rescaling(0.5)]
    )
    for name, model in {
        "functional": functional,
        "sequential": sequential,
        "words": words,
        "attention": attention,
        "wrapped": wrapped,
    }.items():
        model.save(out / f"{name}.keras")
        model.save(out / f"{name}.h5")
        model.save_weights(out / f"{name}.weights.h5")
        (out / f"{name}.json").write_text(model.to_json())


def tensorflow_files(out: Path) -> None:
    """Of TensorFlow and TensorFlow Lite."""
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
    model.export(out / "exported", verbose=False)
    tf.saved_model.save(model, str(out / "saved"))
    module = tf.Module()
    module.v = tf.Variable([1.0, 2.0])
    module.f = tf.function(lambda x: x * module.v, input_signature=[tf.TensorSpec([2])])
    tf.saved_model.save(module, str(out / "module"), signatures=module.f)
    tf.train.Checkpoint(model=model).write(str(out / "checkpoint"))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (out / "model.tflite").write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (out / "quantised.tflite").write_bytes(converter.convert())
    with tf.io.TFRecordWriter(str(out / "data.tfrecord")) as writer:
        writer.write(b"hello")
    with tf.Graph().as_default() as graph:
        tf.identity(tf.constant([1.0]) * 2, name="y")
    (out / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())
    import shutil

    for path in [*out.glob("checkpoint*")]:
        (out / "checkpoint-folder").mkdir(exist_ok=True)
        shutil.move(path, out / "checkpoint-folder" / path.name) if path.is_file() else None


def transformers_files(out: Path) -> None:
    """Whole folders, as the hub has them."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["the cat sat", "a dog"], trainers.BpeTrainer(special_tokens=["[UNK]", "[PAD]"]))
    tokenizer.save(str(out / "tokenizer.json"))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    fast.chat_template = (
        "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] | trim }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% else %}"
        "{{ raise_exception('unknown role') }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|a|>' }}{% endif %}"
    )
    configs: dict[str, Any] = {
        "bert": transformers.BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50),
        "gpt2": transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50, n_positions=16),
        "llama": transformers.LlamaConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, intermediate_size=16, vocab_size=50),
        "t5": transformers.T5Config(d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, vocab_size=50),
        "vit": transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=16, patch_size=8),
        "whisper": transformers.WhisperConfig(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, vocab_size=50, encoder_ffn_dim=16, decoder_ffn_dim=16, max_source_positions=16, pad_token_id=1, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1),
    }  # fmt: skip
    for name, config in configs.items():
        model = transformers.AutoModel.from_config(config)
        folder = out / name
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
        (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    folder = out / "bert"
    arguments = transformers.TrainingArguments(output_dir="out", report_to=[], use_cpu=True)
    torch.save(arguments, folder / "training_args.bin")
    optimiser = torch.optim.AdamW(model.parameters())
    torch.save(optimiser.state_dict(), folder / "optimizer.pt")
    torch.save(transformers.get_linear_schedule_with_warmup(optimiser, 1, 9).state_dict(), folder / "scheduler.pt")
    (folder / "trainer_state.json").write_text(json.dumps({"epoch": 1.0, "log_history": [{"loss": 0.5, "step": 1}]}))
    (folder / "generation_config.json").write_text(transformers.GenerationConfig().to_json_string())
    bert = out / "sentence-transformers"
    transformers.AutoModel.from_config(configs["bert"]).save_pretrained(bert)
    fast.save_pretrained(bert)
    kinds = ("Transformer", "Pooling", "Normalize")
    (bert / "modules.json").write_text(
        json.dumps(
            [
                {
                    "idx": i,
                    "name": str(i),
                    "path": f"{i}_{k}" if i else "",
                    "type": f"sentence_transformers.models.{k}",
                }
                for i, k in enumerate(kinds)
            ]
        )
    )
    (bert / "1_Pooling").mkdir(exist_ok=True)
    (bert / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True})
    )
    (bert / "config_sentence_transformers.json").write_text(
        json.dumps({"__version__": {"torch": "2.1"}, "prompts": {}, "similarity_fn_name": "cosine"})
    )
    (bert / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 128, "do_lower_case": False}))


def skops_files(out: Path) -> None:
    """Of skops."""
    import skops.io
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x, y = _data()
    for name, model in {
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(3),
        "svc": SVC(),
        "boosting": GradientBoostingClassifier(n_estimators=2),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }.items():
        skops.io.dump(model.fit(x, y), out / f"{name}.skops")


def _gguf(path: Path) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(16)
    writer.add_token_list(["a", "b"])
    writer.add_token_scores([0.0, 1.0])
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    writer.add_tensor("token_embd.weight", np.ones((4, 32), "f4"))
    writer.add_tensor("output.weight", np.ones((4, 32), "f2"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _r(out: Path) -> None:
    import pandas as pd
    import pyreadr

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    pyreadr.write_rds(str(out / "frame.rds"), frame)
    pyreadr.write_rds(str(out / "frame-gzip.rds"), frame, compress="gzip")
    pyreadr.write_rdata(str(out / "frame.RData"), frame, df_name="d")


def _nemo(out: Path) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(2, 2).state_dict(), buffer)
    config = b"target: nemo.collections.asr.models.EncDecCTCModel\nencoder:\n  _target_: nemo.collections.asr.modules.ConvASREncoder\n  feat_in: 64\n"
    for name, mode in (("model.nemo", "w"), ("model-gzip.nemo", "w:gz")):
        with tarfile.open(out / name, mode) as archive:
            for member, data in (("./model_config.yaml", config), ("./model_weights.ckpt", buffer.getvalue())):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def _mlflow(out: Path) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    x, y = _data()
    mlflow.sklearn.save_model(LogisticRegression().fit(x, y), out / "mlflow")


def _coreml(out: Path) -> None:
    import coremltools
    import torch

    traced = torch.jit.trace(torch.nn.Linear(3, 2).eval(), torch.ones(1, 3))
    inputs = [coremltools.TensorType(name="x", shape=(1, 3))]
    coremltools.convert(traced, inputs=inputs, convert_to="neuralnetwork").save(str(out / "linear.mlmodel"))
    coremltools.convert(traced, inputs=inputs, convert_to="mlprogram").save(str(out / "linear.mlpackage"))


def _yaml(out: Path) -> None:
    (out / "hydra.yaml").write_text(
        "defaults:\n  - _self_\nmodel:\n  _target_: torch.nn.Linear\n  in_features: 3\n  out_features: 2\n"
    )
    (out / "lightning.yaml").write_text("trainer:\n  max_epochs: 3\nmodel:\n  class_path: torch.nn.ReLU\n")
    (out / "environment.yml").write_text("name: x\ndependencies:\n  - python=3.11\n  - pip:\n      - torch\n")
    (out / "data.yaml").write_text("names: [cat, dog]\nnc: 2\ntrain: images/train\n")


def other_files(out: Path) -> None:
    """Of GGUF, R, NeMo, MLflow, Core ML, and configurations."""
    makers: dict[str, Callable[[Path], None]] = {
        "gguf": lambda folder: _gguf(folder / "tiny.gguf"), "r": _r, "nemo": _nemo, "mlflow": _mlflow, "coreml": _coreml, "yaml": _yaml,
    }  # fmt: skip
    for name, make in makers.items():
        try:
            make(out)
        except Exception as error:
            print(f"left out: {name}: {str(error)[:90]}")
