"""Tokenizers of each model, their parts, what they return."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXT = ["the cat sat on the mat", "a dog ran"] * 5


def objects() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and maker of each."""

    def trained(name: str) -> Tokenizer:
        made = Tokenizer(getattr(models, name)())
        made.pre_tokenizer = pre_tokenizers.Whitespace()
        made.train_from_iterator(
            TEXT,
            getattr(trainers, {"BPE": "Bpe"}.get(name, name) + "Trainer")(vocab_size=60, special_tokens=["[UNK]"]),
        )
        return made

    for name in ("BPE", "WordPiece", "WordLevel", "Unigram"):
        yield name, lambda name=name: trained(name)
        yield f"model {name}", lambda name=name: trained(name).model
    yield "Encoding", lambda: trained("BPE").encode("the cat")
    yield "AddedToken", lambda: AddedToken("[X]", lstrip=True)
    for made in (
        pre_tokenizers.ByteLevel(), pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace(), pre_tokenizers.Split(" ", "removed"), pre_tokenizers.CharDelimiterSplit("x"),
        pre_tokenizers.Punctuation(), pre_tokenizers.Digits(), pre_tokenizers.Sequence([pre_tokenizers.Whitespace()]), pre_tokenizers.BertPreTokenizer(),
        normalizers.NFC(), normalizers.Lowercase(), normalizers.BertNormalizer(), normalizers.Sequence([normalizers.NFD()]), normalizers.Replace("a", "b"), normalizers.Strip(),
        decoders.ByteLevel(), decoders.WordPiece(), decoders.Metaspace(), decoders.BPEDecoder(), decoders.CTC(),
        processors.ByteLevel(), processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0)), processors.RobertaProcessing(("[SEP]", 1), ("[CLS]", 0)),
        processors.TemplateProcessing(single="[CLS] $0", special_tokens=[("[CLS]", 1)]),
    ):  # fmt: skip
        yield type(made).__name__, lambda made=made: made
