"""What training writes beside the weights, configurations, tokenizers, whole small models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

import numpy as np
import torch
import transformers


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""
    folder = tempfile.mkdtemp()
    yield "TrainingArguments", lambda: transformers.TrainingArguments(folder, use_cpu=True, report_to=[])
    yield "Seq2Seq", lambda: transformers.Seq2SeqTrainingArguments(folder, use_cpu=True, report_to=[])
    yield (
        "more",
        lambda: transformers.TrainingArguments(
            folder,
            use_cpu=True,
            report_to=[],
            lr_scheduler_type="cosine",
            optim="adamw_torch",
            save_strategy="epoch",
            label_names=["labels"],
        ),
    )
    for name in [
        "BertConfig",
        "GPT2Config",
        "LlamaConfig",
        "T5Config",
        "ViTConfig",
        "WhisperConfig",
        "CLIPConfig",
        "GenerationConfig",
        "RobertaConfig",
        "MistralConfig",
    ]:
        yield name, lambda name=name: getattr(transformers, name)()

    def fast() -> object:
        from tokenizers import Tokenizer, models, pre_tokenizers

        inner = Tokenizer(models.WordLevel({"[UNK]": 0, "cat": 1}, unk_token="[UNK]"))
        inner.pre_tokenizer = pre_tokenizers.Whitespace()
        return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", pad_token="[UNK]")

    yield "fast tokenizer", fast
    yield "BatchEncoding", lambda: fast()(["cat cat"], padding=True)
    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "vocab_size": 20,
    }
    yield "BertModel", lambda: transformers.BertModel(transformers.BertConfig(**small))
    yield (
        "BertForSequenceClassification",
        lambda: transformers.BertForSequenceClassification(transformers.BertConfig(**small)),
    )
    yield (
        "GPT2",
        lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=20)),
    )
    yield "Llama", lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**small))
    yield (
        "T5",
        lambda: transformers.T5Model(
            transformers.T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=20)
        ),
    )
    net = torch.nn.Linear(2, 2)
    optimiser = torch.optim.AdamW(net.parameters())
    yield "optimizer.pt", lambda: optimiser.state_dict()
    yield "scheduler.pt", lambda: transformers.get_linear_schedule_with_warmup(optimiser, 1, 5).state_dict()
    yield (
        "rng_state.pth",
        lambda: {
            "python": __import__("random").getstate(),
            "numpy": np.random.get_state(),
            "cpu": torch.get_rng_state(),
        },
    )
    yield "IntervalStrategy", lambda: transformers.trainer_utils.IntervalStrategy.EPOCH
    yield "SchedulerType", lambda: transformers.SchedulerType.COSINE
